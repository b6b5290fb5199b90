"""Networks that cannot be built, and parts that do not fit each other."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, errors_in

POSE, SEG, GONE = "quickstart_pose", "quickstart_seg", "(gone)"
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
    return {"model.backbone.arch": GONE, "model.backbone.extra": stages}


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


#: The same in the frameworks' own words: four stages.
FOUR = STAGES | {
    f"stage{number}": {**STAGES["stage2"], "num_branches": number, "num_blocks": [1] * number,
                       "num_channels": [16 * 2**branch for branch in range(number)]} for number in (3, 4)
}  # fmt: skip


def upstream(key: str = "", value: object = None, kind: str = "mmpose.HRNet") -> dict[str, object]:
    """Changes that give the pose config a framework's own HRNet, with one value of it replaced."""
    change = {"model.backbone": {"type": kind, "extra": FOUR}, "model.head.in_channels": 16}
    return change | ({f"model.backbone.{key}": value} if key else {})


@pytest.mark.parametrize(
    ("key", "value", "found", "expected"),
    [
        ("frozen_stages", 9, "9", "-1 to 4"),
        ("extra.stage2.num_channels", (16,), "1 values (16,)", "2, one for each branch (num_branches=2)"),
        ("extra.stage3.num_channels", 16, "16", "a list of 3"),
        ("extra.stage2.block", "BASICS", "'BASICS'", "one of BASIC, BOTTLENECK"),
        ("extra.stage2.num_blocks", GONE, "nothing", "a value"),
        ("extra.stage3", GONE, "stage1, stage2, stage4", "stage1, stage2, ... without a gap"),
        ("extra.stage4", GONE, "3 stages", "stage1 to stage4"),
        ("extra", GONE, "nothing", "a value, which mmpose.HRNet needs"),
    ],
)
def test_the_frameworks_own_hrnets_are_told_of_with_their_keys(planted, key, value, found, expected):
    where = {"block": "model.backbone.extra.stage2.block.0", "stage3": "model.backbone.extra",
             "stage4": "model.backbone.extra"}.get(key.rpartition(".")[2], f"model.backbone.{key}")  # fmt: skip
    finding = planted(POSE, upstream(key, value), "missing-argument" if key == "extra" else "architecture", where)
    assert (finding.found, finding.expected) == (found, expected)


def test_a_preset_that_mmpretrain_does_not_have(changed):
    change = {"model.backbone": {"type": "HRNet", "arch": "w19"}}
    (finding,) = errors_in(check_config(changed(CLASSIFIER, change)))
    assert (finding.where, finding.do) == ("model.backbone.arch", "Did you mean 'w18'?")


def test_what_a_frameworks_constructor_refuses_otherwise_is_in_its_words(planted):
    norm = {"type": "GN", "num_groups": 7}
    assert "divisible" in planted(POSE, upstream("norm_cfg", norm), "refused-value", "model.backbone").found


@pytest.mark.parametrize(
    ("change", "beside"),
    [
        ({"model.backbone.arch": "w23"}, ("architecture", "model.backbone.arch")),
        ({"model.head.in_channels": 48}, ("head-channels", "model.head.in_channels")),
    ],
)
def test_a_misspelt_argument_hides_nothing(changed, change, beside):
    found = errors_in(check_config(changed(POSE, {"model.backbone.norm_evl": False, **change})))
    told = {(finding.check, finding.where) for finding in found}
    assert told == {("unknown-argument", "model.backbone.norm_evl"), beside}


@pytest.mark.parametrize(
    ("base", "change", "where"),
    [
        (POSE, {"model.backbone.arch": GONE, "model.backbone.arhc": "w18_small_v1"}, "model.backbone.arhc"),
        (SEG, {"model.decode_head.in_index": GONE, "model.decode_head.in_indx": (0, 1, 2, 3)},
         "model.decode_head.in_indx"),
        (POSE, {"model.head.in_channels": GONE, "model.head.in_chanels": 16}, "model.head.in_chanels"),
        (SEG, {"model.backbone.num_chanels": [16, 32]}, "model.backbone.num_chanels"),
    ],
)  # fmt: skip
def test_a_misspelt_argument_is_taken_for_what_is_meant(planted, base, change, where):
    """Its default in its place would be told as a second fault."""
    planted(base, change, "unknown-argument", where)


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
    change = upstream() | {"model.head.in_channels": 8}
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
