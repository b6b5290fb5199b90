"""Networks that cannot be built, and parts that do not fit each other."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR

POSE, SEG = "quickstart_pose", "quickstart_seg"
OCR = "ocrnet_hr18s_4xb2-40k_cityscapes-512x1024"
DETECTOR = "faster-rcnn_hrnetv2p-w18-1x_coco"
DENSE = "fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco"
CLASSIFIER = "hrnet-w18_4xb32_in1k"
#: A network spelled out, with one block where the published ones have four.
STAGES = {
    "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": [1], "num_channels": [8]},
    "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC", "num_blocks": [1, 1], "num_channels": [16, 32]},
}


def extra(**stage2: object) -> dict[str, object]:
    """Changes that give the pose network these stages, one value of the second replaced."""
    stages = {**STAGES, "stage2": {**STAGES["stage2"], **stage2}}
    return {"model.backbone.arch": "(gone)", "model.backbone.extra": stages}


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"model.backbone.arch": "w23"}, "architecture", "model.backbone.arch"),
        (POSE, {"model.backbone.arch": "litehrnet_18"}, "architecture", "model.backbone.arch"),
        (POSE, {"model.backbone.extra": STAGES}, "architecture", "model.backbone"),
        (POSE, {"model.backbone.fuse_method": "maximum"}, "architecture", "model.backbone.fuse_method"),
        (POSE, {"model.backbone.frozen_stages": 7}, "architecture", "model.backbone.frozen_stages"),
        (POSE, extra(num_channels=[16]), "architecture", "model.backbone.extra.stage2.num_channels"),
        (POSE, extra(num_chanels=[16, 32]), "architecture", "model.backbone.extra.stage2.num_chanels"),
        (POSE, extra(block="BASICS"), "architecture", "model.backbone.extra.stage2.block.0"),
        (POSE, {"model.head.in_channels": 32}, "head-channels", "model.head.in_channels"),
        (POSE, {"model.backbone.arch": "w18_small_v2"}, "head-channels", "model.head.in_channels"),
        (SEG, {"model.decode_head.in_channels": [16, 32, 64, 256]}, "head-channels", "model.decode_head.in_channels"),
        (SEG, {"model.backbone.multiscale_output": False}, "head-channels", "model.decode_head.in_index"),
        (SEG, {"model.decode_head.in_index": (0, 1, 2)}, "refused-value", "model.decode_head"),
        (OCR, {"model.decode_head.1.in_channels": [9, 36, 72, 144]}, "head-channels",
         "model.decode_head.1.in_channels"),
        (DETECTOR, {"model.neck.in_channels": [18, 36, 72, 128]}, "neck-channels", "model.neck.in_channels"),
        (DETECTOR, {"model.backbone.multiscale_output": False}, "neck-channels", "model.neck.in_channels"),
        (DETECTOR, {"model.rpn_head.in_channels": 128}, "head-channels", "model.rpn_head.in_channels"),
        (
            DETECTOR,
            {"model.roi_head.bbox_head.in_channels": 128},
            "head-channels",
            "model.roi_head.bbox_head.in_channels",
        ),
        (
            DETECTOR,
            {"model.roi_head.bbox_roi_extractor.out_channels": 128},
            "head-channels",
            "model.roi_head.bbox_roi_extractor.out_channels",
        ),
        (DENSE, {"model.bbox_head.in_channels": 128}, "head-channels", "model.bbox_head.in_channels"),
        (CLASSIFIER, {"model.neck.0.in_channels": [18, 36, 72, 72]}, "neck-channels", "model.neck.0.in_channels"),
        (CLASSIFIER, {"model.head.in_channels": 1024}, "head-channels", "model.head.in_channels"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


def test_an_auxiliary_head(planted, changed):
    head = {**changed(SEG, {}).model.decode_head, "in_index": 2, "in_channels": 32, "input_transform": None}
    finding = planted(SEG, {"model.auxiliary_head": [head]}, "head-channels", "model.auxiliary_head.0.in_channels")
    assert (finding.found, finding.expected[:2]) == ("32", "64")
    assert finding.do == "Set model.auxiliary_head.0.in_channels to 64"


def test_both_a_description_and_weights_twice(planted):
    change = {"model.backbone.pretrained": "a.pth"}
    assert planted(POSE, change, "architecture", "model.backbone").level == ERROR


def test_a_neck_of_mmpose(planted):
    """All scales at one size, joined: 18 + 36 + 72 + 144 channels."""
    finding = planted(
        "td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256",
        {"model.neck.concat": False},
        "head-channels",
        "model.head.in_channels",
    )
    assert finding.found == "270"


def test_the_frameworks_own_backbones_are_compared_too(planted):
    """Their description is in their own words: `extra` alone."""
    change = extra() | {f"model.backbone.{name}": "(gone)" for name in ("multiscale_output", "init_cfg")}
    change |= {"model.backbone.type": "mmpose.HRNet", "model.head.in_channels": 8}
    stages = change["model.backbone.extra"]
    for number in (3, 4):
        stages[f"stage{number}"] = {**STAGES["stage2"], "num_branches": number, "num_blocks": [1] * number,
                                    "num_channels": [16 * 2**branch for branch in range(number)]}  # fmt: skip
    finding = planted(POSE, change, "head-channels", "model.head.in_channels")
    assert finding.expected.startswith("16, ")


class _LooksAtItsImage(nn.Module):
    """A backbone that cannot run without memory."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        return [self.conv(image) if image.sum().item() else image]


def test_a_network_that_cannot_be_run_here_is_no_fault(changed):
    findings = check_config(changed(POSE, {"model.backbone": {"type": _LooksAtItsImage}}))
    assert [finding for finding in findings if finding.level == ERROR] == []
    assert [finding.where for finding in findings if finding.check == "not-checked"] == ["model"]
