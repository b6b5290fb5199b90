"""Which networks need compiled operators, on the parts of mmcv and mmdet that call them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.compat.mmcv_ext import stands_in
from hrnet_plugin.engine.compiled_operators import layers_with_operators, operators_of_prediction
from hrnet_plugin.errors import MissingDependency

_NMS = {"nms_pre": 10, "score_thr": 0.05, "nms": {"type": "nms", "iou_threshold": 0.5}, "max_per_img": 10}


def fcos_head(**test_cfg: object) -> nn.Module:
    """A small head whose prediction ends in non-maximum suppression where `test_cfg` asks for it."""
    from mmdet.models import FCOSHead

    return FCOSHead(num_classes=2, in_channels=32, feat_channels=32, stacked_convs=1, test_cfg=test_cfg or None)


def test_layers_that_are_operators_are_found_wherever_they_stand():
    from mmcv.ops import DeformConv2d, RoIAlign

    class OwnConv(DeformConv2d):
        pass

    deep = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ModuleDict({"a": OwnConv(2, 2, 3), "b": RoIAlign(7)}))
    assert layers_with_operators(deep) == ["DeformConv2d", "RoIAlign"]


def test_plain_layers_and_those_with_a_plain_form_are_not_counted():
    from mmcv.ops import MultiScaleDeformableAttention

    plain = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1), MultiScaleDeformableAttention(8, 2))
    assert layers_with_operators(plain) == []
    assert operators_of_prediction(plain) == []


def test_suppression_at_prediction_is_found_through_the_methods_of_the_head():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), fcos_head(**_NMS))
    assert layers_with_operators(network) == []  # it can be trained
    assert operators_of_prediction(network) == ["batched_nms"]


def test_suppression_that_is_not_asked_for_is_not_counted():
    assert operators_of_prediction(fcos_head()) == []
    assert operators_of_prediction(fcos_head(max_per_img=10)) == []


def test_what_is_found_is_what_fails():
    """On mmcv-lite the operators that were found are those that refuse; on full mmcv they run."""
    from mmcv.ops import RoIAlign

    layer, image = RoIAlign(2), torch.rand(1, 1, 8, 8)
    boxes = torch.tensor([[0.0, 1.0, 1.0, 5.0, 5.0]])
    if stands_in():
        with pytest.raises(MissingDependency, match="mmcv operator 'roi_align_forward'"):
            layer(image, boxes)
    else:
        assert layer(image, boxes).shape == (1, 1, 2, 2)
