"""Filling the store: from a list of mirrors, then from where the weights were published.

A file takes its name only when it is whole and its hash is right. What was fetched of it until then lies beside it as
`.NAME.partial` and is continued, from whichever server. Of two fetches of one file, one waits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlparse

from ..disk import is_full
from ..errors import CheckpointError, ConfigError
from .hashes import file_sha256, matches
from .partial import Partial
from .sources import Source
from .store import find_stored, stored_path
from .transfer import Listener, Patience, SourceFault, new_session, transfer

if TYPE_CHECKING:
    from requests import Session


def mirrors_named(*named: str) -> tuple[str, ...]:
    """The mirrors to ask, first `named`, then those of `HRNET_MIRRORS`.

    Args:
        named: Base URLs, below which a mirror keeps the files by their names. Each text may hold several, separated by
            spaces or commas, as the environment variable may.

    Raises:
        ConfigError: one is no http or https address.
    """
    mirrors = " ".join((*named, os.environ.get("HRNET_MIRRORS", ""))).replace(",", " ").split()
    for mirror in mirrors:
        parts = urlparse(mirror)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigError(f"mirror {mirror!r}", expected="a base URL such as https://host/weights")
    return tuple(dict.fromkeys(mirrors))


def fetch(
    source: Source,
    folder: Path | None = None,
    mirrors: Sequence[str] = (),
    listener: Listener | None = None,
    patience: Patience | None = None,
) -> Path:
    """The file of `source` in the store, fetched where it is not there yet.

    Args:
        source: The weights.
        folder: The store; by default :func:`~hrnet_plugin.published.store.weights_dir`.
        mirrors: Base URLs that are asked first, in this order.
        listener: Is told how it goes.
        patience: How long a server is waited for.

    Raises:
        CheckpointError: a file of this name with another hash is there (it stays as it is), no server has the right
            one, or it cannot be written.
    """
    path = stored_path(source, folder)
    found = find_stored(source, folder)
    if found is not None:
        return found
    if not source.fetchable:
        raise CheckpointError(f"weights {source.asked}", found=f"nothing at {path}", do="Put the file there by hand")
    listener, patience = listener or Listener(), patience or Patience()
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path, listener):
            if find_stored(source, folder) is None:  # nobody else has fetched it meanwhile
                urls = [f"{mirror.rstrip('/')}/{quote(source.file_name)}" for mirror in mirrors]
                _fetch_from_first(list(dict.fromkeys([*urls, source.url])), source, path, listener, patience)
    return path


@contextlib.contextmanager
def _alone(path: Path, listener: Listener) -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        listener.waiting(path.name)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_full(error):
            do = "Make room or name another folder, and run it again: it goes on where it stopped"
            raise CheckpointError(f"weights {path}", found=f"no room left in {path.parent}", do=do) from error
        raise CheckpointError(
            f"weights {path}",
            found=(error.strerror or str(error)).lower(),
            expected="a folder that can be written",
            do="Name another one with --dir or HRNET_WEIGHTS",
        ) from error


def _fetch_from_first(urls: Sequence[str], source: Source, path: Path, listener: Listener, patience: Patience) -> None:
    partial = Partial(path, whole_is_checked=bool(source.sha256))
    faults = []
    with new_session() as session:
        for url in urls:
            try:
                _fetch_from(session, url, source, partial, patience, listener)
                return
            except SourceFault as fault:
                listener.gives_up(url, str(fault))
                faults.append(f"{url}: {fault}")
    raise CheckpointError(
        f"weights {source.name}: {path.name} could not be fetched",
        found="; ".join(faults),
        expected=f"it at {path}",
        do="Put the file there by hand, or name a mirror that has it with --mirror or HRNET_MIRRORS",
    )


def _fetch_from(
    session: Session, url: str, source: Source, partial: Partial, patience: Patience, listener: Listener
) -> None:
    partial.next_server()
    transfer(session, url, partial, patience, listener)
    digest = file_sha256(partial.path)
    if source.sha256 and partial.has_older and not matches(digest, source.sha256):
        partial.discard()  # the fault may lie in what another server sent before
        transfer(session, url, partial, patience, listener)
        digest = file_sha256(partial.path)
    if source.sha256 and not matches(digest, source.sha256):
        partial.discard()
        raise SourceFault(f"sends a file with SHA-256 {digest[:16]}..., not {source.sha256[:16]}")
    partial.finish()
