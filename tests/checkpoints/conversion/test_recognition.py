"""A checkpoint's format is told from its keys."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.formats import FORMATS
from hrnet_plugin.checkpoints.conversion.formats.rules import fill, match
from hrnet_plugin.checkpoints.conversion.recognition import find_format, recognise
from hrnet_plugin.errors import CheckpointError, ConfigError

STAGE = "stage2.0.branches.0.0.conv1.weight"
KNOWN = {
    "cls": [STAGE, "incre_modules.0.0.conv1.weight", "downsamp_modules.0.0.weight", "downsamp_modules.0.0.bias"],
    "timm": [STAGE, "incre_modules.0.0.conv1.weight"],
    "timm-ssld": [STAGE, "incre_modules.0.0.conv1.weight", "downsamp_modules.0.0.weight", "classifier.weight"],
    "cls-early": [STAGE, "head.0.0.0.conv1.weight", "head.2.0.weight", "fc.weight"],
    "pose": [STAGE, "final_layer.weight"],
    "mmpose-0.x": [f"backbone.{STAGE}", "keypoint_head.final_layer.weight"],
    "mmpose-0.x-row": [f"backbone.{STAGE}", "keypoint_head.final_layer.0.weight", "keypoint_head.final_layer.3.weight"],
    "mmpose": [f"backbone.{STAGE}", "head.final_layer.weight"],
    "mmseg": [f"backbone.{STAGE}", "decode_head.conv_seg.weight"],
    "mmdet": [f"backbone.{STAGE}", "neck.fpn_convs.0.conv.weight", "rpn_head.rpn_conv.weight"],
    "mmpretrain": [f"backbone.{STAGE}", "neck.0.increase_layers.0.0.conv1.weight", "head.fc.weight"],
    "ours": [f"backbone.{STAGE}"],
    "backbone": [STAGE],
}


def with_keys(*keys: str):
    return contents_of({key: torch.zeros(1) for key in keys}, "a.pth")


@pytest.mark.parametrize("name", KNOWN)
def test_formats_are_told_apart(name):
    assert recognise(with_keys(*KNOWN[name])) is FORMATS[name]
    assert find_format(name) is FORMATS[name]


def test_another_family_is_refused_with_what_is_known():
    said = r"checkpoint a\.pth: found 2 weights such as conv1\.weight, .* expected an HRNet .*: .*timm, .*backbone$"
    with pytest.raises(CheckpointError, match=said):
        recognise(with_keys("conv1.weight", "layer4.0.conv1.weight"))
    with pytest.raises(ConfigError, match="format: found 'mmpos'"):
        find_format("mmpos")


def test_rules_lead_back_to_where_they_came_from():
    seen = 0
    for known in FORMATS.values():
        for rule in known.rules:
            ours = getattr(rule, "ours", rule.theirs)
            wild = ["7" if sign == "#" else "a.b" for sign in rule.theirs if sign in "#*"]
            assert match(rule.theirs, fill(rule.theirs, wild)) == tuple(wild)
            assert match(ours, fill(ours, wild)) == tuple(wild), rule
            seen += 1
    assert seen > 60


def test_a_number_is_no_word_and_anything_may_hold_dots():
    assert match("a.#.*", "a.1.b.c") == ("1", "b.c")
    assert match("a.#.*", "a.x.b") is None
    assert match("a.*", "a.") is None
    assert match("a.#", "aa1") is None
