"""Whether a network's weights are all there: none missing, none too many, none of another shape."""

from __future__ import annotations

from torch import Tensor

from ...archs import HRNetSpec
from .expected import COUNTER, Spec, backbone_shapes, shapes_of
from .heads import head_shapes
from .report import MISMATCH, MISSING, UNEXPECTED

BACKBONE = "backbone."
_STATISTICS = ("running_mean", "running_var")


def find_problems(weights: dict[str, Tensor], spec: Spec) -> dict[str, tuple[str, str]]:
    """What is wrong with our weights: a kind and a note by key, in the order of the weights, missing ones last.

    Counters of batches may be missing, as they are in files of torch before 0.4.1.

    Args:
        weights: A whole model's, by our names.
        spec: Its backbone.
    """
    shapes = shapes_of(weights)
    inner = shapes_of(weights, BACKBONE)
    expected = {BACKBONE + key: shape for key, shape in backbone_shapes(spec, inner).items()}
    heads, names = head_shapes(_channels(spec), shapes)
    expected |= heads
    expected |= {key: shape for key, shape in _norm_shapes(shapes).items() if key not in expected}
    problems: dict[str, tuple[str, str]] = {}
    for key, shape in shapes.items():
        if key not in expected:
            if key.startswith((BACKBONE, *names)):
                problems[key] = UNEXPECTED, "the network has no such weight"
        elif shape != expected[key]:
            problems[key] = MISMATCH, f"{_text(shape)} where the network has {_text(expected[key])}"
    for key, shape in expected.items():
        if key not in shapes and not key.endswith(COUNTER):
            problems[key] = MISSING, _text(shape)
    return problems


def _channels(spec: Spec) -> tuple[int, ...]:
    return spec.out_channels if isinstance(spec, HRNetSpec) else spec.branch_channels[:1]


def _norm_shapes(shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """All of a batch norm's weights where one of its statistics is there, for parts that are not known."""
    found: dict[str, tuple[int, ...]] = {}
    for key, shape in shapes.items():
        norm, _, name = key.rpartition(".")
        if name in _STATISTICS and not key.startswith(BACKBONE):
            found |= {f"{norm}.{part}": shape for part in _STATISTICS}
            if f"{norm}.weight" in shapes or f"{norm}.bias" in shapes:  # a norm may be without both
                found |= {f"{norm}.{part}": shape for part in ("weight", "bias")}
    return found


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"
