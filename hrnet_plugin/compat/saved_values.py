"""What the allowed names in a checkpoint stand for: each builds plain data out of checked arguments, or refuses.

torch's restricted unpickler calls these in place of the functions that the file names. None of them imports, looks
up or calls anything that the file chooses.
"""

from __future__ import annotations

import argparse
import math
import re

import numpy as np

from .saved_containers import require

_STATISTICS = ("min", "max", "current", "mean")
# Booleans, integers, floats and complex numbers, by their size in bytes.
_NUMBER = re.compile(r"[biufc]\d{1,2}")


class SavedDtype:
    """A dtype of numbers, read from a checkpoint (`numpy.dtype`).

    Attributes:
        dtype: The dtype itself.
    """

    def __init__(self, code: str, align: bool = False, copy: bool = True):
        require(
            isinstance(code, str) and _NUMBER.fullmatch(code) is not None, "numpy.dtype", f"{code!r} is no number type"
        )
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        require(
            isinstance(state, tuple)
            and len(state) >= 5
            and state[1] in ("<", ">", "|")
            and state[2:5] == (None, None, None),
            "numpy.dtype",
            "it has fields or parts",
        )
        if state[1] != "|":
            self.dtype = self.dtype.newbyteorder(state[1])

    def __reduce__(self):
        return np.dtype, (self.dtype.str,)


class SavedArray(np.ndarray):
    """An array of numbers, read from a checkpoint (`numpy.ndarray`); `checkpoint_content` makes it an ordinary one."""

    def __new__(cls) -> SavedArray:
        return super().__new__(cls, (0,), np.uint8)

    def __setstate__(self, state: tuple) -> None:
        require(isinstance(state, tuple) and len(state) == 5, "numpy.ndarray", "its state is not one of an array")
        _, shape, dtype, fortran, data = state
        require(isinstance(dtype, SavedDtype), "numpy.ndarray", "its dtype is not one of numbers")
        require(
            isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape),
            "numpy.ndarray",
            f"{shape!r} is no shape",
        )
        size = math.prod(shape) * dtype.dtype.itemsize
        require(isinstance(data, bytes) and len(data) == size, "numpy.ndarray", "its data does not fill its shape")
        super().__setstate__((1, shape, dtype.dtype, bool(fortran), data))

    def __reduce__(self):
        return np.array(self).__reduce__()


def rebuild_array(kind: type, shape: tuple, code: bytes) -> SavedArray:
    """The empty array that a saved one starts from (`numpy.core.multiarray._reconstruct`)."""
    require(kind is SavedArray, "numpy.core.multiarray._reconstruct", "it asks for something else than an array")
    return SavedArray()


def rebuild_scalar(dtype: SavedDtype, data: bytes) -> np.generic:
    """One number (`numpy.core.multiarray.scalar`)."""
    name = "numpy.core.multiarray.scalar"
    require(isinstance(dtype, SavedDtype) and isinstance(data, bytes), name, "it asks for something else than a number")
    require(len(data) == dtype.dtype.itemsize, name, "its data is not one number")
    return np.frombuffer(data, dtype.dtype)[0]


def empty_bytes(*content: object) -> bytes:
    """No bytes at all, the data of an empty array (`builtins.bytes`, by which Python 3 saves them for Python 2)."""
    require(not content, "builtins.bytes", "it is allowed without arguments only")
    return b""


class SavedHistory:
    """A log history of mmengine, which it becomes once its content is checked (`HistoryBuffer`).

    The real class takes a table of functions from the file and writes it into itself; here that table is dropped.
    """

    def __setstate__(self, state: dict) -> None:
        name = "mmengine.logging.history_buffer.HistoryBuffer"
        require(isinstance(state, dict), name, "its state is not one of a log history")
        length, logs, counts = (state.get(key) for key in ("max_length", "_log_history", "_count_history"))
        require(
            type(length) is int and isinstance(logs, SavedArray) and isinstance(counts, SavedArray),
            name,
            "its state is not one of a log history",
        )
        require(logs.ndim == 1 and logs.shape == counts.shape, name, "its logs and counts differ in length")
        self.max_length, self._log_history, self._count_history = length, np.array(logs), np.array(counts)
        try:
            from mmengine.logging.history_buffer import HistoryBuffer
        except ModuleNotFoundError:
            # Converters may read such a checkpoint for its weights without mmengine.
            return
        self.__class__ = HistoryBuffer
        self._set_default_statistics()


def statistic_name(owner: type, name: str) -> str:
    """The name of a log history's own statistic (`builtins.getattr`, by which it was saved).

    The table that it fills is dropped by :class:`SavedHistory`, so the name does.
    """
    require(
        owner is SavedHistory and isinstance(name, str) and name in _STATISTICS,
        "builtins.getattr",
        "only mmengine's log history may use it, for its own statistics",
    )
    return name


class SavedArguments:
    """The options of a command (`argparse.Namespace`), as timm keeps them; `checkpoint_content` makes them a dict.

    Attributes:
        content: The options by name.
    """

    __hash__ = None

    def __new__(cls, *content: object) -> SavedArguments:
        require(not content, "argparse.Namespace", "its options are not in the file")
        made = super().__new__(cls)
        made.content = {}
        return made

    def __setstate__(self, state: dict) -> None:
        fits = type(state) is dict and all(type(name) is str for name in state)
        require(fits, "argparse.Namespace", "its state is not one of options")
        self.content = state

    def __reduce__(self):
        return argparse.Namespace, (), self.content
