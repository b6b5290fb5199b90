"""Sizes and codecs of pose networks, crops and windows of segmentation."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.checks.config.sizes import FLIP_MODES
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
UDP = "td-hm_hrnet-w32_udp-regress-8xb64-210e_coco-256x192"
DARK = "td-hm_hrnetv2-w18_dark-8xb64-60e_wflw-256x256"
BOTTOM_UP = "dekr_hrnet-w32_8xb10-140e_coco-512x512"
DECODER = "model.head.decoder"
ENCODER = "train_dataloader.dataset.pipeline.4.encoder"
VAL_CROP = "val_dataloader.dataset.pipeline.2"
SIZE = "model.data_preprocessor.size"


def window(**values: object) -> dict[str, object]:
    """Changes that let the segmentation test in windows."""
    return {"model.test_cfg": {"mode": "slide", "crop_size": (128, 128), "stride": (96, 96), **values}}


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"model.head.deconv_out_channels": (16,), "model.head.deconv_kernel_sizes": (4,)}, "sizes",
         f"{DECODER}.heatmap_size"),
        (POSE, {f"{DECODER}.heatmap_size": (48, 64), f"{ENCODER}.heatmap_size": (48, 64)}, "sizes",
         f"{DECODER}.heatmap_size"),
        (UDP, {"model.head.loss.type": "KeypointMSELoss"}, "codec", "model.head.loss.type"),
        (SEG, {SIZE: "(gone)"}, "sizes", SIZE),
        (SEG, {"model.data_preprocessor.size_divisor": 32}, "sizes", "model.data_preprocessor.size_divisor"),
        (SEG, {"model.test_cfg": {"mode": "window"}}, "sizes", "model.test_cfg.mode"),
        (SEG, window(crop_size=None), "sizes", "model.test_cfg.crop_size"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "check", "where", "level"),
    [
        (POSE, {f"{VAL_CROP}.input_size": (192, 256)}, "sizes", f"{VAL_CROP}.input_size", ERROR),
        (BOTTOM_UP, {"train_dataloader.dataset.pipeline.1.input_size": (640, 640)}, "sizes",
         "train_dataloader.dataset.pipeline.1.input_size", ERROR),
        (POSE, {f"{DECODER}.type": "MSRAHeatmap", f"{DECODER}.blur_kernel_size": "(gone)"}, "codec", f"{DECODER}.type",
         ERROR),
        (POSE, {f"{DECODER}.heatmap_size": (48, 64)}, "sizes", f"{DECODER}.heatmap_size", ERROR),
        (POSE, {f"{DECODER}.sigma": 3}, "codec", f"{DECODER}.sigma", NOTE),
        (DARK, {f"{DECODER}.unbiased": False}, "codec", f"{DECODER}.unbiased", NOTE),
        (POSE, {f"{VAL_CROP}.use_udp": False}, "codec", f"{VAL_CROP}.use_udp", NOTE),
        (POSE, {"model.test_cfg.shift_heatmap": True}, "codec", "model.test_cfg.shift_heatmap", NOTE),
        (UDP, {"model.test_cfg.flip_mode": "heatmap"}, "codec", "model.test_cfg.flip_mode", ERROR),
        (POSE, {"model.test_cfg.flip_mode": "heatmaps"}, "refused-value", "model.test_cfg.flip_mode", ERROR),
        (POSE, {"model.test_cfg.flip_mode": "udp_combined"}, "codec", "model.test_cfg.flip_mode", ERROR),
        (SEG, {SIZE: (512, 512)}, "sizes", SIZE, ERROR),
        (SEG, {SIZE: (64, 128)}, "sizes", SIZE, ERROR),
        (SEG, window(crop_size=(192, 192)), "sizes", "model.test_cfg.crop_size", NOTE),
    ],
)  # fmt: skip
def test_the_frameworks_say_nothing_of(planted, base, change, check, where, level):
    assert planted(base, change, check, where).level == level


def test_flip_modes_are_those_of_mmpose():
    from mmpose.models.utils.tta import flip_heatmaps

    for mode in FLIP_MODES:
        assert flip_heatmaps(torch.zeros(1, 6, 2, 2), flip_mode=mode).shape == (1, 6, 2, 2)
    with pytest.raises(ValueError, match="flip_mode"):
        flip_heatmaps(torch.zeros(1, 6, 2, 2), flip_mode="heatmaps")


@pytest.mark.parametrize(
    ("base", "change"),
    [(POSE, {"model.test_cfg.flip_test": False}), (BOTTOM_UP, {}), (POSE, {"model.head.type": "RTMCCHead"})],
)
def test_a_flip_mode_that_nothing_reads_is_not_told(changed, base, change):
    findings = check_config(changed(base, {**change, "model.test_cfg.flip_mode": "heatmaps"}))
    assert "model.test_cfg.flip_mode" not in {finding.where for finding in findings}


def test_the_size_that_the_network_gives_is_told(planted):
    change = {f"{DECODER}.heatmap_size": (48, 64), f"{ENCODER}.heatmap_size": (48, 64)}
    finding = planted(POSE, change, "sizes", f"{DECODER}.heatmap_size")
    assert (finding.found, finding.expected[:8]) == ("(48, 64)", "(24, 32)")


def test_deconvolutions_that_are_not_needed(planted):
    """mmpose's head has three of them where the config says nothing."""
    finding = planted(POSE, {"model.head.deconv_out_channels": "(gone)"}, "sizes", f"{DECODER}.heatmap_size")
    assert finding.do.endswith("set model.head.deconv_out_channels to None")


def test_gaps_between_windows(planted):
    """mmseg stops at the first image that is large enough to have one."""
    assert planted(SEG, window(stride=(160, 160)), "sizes", "model.test_cfg.stride").level == ERROR


def test_windows_of_the_size_of_the_training_are_sound(changed):
    assert check_config(changed(SEG, window())) == []


def test_another_size_everywhere_is_sound(changed):
    size, heatmap = (192, 256), (48, 64)
    change = {f"{codec}.{name}": value for codec in (DECODER, ENCODER)
              for name, value in (("input_size", size), ("heatmap_size", heatmap))}  # fmt: skip
    crops = ("train_dataloader.dataset.pipeline.3", VAL_CROP, "test_dataloader.dataset.pipeline.2")
    assert check_config(changed(POSE, {**change, **{f"{crop}.input_size": size for crop in crops}})) == []
