"""What came out of a checkpoint: made plain, and held against the size of its file.

A zip of 10 MB may unpack to 10 GB. A tensor may have a shape of 10^12 numbers on a storage of one. A list may hold a
list twice, and that another one twice, and so on: a few hundred bytes that nothing can walk to its end. A checkpoint
that is many times as large as its file was made to be so.
"""

from __future__ import annotations

import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..errors import CheckpointError
from .saved_values import SavedArguments, SavedArray, SavedDtype

#: How much more than its file a checkpoint may hold: packed zeros, weights that share their numbers.
_TIMES, _BEYOND = 16, 64 * 2**20
_LEAF = 1
_UNITS = ((9, "GB"), (6, "MB"), (3, "kB"))
_INSIDE = object()


def check_archive(path: Path, name: str) -> None:
    """Refuses a zip file whose parts unpack to far more than the file holds; other files pass.

    Args:
        path: The file.
        name: What it is called in errors.

    Raises:
        CheckpointError: it does.
        zipfile.BadZipFile: its list of parts is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    _check_size(name, unpacked, path.stat().st_size, "parts that unpack to")


def plain_content(checkpoint: object, name: str, size: int) -> object:
    """A checkpoint with ordinary arrays, dtypes and options in it; dicts and lists are changed in place.

    Args:
        checkpoint: What was read.
        name: What it is called in errors.
        size: Of its file, in bytes.

    Raises:
        CheckpointError: it is far larger than its file.
        RecursionError: it contains itself, or is nested too deep.
        TypeError, ValueError: it holds a tensor without numbers of its own.
    """
    content = _Content()
    checkpoint, held = content.plain(checkpoint)
    _check_size(name, held, size, "content of")
    return checkpoint


def _check_size(name: str, held: int, size: int, what: str) -> None:
    if held > _TIMES * size + _BEYOND:
        raise CheckpointError(
            f"checkpoint {name}",
            found=f"{what} {_amount(held)} in a file of {_amount(size)}",
            expected=f"at most {_TIMES} times its size",
            do="It was made to fill the memory; get it from somewhere else",
        )


def _amount(size: int) -> str:
    power, unit = next((step for step in _UNITS if size >= 10 ** step[0]), _UNITS[-1])
    return f"{size / 10**power:,.1f} {unit}"


class _Content:
    """Walks a checkpoint once, whatever is held twice, and adds up what it would be if each were there as a copy."""

    def __init__(self):
        self._seen: dict[int, tuple[object, object, int]] = {}

    def plain(self, value: object) -> tuple[object, int]:
        """A value made plain, and its size: bytes of tensors and text, and one for everything else."""
        if isinstance(value, SavedArguments):
            value = value.content
        if not isinstance(value, (dict, list, tuple)):
            return _plain_leaf(value)
        known = self._seen.get(id(value))
        if known is None:
            self._seen[id(value)] = (value, _INSIDE, 0)
            known = self._seen[id(value)] = (value, *self._walked(value))
        if known[1] is _INSIDE:
            raise RecursionError("it contains itself")
        return known[1:]

    def _walked(self, value: dict | list | tuple) -> tuple[object, int]:
        if isinstance(value, dict):
            if type(value) is OrderedDict:
                _drop_attributes(value)
            held = sum(self.plain(key)[1] for key in value)
            for key, item in value.items():
                value[key], size = self.plain(item)
                held += size
            return value, held + _LEAF
        items = [self.plain(item) for item in value]
        held = sum(size for _, size in items) + _LEAF
        if isinstance(value, list):
            value[:] = [item for item, _ in items]
            return value, held
        return (tuple(item for item, _ in items) if type(value) is tuple else value), held


def _plain_leaf(value: object) -> tuple[object, int]:
    import torch

    if isinstance(value, SavedArray):
        return np.array(value), value.nbytes + _LEAF
    if isinstance(value, SavedDtype):
        return value.dtype, _LEAF
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided:
            raise TypeError(f"a tensor of layout {value.layout}")
        return value, value.numel() * value.element_size() + _LEAF
    if isinstance(value, (str, bytes, bytearray)):
        return value, len(value) + _LEAF
    return value, (len(value) if isinstance(value, (set, frozenset)) else 0) + _LEAF


def _drop_attributes(value: OrderedDict) -> None:
    """Attributes that a file gives to a dict hide its methods (`items`); torch's `_metadata` alone has a meaning."""
    attributes = vars(value)
    for name in [name for name in attributes if name != "_metadata"]:
        del attributes[name]
