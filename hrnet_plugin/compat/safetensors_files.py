"""Weights in safetensors, a format that can hold nothing but tensors and text, as the checkpoints they stand for.

mmengine 0.10.7 knows no such files. :func:`checkpoint_reading.read_checkpoint` hands them on to here, so that every
loader of the four frameworks takes them. A file counts as one by its suffix or by its first bytes.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointError, MissingDependency

if TYPE_CHECKING:
    from torch import Tensor

SUFFIX = ".safetensors"
#: The header's entry for `meta`. It is the only one: the library writes several in a random order.
_META = "meta"
_LONGEST_HEADER = 100_000_000  # bytes, the format's own limit
#: Inside that entry: torch's versions of modules, by which a framework tells new weights from old ones to be changed.
_VERSIONS = "__versions__"
#: What JSON has no form for.
_TUPLE, _ITEMS = "__tuple__", "__items__"


def is_safetensors(path: str | Path) -> bool:
    """Whether a file is to be read as safetensors: by its suffix, or by the length and the brace that it starts with.

    Raises:
        OSError: it cannot be read.
    """
    if Path(path).suffix == SUFFIX:
        return True
    with open(path, "rb") as file:
        start = file.read(10)
    return 2 <= int.from_bytes(start[:8], "little") <= _LONGEST_HEADER and start[8:] == b'{"'


def check_safetensors(path: str | Path) -> None:
    """Check that a file is whole, without reading its tensors.

    Raises:
        CheckpointError: it is truncated, or its header is broken.
        MissingDependency: the package `safetensors` is not installed.
    """
    with _opened(path, "cpu"):
        pass


def read_safetensors(path: str | Path, map_location: object = "cpu") -> dict:
    """The tensors of a file as `state_dict`, the text of its header as `meta`.

    Args:
        path: The file.
        map_location: As in `torch.load`; a function is not called, the tensors stay on the CPU.

    Returns:
        A checkpoint as `torch.save` would have kept it, the keys of `state_dict` in the order of the file.

    Raises:
        CheckpointError: it is truncated, or its header is broken.
        MissingDependency: the package `safetensors` is not installed.
    """
    if isinstance(map_location, Mapping):
        map_location = map_location.get("cpu", "cpu")
    device = "cpu" if map_location is None or callable(map_location) else str(map_location)
    with _opened(path, device) as file:
        meta = _read_meta(file.metadata() or {})
        versions = meta.pop(_VERSIONS, None)
        weights = OrderedDict((key, file.get_tensor(key)) for key in file.keys())  # noqa: SIM118 - no mapping
        if isinstance(versions, Mapping):
            weights._metadata = OrderedDict(versions)
        return {"state_dict": weights, "meta": meta}


def safetensors_bytes(
    weights: Mapping[str, Tensor], meta: Mapping, versions: Mapping[str, Mapping] | None = None
) -> bytes:
    """What a file of these weights holds; the same for the same content.

    Args:
        weights: Tensors by key, contiguous, no two sharing memory.
        meta: Plain values, as :func:`plain_meta` gives them.
        versions: What torch keeps beside a state dict of each module's version, by the module's path (`_metadata`).

    Raises:
        MissingDependency: the package `safetensors` is not installed.
    """
    _require()
    from safetensors.torch import save

    said = {**meta, _VERSIONS: dict(versions)} if versions else meta
    return save(dict(weights), metadata={_META: _to_text(said)})


def plain_meta(meta: Mapping) -> dict:
    """A copy of a checkpoint's `meta` in dicts, lists, tuples, numbers and words, none of them shared with anything.

    Arrays become lists of numbers, sets sorted lists, whatever else there is its text.
    """
    return _from_text(_to_text(meta))


@contextmanager
def _opened(path: str | Path, device: str) -> Iterator:
    _require()
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(Path(path), framework="pt", device=device) as file:
            yield file
    except SafetensorError as error:
        size = Path(path).stat().st_size
        raise CheckpointError(
            f"checkpoint {path}",
            found=f"{size} bytes that are truncated or no safetensors ({error})" if size else "an empty file",
            expected=f"a whole {SUFFIX} file",
            do="Copy or download it again",
        ) from error


def _require() -> None:
    try:
        import safetensors  # noqa: F401
    except ModuleNotFoundError:
        raise MissingDependency(
            "package safetensors",
            found="not installed",
            expected=f"it, for {SUFFIX} files",
            do="pip install safetensors",
        ) from None


def _read_meta(entries: Mapping[str, str]) -> dict:
    """Our own entry opened; the entries of others are text and stay it."""
    meta: dict = {key: text for key, text in entries.items() if key != _META}
    if _META in entries:
        try:
            own = _from_text(entries[_META])
        except (ValueError, TypeError, RecursionError):  # another program's entry of the same name
            own = None
        meta |= own if isinstance(own, dict) else {_META: entries[_META]}
    return meta


def _to_text(meta: Mapping) -> str:
    return json.dumps(_marked(meta), ensure_ascii=False, separators=(",", ":"))


def _from_text(text: str) -> object:
    return json.loads(text, object_hook=_unmarked)


def _marked(value: object) -> object:
    """The value in what JSON can hold; tuples and dicts whose keys are no text under a mark."""
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {str(key): _marked(item) for key, item in value.items()}
        return {_ITEMS: [[_marked(key), _marked(item)] for key, item in value.items()]}
    if isinstance(value, tuple):
        return {_TUPLE: [_marked(item) for item in value]}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [_marked(item) for item in sorted(value, key=str)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return _marked(value.tolist()) if hasattr(value, "tolist") else str(value)


def _unmarked(node: dict) -> object:
    if node.keys() == {_TUPLE}:
        return tuple(node[_TUPLE])
    if node.keys() == {_ITEMS}:
        return dict(node[_ITEMS])
    return node
