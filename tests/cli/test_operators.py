"""A model that needs full mmcv, on mmcv-lite: one line before the run starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from hrnet_plugin.cli import operators
from hrnet_plugin.cli.operators import check_operators
from hrnet_plugin.errors import MissingDependency


@pytest.fixture
def lite(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on mmcv-lite, whichever is installed."""
    monkeypatch.setattr(operators, "stands_in", lambda: True)


@pytest.fixture(scope="module")
def pooling() -> nn.Module:
    """A layer that is an operator itself."""
    from mmcv.ops import RoIAlign

    return nn.Sequential(RoIAlign(7))


@pytest.fixture(scope="module")
def detector() -> nn.Module:
    """It trains without compiled operators and predicts with one."""
    from mmdet.models import FCOSHead

    test_cfg = {"nms": {"type": "nms", "iou_threshold": 0.5}}
    return nn.Sequential(FCOSHead(num_classes=2, in_channels=32, feat_channels=32, stacked_convs=1, test_cfg=test_cfg))


@pytest.mark.usefixtures("lite")
def test_a_layer_that_is_an_operator_is_refused_at_once(pooling: nn.Module):
    expected = "model Sequential: its layers RoIAlign are compiled operators of mmcv: found mmcv-lite.*`make full`"
    for predicts in (False, True):
        with pytest.raises(MissingDependency, match=expected):
            check_operators(pooling, trains=True, predicts=predicts)


@pytest.mark.usefixtures("lite")
def test_a_network_that_cannot_predict_trains_only_without_evaluation(detector: nn.Module):
    check_operators(detector, trains=True, predicts=False)
    with pytest.raises(MissingDependency, match=r"its evaluation during training calls batched_nms.*; or train"):
        check_operators(detector, trains=True, predicts=True)
    with pytest.raises(MissingDependency, match=r"its prediction calls batched_nms(?!.*--no-validate)"):
        check_operators(detector, trains=False, predicts=True)


def test_full_mmcv_has_them_all(detector: nn.Module, pooling: nn.Module, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(operators, "stands_in", lambda: False)
    check_operators(nn.Sequential(detector, pooling), trains=True, predicts=True)


_FCOS = """
_base_ = ['{root}/configs/object_detection/coco/fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco.py']
model = dict(backbone=dict(arch='w18_small_v1'), neck=dict(in_channels=[16, 32, 64, 128]))
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(ann_file='annotations/person_keypoints_train2017.json'))
val_dataloader = dict(dataset=dict(ann_file='annotations/person_keypoints_val2017.json'))
val_evaluator = dict(ann_file='data/coco/annotations/person_keypoints_val2017.json')
"""


@pytest.mark.usefixtures("lite")
def test_the_command_refuses_before_the_first_step(refused, data: Path, workplace: Path, project_root: Path):
    config = workplace / "fcos.py"
    config.write_text(_FCOS.format(root=project_root))
    line = refused("train", config, "--data-root", data)
    assert line.startswith("hrnet: error: model FCOS: its evaluation during training calls batched_nms")
    assert "--no-validate" in line
    assert not list(workplace.rglob("*.pth"))
