"""The weights of necks and heads, by name and shape, where a sign among the keys says which it is.

What stands under the names of a known part and is not among its weights is unexpected; parts that are not known here
(the heads of detectors) may hold anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from ...errors import CheckpointError
from ...nets import HRFPN, ClassificationFusion
from .dense_heads import fcn_shapes, higher_shapes, ocr_shapes, row_shapes
from .formats.rules import fits_any, match
from .structure import Shapes, check_numbers


@dataclass(frozen=True)
class Part:
    """A neck or a head that is known.

    Args:
        name: What its keys begin with.
        sign: Template of a key by which it is recognised.
        shapes: From the channels of the backbone's branches and the shapes of the weights under `name` (without it) to
            the shapes of all its weights. What cannot be known (the number of classes) is taken from the weights.
        unless: Templates of layers between backbone and head, by which its shapes are no longer known.
    """

    name: str
    sign: str
    shapes: Callable[[tuple[int, ...], Shapes], Mapping[str, tuple[int, ...]]]
    unless: str = ""


def _fusion(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    final = given.get("final_layer.conv.weight")
    bias = any(match("downsample_layers.#.conv.bias", key) for key in given) or "final_layer.conv.bias" in given
    shapes = _built(lambda: ClassificationFusion(channels, final[0] if final else 2048, conv_bias=bias))
    whole = any(fits_any("downsample_layers.*|final_layer.*", key) for key in given)
    return {key: shape for key, shape in shapes.items() if whole or key.startswith("increase_layers.")}


def _pyramid(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    levels = {int(found[0]) for key in given if (found := match("fpn_convs.#.*", key))}
    width = given["reduction_conv.conv.weight"][0]
    return _built(lambda: HRFPN(channels, width, num_outs=max(levels, default=0) + 1))


def _linear(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    classes, width = given["fc.weight"]
    return {"fc.weight": (classes, width), "fc.bias": (classes,)}


def _heatmaps(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    """One convolution, on the highest resolution or on all of them concatenated."""
    maps, entering, *kernel = given["final_layer.weight"]
    entering = entering if entering == sum(channels) else channels[0]
    return {"final_layer.weight": (maps, entering, *kernel), "final_layer.bias": (maps,)}


def _built(build: Callable[[], nn.Module]) -> Mapping[str, tuple[int, ...]]:
    with torch.device("meta"):
        return {key: tuple(value.shape) for key, value in build().state_dict().items()}


_BETWEEN = "neck.project.*|head.deconv_layers.*|head.loss_module.*|head.conv.*"
#: The first of a name that is recognised counts.
PARTS = (
    Part("neck.0.", "neck.0.increase_layers.*", _fusion),
    Part("neck.", "neck.reduction_conv.conv.weight", _pyramid),
    Part("head.", "head.fc.weight", _linear),
    Part("head.", "head.final_layers.#.weight", higher_shapes),
    Part("head.", "head.conv_layers.#.*", row_shapes, unless=_BETWEEN),
    Part("head.", "head.final_layer.weight", _heatmaps, unless=_BETWEEN),
    Part("decode_head.", "decode_head.convs.0.conv.weight", fcn_shapes),
    Part("decode_head.0.", "decode_head.0.convs.0.conv.weight", fcn_shapes),
    Part("decode_head.1.", "decode_head.1.object_context_block.*", ocr_shapes),
)


def head_shapes(channels: tuple[int, ...], shapes: Shapes) -> tuple[dict[str, tuple[int, ...]], tuple[str, ...]]:
    """Shapes of all weights of the parts that are recognised, and what the keys of those parts begin with.

    Args:
        channels: Of each branch of the backbone.
        shapes: Of our weights, by their whole names.

    Raises:
        CheckpointError: a part has weights by the names of a known one, and of other forms.
    """
    check_numbers(shapes)
    expected: dict[str, tuple[int, ...]] = {}
    names: list[str] = []
    for part in PARTS:
        if part.name not in names and _is_there(part, shapes):
            given = {key.removeprefix(part.name): shape for key, shape in shapes.items() if key.startswith(part.name)}
            expected |= {part.name + key: shape for key, shape in _shapes(part, channels, given).items()}
            names.append(part.name)
    return expected, tuple(names)


def _shapes(part: Part, channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    try:
        return part.shapes(channels, given)
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"weights {part.name}*",
            found=f"shapes of no such part ({type(error).__name__}: {str(error)[:80]})",
            expected="those of a head or neck of the frameworks",
        ) from error


def _is_there(part: Part, shapes: Shapes) -> bool:
    has_sign = any(match(part.sign, key) is not None for key in shapes)
    return has_sign and not (part.unless and any(fits_any(part.unless, key) for key in shapes))
