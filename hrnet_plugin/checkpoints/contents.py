"""The weights in a checkpoint, whoever wrote it: found in their container, without the prefixes of wrappers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from ..compat.checkpoint_reading import read_checkpoint
from ..errors import CheckpointError

#: Where weights stand in a checkpoint: mmengine, the authors' repositories, timm and Lightning; others' training loops.
_CONTAINERS = ("state_dict", "model", "model_state_dict", "net", "network")
#: What wrappers put in front of every key: DataParallel, torch.compile, the authors' segmentation training.
_WRAPPERS = ("module.", "_orig_mod.", "model.")


@dataclass(frozen=True)
class Contents:
    """What a checkpoint holds.

    Args:
        source: The checkpoint, as the user named it.
        weights: Tensors by key, in the order of the file, less `prefix`.
        meta: What was written about them; empty where nothing was.
        container: The entry in which the weights stood; '' where the file is the weights alone.
        prefix: What stood in front of every key, such as `module.`; '' where nothing did.
        others: Names of the other entries, such as `optimizer`.
        versions: What torch keeps beside the weights of each module's version, by the module's path.
    """

    source: str
    weights: Mapping[str, Tensor]
    meta: Mapping = field(default_factory=dict)
    container: str = ""
    prefix: str = ""
    others: tuple[str, ...] = ()
    versions: Mapping[str, Mapping] = field(default_factory=dict)


def read_contents(path: str | Path) -> Contents:
    """The contents of a checkpoint file, on the CPU.

    Raises:
        CheckpointError: the file is missing, broken, asks to run code, or holds no weights.
    """
    return contents_of(read_checkpoint(path), str(path))


def contents_of(checkpoint: object, source: str) -> Contents:
    """The contents of a checkpoint that has been read.

    Args:
        checkpoint: What `torch.load` gave.
        source: What it is called in errors.

    Raises:
        CheckpointError: it holds no weights.
    """
    container, weights = _find_weights(checkpoint)
    if not weights:
        raise CheckpointError(
            f"checkpoint {source}", found=_described(checkpoint), expected="weights by key (state_dict)"
        )
    prefix = _common_prefix(weights)
    others = () if not container else tuple(str(name) for name in checkpoint if name not in (container, "meta"))
    meta = checkpoint.get("meta") if container else None
    return Contents(
        source=source,
        weights={key.removeprefix(prefix): value for key, value in weights.items()},
        meta=meta if isinstance(meta, Mapping) else {},
        container=container,
        prefix=prefix,
        others=others,
        versions=_versions(checkpoint[container] if container else checkpoint, prefix),
    )


def _find_weights(checkpoint: object) -> tuple[str, dict[str, Tensor]]:
    """The container's name and the tensors in it; entries of another kind beside them are no weights."""
    if not isinstance(checkpoint, Mapping):
        return "", {}
    for name in _CONTAINERS:
        inner = checkpoint.get(name)
        if isinstance(inner, Mapping) and (weights := _tensors(inner)):
            return name, weights
    return "", _tensors(checkpoint)


def _tensors(node: Mapping) -> dict[str, Tensor]:
    return {str(key): value for key, value in node.items() if isinstance(value, Tensor)}


def _versions(weights: Mapping, prefix: str) -> dict[str, Mapping]:
    """torch's `_metadata`, in which the wrappers have paths of their own."""
    said = getattr(weights, "_metadata", None)
    if not isinstance(said, Mapping):
        return {}
    wrapped = {f"{path}.".removeprefix(prefix).removesuffix("."): value for path, value in said.items()}
    return {path: value for path, value in wrapped.items() if isinstance(value, Mapping)}


def _common_prefix(weights: Mapping[str, Tensor]) -> str:
    """All wrappers around the whole network, outermost first."""
    prefix = ""
    while True:
        for wrapper in _WRAPPERS:
            if all(key.startswith(prefix + wrapper) for key in weights):
                prefix += wrapper
                break
        else:
            return prefix


def _described(checkpoint: object) -> str:
    if isinstance(checkpoint, Mapping):
        return f"a dict with {', '.join(map(str, list(checkpoint)[:5])) or 'no keys'}"
    return f"a {type(checkpoint).__name__}"
