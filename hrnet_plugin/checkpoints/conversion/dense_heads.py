"""The weights of heads that work on several scales or in several steps, by name and shape.

Each function takes the channels of the backbone's branches and the shapes of a head's weights, and gives the shapes of
all weights that such a head has. What only the weights tell (classes, keypoints, widths of their own) is taken from
them.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ...nets.deconv import build_deconv_stage
from .formats.rules import match
from .structure import Shapes

#: The width of OpenMMLab's and the authors' OCR heads, where a head does not tell its own.
_OCR_WIDTH = 512
_FCN = ("convs", "conv_cat", "conv_seg")
_NORM = ("weight", "bias", "running_mean", "running_var")


def fcn_shapes(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    """MMSegmentation's FCNHead, on all scales or on one; what heads that build on it add is taken as it is."""
    width, entering, *kernel = given["convs.0.conv.weight"]
    if entering not in channels:
        entering = sum(channels)
    rows = 1 + max(int(found[0]) for key in given if (found := match("convs.#.*", key)))
    shapes = {key: shape for key, shape in given.items() if key.partition(".")[0] not in _FCN}
    for row in range(rows):
        shapes |= _module(given, f"convs.{row}", (width, width if row else entering, *kernel))
    if any(key.startswith("conv_cat.") for key in given):
        shapes |= _module(given, "conv_cat", (width, entering + width, *kernel))
    return shapes | _classifier(given, width)


def ocr_shapes(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    """MMSegmentation's OCRHead on all scales."""
    width = given.get("bottleneck.conv.weight", (_OCR_WIDTH,))[0]
    key_width = given.get("object_context_block.out_project.conv.weight", (0, width // 2))[1]
    shapes = _module(given, "bottleneck", (width, sum(channels), 3, 3))
    for name, leaving, entering in (
        ("key_project.0", key_width, width),
        ("key_project.1", key_width, key_width),
        ("query_project.0", key_width, width),
        ("query_project.1", key_width, key_width),
        ("value_project", key_width, width),
        ("out_project", width, key_width),
        ("bottleneck", width, 2 * width),
    ):
        shapes |= _module(given, f"object_context_block.{name}", (leaving, entering, 1, 1))
    return shapes | _classifier(given, width)


def row_shapes(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    """MMPose's HeatmapHead with convolutions before the last one."""
    entering = given.get("conv_layers.0.weight", (0, 0))[1]
    width = entering if entering in channels else sum(channels)
    shapes: dict[str, tuple[int, ...]] = {}
    places = 1 + max(int(found[0]) for key in given if (found := match("conv_layers.#.*", key)))
    for place in range(0, places, 3):  # convolution, norm, ReLU
        name = f"conv_layers.{place}"
        leaving, _, *kernel = given.get(f"{name}.weight", (width, 0, 1, 1))
        shapes |= {f"{name}.weight": (leaving, width, *kernel), f"{name}.bias": (leaving,)}
        shapes |= _norm(given, f"conv_layers.{place + 1}", leaving)
        width = leaving
    maps, _, *kernel = given["final_layer.weight"]
    return {**shapes, "final_layer.weight": (maps, width, *kernel), "final_layer.bias": (maps,)}


def higher_shapes(channels: tuple[int, ...], given: Shapes) -> Mapping[str, tuple[int, ...]]:
    """HigherHRNet's head: after its first maps, each stage doubles the resolution of features and maps together."""
    width = channels[0]
    finals = {int(found[0]): given[key] for key in given if (found := match("final_layers.#.weight", key))}
    last = max(finals)
    maps = [finals.get(level, finals[last])[0] for level in range(last + 1)]
    blocks = max((int(found[1]) for key in given if (found := match("deconv_layers.#.#.*", key))), default=4)
    shapes: dict[str, tuple[int, ...]] = {}
    for level, leaving in enumerate(maps):
        name = f"final_layers.{level}"
        shapes |= {f"{name}.weight": (leaving, width, *finals[last][2:]), f"{name}.bias": (leaving,)}
        if level < last:
            with torch.device("meta"):
                stage = build_deconv_stage(width + leaving, width, blocks)
            shapes |= {f"deconv_layers.{level}.{key}": tuple(value.shape) for key, value in stage.state_dict().items()}
    return shapes


def _module(given: Shapes, name: str, conv: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """mmcv's ConvModule: a convolution, and its norm or its bias."""
    norm = next((kind for kind in ("bn", "gn") if any(key.startswith(f"{name}.{kind}.") for key in given)), None)
    shapes = {f"{name}.conv.weight": conv}
    if norm is None:
        return {**shapes, f"{name}.conv.bias": conv[:1]}
    return shapes | _norm(given, f"{name}.{norm}", conv[0])


def _norm(given: Shapes, name: str, channels: int) -> dict[str, tuple[int, ...]]:
    statistics = any(f"{name}.{part}" in given for part in _NORM[2:]) or not name.endswith("gn")
    shapes = {f"{name}.{part}": (channels,) for part in (_NORM if statistics else _NORM[:2])}
    return {**shapes, f"{name}.num_batches_tracked": ()} if statistics else shapes


def _classifier(given: Shapes, width: int) -> dict[str, tuple[int, ...]]:
    known = given.get("conv_seg.weight") or given.get("conv_seg.bias") or (1,)
    return {"conv_seg.weight": (known[0], width, 1, 1), "conv_seg.bias": (known[0],)}
