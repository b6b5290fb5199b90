"""What network a checkpoint holds, in the words of an error message."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from ...archs import HRNetSpec
from ...errors import CheckpointError
from ..contents import Contents
from ..conversion.recognition import recognise
from ..conversion.structure import read_spec

_BACKBONE = "backbone."


def describe_weights(contents: Contents) -> str:
    """The network of a checkpoint in a few words, such as `an HRNet of widths 48, 96, 192, 384`.

    Where it is written in another project's way, the words say so and how to convert it.
    """
    return f"{_network(contents.weights)}{_writer(contents)}"


def _network(weights: Mapping[str, Tensor]) -> str:
    prefix = _BACKBONE if any(key.startswith(_BACKBONE) for key in weights) else ""
    shapes = {key.removeprefix(prefix): tuple(value.shape) for key, value in weights.items() if key.startswith(prefix)}
    try:
        spec = read_spec(shapes)
    except (CheckpointError, ValueError):
        return f"{len(weights)} weights such as {', '.join(list(weights)[:3])}"
    if isinstance(spec, HRNetSpec):
        return f"an HRNet of widths {_listed(branch.width for branch in spec.stages[-1].branches)}"
    return f"a Lite-HRNet of widths {_listed(spec.stages[-1].channels)}"


def _listed(numbers: object) -> str:
    return ", ".join(map(str, numbers))


def _writer(contents: Contents) -> str:
    """Nothing where the keys are ours, or those of a framework that takes our backbone."""
    try:
        known = recognise(contents)
    except CheckpointError:
        return ""
    if known.is_ours or known.name == "backbone":
        return ""
    return f" as {known.name} writes it (`hrnet convert` changes that)"
