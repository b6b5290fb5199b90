"""Which format a checkpoint is of."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import CheckpointError, ConfigError, nearest
from ..contents import Contents
from .formats import FORMATS, Format


def recognise(contents: Contents) -> Format:
    """The format of a checkpoint, by its keys.

    Raises:
        CheckpointError: it is of none that is known.
    """
    keys = list(contents.weights)
    for known in FORMATS.values():
        if known.fits(keys):
            return known
    raise CheckpointError(
        f"checkpoint {contents.source}",
        found=f"{len(keys)} weights such as {_samples(keys)}",
        expected="an HRNet or Lite-HRNet as one of these writes it: " + ", ".join(FORMATS),
    )


def find_format(name: str) -> Format:
    """A format by name.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in FORMATS:
        raise ConfigError("format", found=repr(name), expected="a known format", do=nearest(name, FORMATS))
    return FORMATS[name]


def _samples(keys: Iterable[str]) -> str:
    return ", ".join(list(keys)[:3])
