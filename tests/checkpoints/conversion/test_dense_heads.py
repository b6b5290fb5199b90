"""The shapes of dense heads against the installed frameworks' heads, and what is found when some are missing."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.archs import ZOO
from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.convert import convert
from hrnet_plugin.checkpoints.conversion.heads import head_shapes
from hrnet_plugin.checkpoints.conversion.report import MISMATCH, MISSING

CHANNELS = ZOO["w18"].out_channels
#: One scale or all, one convolution or several, with and without norms.
FCN = [
    {"num_convs": 1, "kernel_size": 1, "concat_input": False},
    {"num_convs": 2, "kernel_size": 3, "concat_input": True, "norm_cfg": {"type": "BN"}},
    {"num_convs": 1, "concat_input": False, "norm_cfg": {"type": "GN", "num_groups": 6}},
]


def built(scope: str, config: dict) -> dict[str, tuple[int, ...]]:
    with DefaultScope.overwrite_default_scope(scope), torch.device("meta"):
        head = MODELS.build(config)
    return {key: tuple(value.shape) for key, value in head.state_dict().items()}


def known(prefix: str, shapes: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """What is expected of a network whose head has these weights."""
    whole = {prefix + key: shape for key, shape in shapes.items()}
    expected, names = head_shapes(CHANNELS, whole)
    assert names == (prefix,)
    return {key.removeprefix(prefix): shape for key, shape in expected.items()}


@pytest.mark.parametrize("choices", FCN, ids=["plain", "rows", "group_norm"])
@pytest.mark.parametrize("scales", [1, 4])
def test_fcn_has_the_weights_of_mmseg(choices, scales):
    import mmseg.models  # noqa: F401

    joined = {"input_transform": "resize_concat", "in_channels": list(CHANNELS), "in_index": (0, 1, 2, 3)}
    entering = joined if scales == 4 else {"in_channels": CHANNELS[2], "in_index": 2}
    head = {"type": "FCNHead", "channels": 36, "num_classes": 5, "align_corners": False, **entering, **choices}
    shapes = built("mmseg", head)
    assert len(shapes) >= 4
    assert known("decode_head.", shapes) == shapes


def test_what_builds_on_fcn_is_taken_as_it_is():
    import mmseg.models  # noqa: F401

    scale = {"in_channels": 144, "in_index": 3, "channels": 16, "num_classes": 5, "align_corners": False}
    shapes = built("mmseg", {"type": "NLHead", **scale})
    assert any(key.startswith("nl_block.") for key in shapes)
    assert known("decode_head.", shapes) == shapes


@pytest.mark.parametrize("row", [(270,), (64, 32)])
def test_a_row_of_convolutions_has_the_weights_of_mmpose(row):
    import mmpose.models  # noqa: F401

    convs = {"conv_out_channels": row, "conv_kernel_sizes": (1,) * len(row), "deconv_out_channels": None}
    shapes = built("mmpose", {"type": "HeatmapHead", "in_channels": 270, "out_channels": 7, **convs})
    assert known("head.", shapes) == shapes


@pytest.mark.parametrize("steps", [(1, 4), (2, 1)])
def test_higher_hrnet_has_the_weights_of_our_head(steps):
    import mmpose.models  # noqa: F401

    depth = {"num_deconvs": steps[0], "num_blocks": steps[1]}
    head = {"type": "hrnet_plugin.HigherHRNetHead", "in_channels": CHANNELS[0], "num_keypoints": 14, **depth}
    shapes = built("mmpose", head)
    assert known("head.", shapes) == shapes


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("seg_w18_small_v1", "last_layer.1.running_var"),
        ("seg_w18_small_v1", "last_layer.3.bias"),
        ("ocr_w18_small_v2", "aux_head.3.weight"),
        ("ocr_w18_small_v2", "conv3x3_ocr.0.weight"),
        ("ocr_w18_small_v2", "ocr_distri_head.object_context_block.f_pixel.2.weight"),
        ("ocr_w18_small_v2", "ocr_distri_head.object_context_block.f_up.1.0.weight"),
        ("face_w18", "head.0.bias"),
        ("face_w18", "head.3.bias"),
        ("higherhrnet_w32", "deconv_layers.0.0.0.weight"),
        ("higherhrnet_w32", "final_layers.1.bias"),
        ("lite_18", "keypoint_head.final_layer.bias"),
    ],
)
def test_a_missing_weight_of_the_head_is_named_and_another_shape_is_seen(name, lost, original):
    weights = original(name).without_content()
    kept = {key: value for key, value in weights.items() if key != lost}
    report = convert(contents_of(kept, name)).report
    assert [(entry.kind, entry.source) for entry in report.unaccounted] == [(MISSING, lost)]
    shape = (weights[lost].shape[0] + 1, *weights[lost].shape[1:])
    given = {**weights, lost: torch.empty(shape, device="meta")}
    problems = convert(contents_of(given, name)).report.unaccounted
    assert problems  # those that stand by it, where it tells their width
    assert {entry.kind for entry in problems} == {MISMATCH}
