"""What a source of weights means: `hrnet://NAME`, a URL, or a path that is none of the store's business."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

from ..errors import ConfigError
from ..locations import project_dir
from .hashes import hash_in_name, is_digest
from .index import find_weights_row, read_index

SCHEME = "hrnet"
_PREFIX = f"{SCHEME}://"
_FETCHABLE = ("http", "https")


@dataclass(frozen=True)
class Source:
    """Weights that the store can hold.

    Args:
        asked: As they were asked for.
        url: Where they were published.
        file_name: Under which the store keeps them.
        sha256: Their SHA-256 or its first digits; '' where none is known.
    """

    asked: str
    url: str
    file_name: str
    sha256: str = ""

    @property
    def name(self) -> str:
        """What `hrnet zoo fetch` calls them: the name in the zoo, or the URL."""
        return self.asked.removeprefix(_PREFIX)

    @property
    def fetchable(self) -> bool:
        """Whether they can be downloaded."""
        return urlparse(self.url).scheme in _FETCHABLE


def is_remote(source: str) -> bool:
    """Whether `source` is not simply a path."""
    return "://" in source


def is_named(source: str) -> bool:
    """Whether `source` is `hrnet://NAME`."""
    return source.startswith(_PREFIX)


def find_source(asked: str, configs: Path | None = None) -> Source:
    """The weights behind `hrnet://NAME` or a URL.

    Args:
        asked: As a config or the command line names them.
        configs: The folder of the configs with the index; by default that of this installation.

    Raises:
        ConfigError: no weights of that name in the zoo (suggests the nearest), none that were published, a hash in the
            index that is none, or a URL that names no file.
    """
    if not is_named(asked):
        return _from_url(asked, asked)
    return _from_index(asked, configs or project_dir("configs"))


@cache
def _from_index(asked: str, configs: Path) -> Source:
    name = asked.removeprefix(_PREFIX)
    try:
        weights = find_weights_row(name, configs)
    except ConfigError:
        if name in {model.name for model in read_index(configs)}:
            found = "a model without published weights"
            raise ConfigError(
                f"weights {name!r}", found=found, expected="one that `hrnet zoo list` has weights of"
            ) from None
        raise
    if weights.sha256 and not is_digest(weights.sha256):
        raise ConfigError(
            f"the index of the zoo: SHA256 of {name}", found=repr(weights.sha256), expected="8 to 64 hexadecimal digits"
        )
    return _from_url(asked, weights.url, weights.sha256)


def _from_url(asked: str, url: str, sha256: str = "") -> Source:
    parts = urlparse(url)
    path = parts.path if parts.scheme in _FETCHABLE else url.partition("://")[2]
    file_name = PurePosixPath(path).name
    # A name that begins with a dot is a folder's or one of the store's own hidden files.
    if not file_name or file_name.startswith(".") or "\\" in file_name:
        raise ConfigError(
            f"weights {asked}", found="no file name at the end", expected="a URL such as https://host/a.pth"
        )
    return Source(asked, url, file_name, sha256.lower() or hash_in_name(file_name))
