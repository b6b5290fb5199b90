from __future__ import annotations

import copy

import pytest
import torch

from hrnet_plugin.errors import ConfigError, MissingDependency
from hrnet_plugin.zoo.miniature import with_miniature_data
from hrnet_plugin.zoo.report import environment
from hrnet_plugin.zoo.train_step import kind_of, train_one_step

POSE = "mmpose::body_2d_keypoint/topdown_heatmap"
HALF = f"{POSE}/coco/td-hm_hrnet-w32_fp16-8xb64-210e_coco-256x192.py"
LITE = f"{POSE}/coco/td-hm_litehrnet-18_8xb64-210e_coco-256x192.py"
SEG = "mmseg::hrnet/fcn_hr18s_4xb4-80k_vaihingen-512x512.py"
DEKR = "mmpose::body_2d_keypoint/dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512.py"
FASTER = "mmdet::hrnet/faster-rcnn_hrnetv2p-w18-1x_coco.py"
ON_LITE = environment().startswith("mmcv-lite")


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on networks this small."""


@pytest.fixture
def small(upstream, data_folder):
    """The miniature of an upstream config."""
    return lambda address: with_miniature_data(upstream(address), data_folder)


def test_a_step_has_losses_a_gradient_and_an_effect(small):
    step = train_one_step(small(SEG))
    assert step.losses["loss"] == pytest.approx(step.losses["decode.loss_ce"])
    assert 0 < step.losses["loss"] < 10
    assert step.gradient_norm > 0
    assert step.changed == step.parameters > 400
    assert step.substitutes == ()


def test_the_same_step_again_is_the_same(small):
    cfg = small(SEG)
    assert train_one_step(cfg) == train_one_step(cfg)


def test_half_precision_is_replaced_and_said(small):
    step = train_one_step(small(HALF))
    assert step.substitutes == ("bfloat16 instead of float16, which CPUs do not train in",)
    assert step.changed == step.parameters > 800


def test_weights_are_not_downloaded(small, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("asked for a checkpoint")

    monkeypatch.setattr("mmengine.runner.checkpoint._load_checkpoint", refuse)
    cfg = small(LITE)
    cfg.model.backbone.init_cfg = {"type": "Pretrained", "checkpoint": "https://weights.invalid/litehrnet.pth"}
    assert train_one_step(cfg).changed > 700


def test_a_loss_that_is_no_number_is_refused(small):
    cfg = small(SEG)
    cfg.model.decode_head.loss_decode.loss_weight = float("nan")
    with pytest.raises(ConfigError, match=r"losses of one training step: found .*loss nan.*, expected finite numbers"):
        train_one_step(cfg)


def test_a_step_that_changes_nothing_is_refused(small):
    cfg = small(SEG)
    cfg.optim_wrapper.optimizer.update(lr=0.0, weight_decay=0.0)
    with pytest.raises(ConfigError, match="parameters after one training step: found none changed"):
        train_one_step(cfg)


def test_a_step_without_a_gradient_is_refused(small):
    cfg = small(SEG)
    cfg.model.decode_head.loss_decode.loss_weight = 0.0
    with pytest.raises(ConfigError, match=r"gradient of one training step: found norm 0\.0, expected above 0"):
        train_one_step(cfg)


def test_a_parameter_without_a_gradient_is_refused(small):
    cfg = small(SEG)
    cfg.model.decode_head.update(in_channels=[18, 36], in_index=(0, 1))
    with pytest.raises(
        ConfigError, match=r"without a gradient: found \d+, among them backbone\.stage4.*, expected none"
    ):
        train_one_step(cfg)
    cfg.find_unused_parameters = True
    assert all(name.startswith("backbone.") for name in train_one_step(cfg).unused)


def test_dekr_alone_has_parameters_without_a_gradient(small, monkeypatch):
    """Its rescoring network serves prediction. A plain convolution stands in for the deformable one."""
    from mmcv.ops import DeformConv2d

    def convolve(self, features, offset):
        return (
            torch.nn.functional.conv2d(features, self.weight, padding=self.padding, groups=self.groups) + offset.mean()
        )

    monkeypatch.setattr(DeformConv2d, "forward", convolve)
    step = train_one_step(small(DEKR))
    assert step.unused
    assert {name.split(".")[:2][-1] for name in step.unused} == {"rescore_net"}


def test_what_needs_full_mmcv_says_so(small):
    if not ON_LITE:
        assert train_one_step(small(FASTER)).changed > 900
        return
    with pytest.raises(MissingDependency, match="mmcv operator 'roi_align_forward'"):
        train_one_step(small(FASTER))


@pytest.mark.full_mmcv
def test_deformable_heads_train_with_full_mmcv(small):
    assert train_one_step(small(DEKR)).changed > 900


def test_kinds_differ_by_what_is_trained_and_not_by_how_large(upstream):
    def kind(address: str) -> str:
        return kind_of(upstream(address))

    w32, w48 = (f"{POSE}/coco/td-hm_hrnet-{width}-210e_coco-256x192.py" for width in ("w32_8xb64", "w48_8xb32"))
    assert kind(w32) == kind(w48) == kind(w32.replace("256x192", "384x288"))
    assert kind(w32) == (
        "mmpose / TopdownPoseEstimator / HRNet / HeatmapHead(MSRAHeatmap, KeypointMSELoss) / CocoDataset"
    )
    others = {
        kind(address)
        for address in (
            LITE, HALF, SEG, DEKR, FASTER, f"{POSE}/coco/td-hm_hrnet-w32_dark-8xb64-210e_coco-256x192.py",
            f"{POSE}/coco/td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192.py", SEG.replace("vaihingen", "potsdam"),
            f"{POSE}/aic/td-hm_hrnet-w32_8xb64-210e_aic-256x192.py",
        )
    }  # fmt: skip
    assert len(others | {kind(w32)}) == 10


def test_a_kind_stays_when_the_data_are_small(upstream, small):
    assert kind_of(small(SEG)) == kind_of(upstream(SEG))


def test_the_config_itself_is_not_changed(small):
    cfg = small(SEG)
    before = copy.deepcopy(cfg.to_dict())
    train_one_step(cfg)
    assert cfg.to_dict() == before
