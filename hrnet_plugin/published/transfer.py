"""One file from one server into a partial file: continued where it stopped, given up where the server is no good."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from ..version import __version__
from .partial import Partial

if TYPE_CHECKING:
    from requests import Response, Session

#: No published network comes near it: a server that sends more sends something else.
LARGEST = 8 << 30
_PIECE = 1 << 18
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class SourceFault(Exception):
    """Why a server's file cannot be had; the text is for the user. What has arrived is kept."""


class ConnectionCut(SourceFault):
    """The connection ended before the file did: worth asking the same server again for the rest."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Args:
        connect: Seconds until it takes the connection.
        silence: Seconds without a byte.
        window, least: It must send `least` bytes in every `window` seconds.
        attempts: How often it is asked for the rest after a cut, as long as every answer brings something.
    """

    connect: float = 10.0
    silence: float = 30.0
    window: float = 60.0
    least: int = 1 << 16
    attempts: int = 5


class Listener:
    """Is told how a download goes; does nothing itself."""

    def waiting(self, file_name: str) -> None:
        """Another process is fetching the same file."""

    def begins(self, url: str, have: int, total: int | None) -> None:
        """A server begins to send; `have` bytes are here already, `total` is the length of the whole."""

    def received(self, count: int) -> None:
        """So many bytes more."""

    def ends(self) -> None:
        """The server sends no more."""

    def gives_up(self, url: str, reason: str) -> None:
        """A server could not deliver."""


def new_session() -> Session:
    """A connection keeper that speaks http and https and nothing else, wherever it is redirected to."""
    import requests

    session = requests.Session()
    session.max_redirects = 5
    session.headers["User-Agent"] = f"hrnet_plugin/{__version__}"
    # What is compressed on the way cannot be continued by counting bytes.
    session.headers["Accept-Encoding"] = "identity"
    return session


def transfer(session: Session, url: str, partial: Partial, patience: Patience, listener: Listener) -> None:
    """Let `partial` hold the whole file of `url`, as far as lengths can tell.

    Raises:
        SourceFault: the server does not deliver it.
        OSError: it cannot be written.
    """
    for attempt in range(1, patience.attempts + 1):
        had = partial.size
        try:
            return _ask(session, url, partial, patience, listener)
        except ConnectionCut:
            if partial.size <= had or attempt == patience.attempts:
                raise


def _ask(session: Session, url: str, partial: Partial, patience: Patience, listener: Listener) -> None:
    have, headers = partial.continue_from(url)
    with _explained(patience):
        answer = session.get(url, headers=headers, stream=True, timeout=(patience.connect, patience.silence))
    with answer:
        begin, total = _read_head(answer, url)
        if begin == 0:
            partial.discard()  # the server sends all of it, asked to or not
        elif begin != have or not partial.belongs_to(total):
            partial.discard()  # another file than the one that was begun
            return _ask(session, url, partial, patience, listener)
        if begin == total:
            return  # nothing was missing but the check
        if total is None and not partial.whole_is_checked:
            raise SourceFault("tells no length, and no hash was published")
        partial.remember(url, _version(answer), total)
        listener.begins(url, begin, total)
        try:
            _receive(answer, partial, total, patience, listener)
        finally:
            listener.ends()


def _read_head(answer: Response, url: str) -> tuple[int | None, int | None]:
    """Where the answer begins in the file, and the length of the whole; None each where it does not say."""
    if urlparse(url).scheme == "https" and urlparse(answer.url).scheme != "https":
        raise SourceFault(f"redirects to an unprotected address, {answer.url}")
    asked = "Range" in answer.request.headers
    if answer.status_code not in ((200, 206, 416) if asked else (200,)):
        raise SourceFault(f"{answer.status_code} {answer.reason}".strip())
    if answer.status_code == 200:
        if "html" in answer.headers.get("Content-Type", ""):
            raise SourceFault("sends a web page")
        begin, length = "0", answer.headers.get("Content-Length", "")
    else:
        found = _RANGE.match(answer.headers.get("Content-Range", ""))
        begin, length = (found[1], found[2]) if found else (None, "")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise SourceFault("sends it compressed")
    total = int(length) if length.isdigit() else None
    if total is not None and total > LARGEST:
        raise SourceFault(f"sends {total} bytes, more than any network has")
    if total == 0:
        raise SourceFault("sends an empty file")
    if answer.status_code == 416:
        return total, total
    return (None if begin is None else int(begin)), total


def _version(answer: Response) -> str | None:
    etag = answer.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified")


def _receive(answer: Response, partial: Partial, total: int | None, patience: Patience, listener: Listener) -> None:
    since, in_window = time.monotonic(), 0
    with partial.open() as file:
        for piece in _pieces(answer, patience, total is not None):
            file.write(piece)
            listener.received(len(piece))
            if file.tell() > LARGEST:
                raise SourceFault(f"sends more than {LARGEST} bytes")
            in_window += len(piece)
            if time.monotonic() - since > patience.window:
                if in_window < patience.least:
                    raise SourceFault(f"too slow ({in_window} bytes in {patience.window:g} s)")
                since, in_window = time.monotonic(), 0
    if total is not None and partial.size < total:
        raise ConnectionCut(f"connection cut after {partial.size} of {total} bytes")
    if total is not None and partial.size > total:
        partial.discard()
        raise SourceFault(f"sends more than the {total} bytes that it announced")


def _pieces(answer: Response, patience: Patience, has_length: bool) -> Iterator[bytes]:
    """What has arrived, without waiting for more: a server that drips must not hold up the count of its bytes."""
    read = getattr(answer.raw, "read1", None) or answer.raw.read  # urllib3 1 has only the latter
    while True:
        try:
            with _explained(patience):
                piece = read(_PIECE, decode_content=False)
        except ConnectionCut:
            if not has_length:  # otherwise the length tells, with both numbers
                raise
            return
        if not piece:
            return
        yield piece


@contextlib.contextmanager
def _explained(patience: Patience) -> Iterator[None]:
    """Turns what requests, urllib3 and the socket raise into a SourceFault."""
    import requests
    from urllib3 import exceptions as low

    try:
        yield
    except (requests.ConnectTimeout, low.ConnectTimeoutError) as error:
        raise SourceFault(f"no connection within {patience.connect:g} s") from error
    except (requests.Timeout, low.TimeoutError, TimeoutError) as error:
        raise SourceFault(f"silent for {patience.silence:g} s") from error
    except requests.TooManyRedirects as error:
        raise SourceFault("redirects in a circle") from error
    except (requests.exceptions.ChunkedEncodingError, low.ProtocolError) as error:
        raise ConnectionCut(f"connection cut ({_cause(error)})") from error
    except (requests.RequestException, low.HTTPError, OSError) as error:
        raise SourceFault(f"no connection ({_cause(error)})") from error


def _cause(error: BaseException) -> str:
    """The system's own word for what went wrong, from the innermost error that has one."""
    words, current = "", error
    while current is not None:
        if isinstance(current, OSError) and current.strerror and isinstance(current.errno, int):
            words = current.strerror
        current = current.__cause__ or current.__context__
    return words or " ".join(str(error).split())[:120] or type(error).__name__
