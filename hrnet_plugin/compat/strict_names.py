"""A narrower list of names than torch's own, and tuples of bounded depth, while we read a checkpoint.

`torch.load(weights_only=True)` runs no code, and lets a file of 400 bytes fill the memory: see `saved_containers`.
Sparse, quantised, nested and meta tensors, of which no weights of ours consist, lead there, too. And a key that is a
tuple in a tuple, a million deep, ends the process: Python follows all of it on the machine's stack to hash it. So while
:func:`narrow` is entered, torch's reader sees our list; whatever else is read in the process sees torch's.
"""

from __future__ import annotations

import contextlib
import functools
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar

from . import saved_containers as saved

_NARROWED = ContextVar("hrnet_plugin_narrowed_names", default=False)
#: What stands for a name that torch allows; torch's types of numbers and of storages stand for themselves.
_STAND_INS: Mapping[str, object] = {
    "builtins.bytearray": saved.byte_array,
    "builtins.complex": complex,
    "builtins.set": saved.plain_set,
    "collections.Counter": saved.counter,
    "collections.OrderedDict": saved.ordered_dict,
    "_codecs.encode": saved.encoded,
    "torch.Size": saved.size,
    "torch.device": saved.device,
    "torch.Tensor": saved.no_tensor,
    "torch._tensor._rebuild_from_type_v2": saved.rebuild_from_type,
    "torch._utils._rebuild_parameter": saved.rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": saved.rebuild_parameter,
    "torch._utils._rebuild_tensor": saved.rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": saved.rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": saved.rebuild_tensor_v3,
}
#: Of a tuple, with the tuples in it, each as often as it stands there: saved states have 3 and a few thousand.
_DEEPEST, _LONGEST = 100, 10**6
#: Bytes that are read at once.
_PIECE = 2**20


@contextlib.contextmanager
def narrow() -> Iterator[None]:
    """Within it, and in this thread alone, `torch.load(weights_only=True)` takes our names only."""
    _stand_before_torchs_list()
    token = _NARROWED.set(True)
    try:
        yield
    finally:
        _NARROWED.reset(token)


def _stand_before_torchs_list() -> None:
    """Once in a process. A torch that keeps its list elsewhere is left as it is."""
    from torch import _weights_only_unpickler as reader

    theirs = getattr(reader, "_get_allowed_globals", None)
    if theirs is not None and not hasattr(theirs, "narrowed"):
        reader._get_allowed_globals = _chosen(theirs)
        reader._get_user_allowed_globals = _without_torchs(reader._get_user_allowed_globals)
        reader.Unpickler = _watching(reader.Unpickler)


def _chosen(theirs: Callable[[], Mapping[str, object]]) -> Callable[[], Mapping[str, object]]:
    @functools.cache
    def narrowed() -> Mapping[str, object]:
        return _narrowed(theirs())

    def allowed() -> Mapping[str, object]:
        return narrowed() if _NARROWED.get() else theirs()

    allowed.narrowed = narrowed
    return allowed


def _without_torchs(theirs: Callable[[], Mapping[str, object]]) -> Callable[[], Mapping[str, object]]:
    """What `add_safe_globals` has allowed, without what torch's own modules have: nested and distributed tensors."""

    def allowed() -> Mapping[str, object]:
        added = theirs()
        return {name: one for name, one in added.items() if name[:6] != "torch."} if _NARROWED.get() else added

    return allowed


def _narrowed(theirs: Mapping[str, object]) -> Mapping[str, object]:
    import torch

    kinds = (torch.dtype, torch.serialization.StorageType)
    storages = (torch.storage.TypedStorage, torch.storage.UntypedStorage)
    kept = {name: value for name, value in theirs.items() if isinstance(value, kinds) or value in storages}
    return kept | {name: value for name, value in _STAND_INS.items() if name in theirs}


def _watching(theirs: type) -> type:
    """torch's reader, with a look at each tuple before the next step of the file, which may hash it."""

    class Unpickler(theirs):
        def __init__(self, file: object, **options: object):
            super().__init__(file, **options)
            if _NARROWED.get():
                self.read = _Tuples(self).read

    return Unpickler


class _Tuples:
    """How deep and how long the tuples are that a reader has made."""

    def __init__(self, reader: object):
        self._reader, self._read = reader, reader.read
        self._known: dict[int, tuple[tuple, int, int]] = {}

    def read(self, count: int) -> bytes:
        """What torch asks for: one byte at the least before each step."""
        stack = getattr(self._reader, "stack", None)
        if stack and type(stack[-1]) is tuple and id(stack[-1]) not in self._known:
            self._measure(stack[-1])
        if count <= _PIECE:
            return self._read(count)
        # Python makes room for all that it is asked for, and the file may ask for 4 GB that are not in it.
        pieces, left = [], count
        while left and (piece := self._read(min(left, _PIECE))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def _measure(self, made: tuple) -> None:
        inner = [self._known[id(item)][1:] for item in made if id(item) in self._known]
        depth = 1 + max((depth for depth, _ in inner), default=0)
        length = len(made) + sum(length for _, length in inner)
        if depth > _DEEPEST or length > _LONGEST:
            raise pickle.UnpicklingError(f"GLOBAL builtins.tuple was refused: {depth} deep, {length} long")
        self._known[id(made)] = (made, depth, length)  # with the tuple, so that its id stays its own
