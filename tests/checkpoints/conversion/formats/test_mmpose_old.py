"""Old heads of mmpose: converted as the installed heads do it when they load them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn


def loaded_by_mmpose(weights: Mapping[str, Tensor], head: type, **attributes: object) -> dict[str, Tensor]:
    """The keys that mmpose makes of old ones, where they end up."""
    from mmpose.models.pose_estimators.base import BasePoseEstimator

    state = OrderedDict(weights)
    for kind, prefix in ((BasePoseEstimator, ""), (head, "head.")):
        kind._load_state_dict_pre_hook(SimpleNamespace(_version=2, **attributes), state, prefix, {})
    return dict(state)


def old_heads(numbers: Callable[..., Tensor]) -> dict[str, tuple[str, dict[str, Tensor], dict]]:
    """The head's class in mmpose, old weights, and what its hook looks at."""
    plain = {"final_layer.weight": numbers(5, 16, 1, 1), "final_layer.bias": numbers(5)}
    row = {
        "final_layer.0.weight": numbers(16, 16, 1, 1), "final_layer.0.bias": numbers(16),
        **{f"final_layer.1.{part}": numbers(16) for part in ("weight", "bias", "running_mean", "running_var")},
        "final_layer.3.weight": numbers(5, 16, 1, 1), "final_layer.3.bias": numbers(5),
    }  # fmt: skip
    dekr = {
        "heatmap_conv_layers.0.conv.weight": numbers(8, 16, 1, 1),
        "heatmap_conv_layers.2.weight": numbers(6, 8, 1, 1), "heatmap_conv_layers.2.bias": numbers(6),
        "offset_conv_layers.1.conv.weight": numbers(8, 4, 3, 3),
        "offset_conv_layers.3.weight": numbers(10, 8, 1, 1), "offset_conv_layers.3.bias": numbers(10),
    }  # fmt: skip
    names = (
        "keypoint_center_conv",
        "conv_down",
        "c_attn.atn",
        "s_attn.atn",
        "s_attn.conv",
        "fuse_attn",
        "heatmap_conv",
    )
    cid = {f"{name}.{part}": numbers(4, place) for place, name in enumerate(names, 2) for part in ("weight", "bias")}
    return {
        "heatmaps": ("HeatmapHead", plain, {"conv_layers": nn.Identity()}),
        "row": ("HeatmapHead", row, {"conv_layers": nn.Sequential(*[nn.Identity()] * 3)}),
        "dekr": ("DEKRHead", dekr, {}),
        "cid": ("CIDHead", cid, {}),
    }


@pytest.mark.parametrize("name", ["heatmaps", "row", "dekr", "cid"])
def test_old_heads_become_what_mmpose_makes_of_them(name, numbers, converted, back, assert_identical, pose_weights):
    from mmpose.models import heads

    kind, head, attributes = old_heads(numbers)[name]
    weights = pose_weights({f"keypoint_head.{key}": value for key, value in head.items()})
    conversion = converted(weights)
    assert conversion.report.source == ("mmpose-0.x-row" if name == "row" else "mmpose-0.x")
    expected = loaded_by_mmpose(weights, getattr(heads, kind), **attributes)
    assert dict(sorted(conversion.weights.items())).keys() == dict(sorted(expected.items())).keys()
    for key, value in expected.items():
        assert torch.equal(conversion.weights[key], value), key
    assert_identical(back(conversion, conversion.report.source).weights, weights)
    # mmpose must not do it once more when it loads them.
    said = conversion.checkpoint()["state_dict"]._metadata
    assert said == {"": {"version": 2}, "head": {"version": 2}}


def test_an_old_rescoring_network_goes_into_the_head(converted, back, assert_identical, numbers, pose_weights):
    head = {f"keypoint_head.{key}": value for key, value in old_heads(numbers)["dekr"][1].items()}
    weights = pose_weights({**head, "rescore_net.l1.weight": numbers(3, 4)})
    conversion = converted(weights)
    assert torch.equal(conversion.weights["head.rescore_net.l1.weight"], numbers(3, 4))
    assert_identical(back(conversion, "mmpose-0.x").weights, weights)
