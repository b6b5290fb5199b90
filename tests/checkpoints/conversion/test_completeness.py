"""A checkpoint whose keys are not those of its network: each is told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.convert import Conversion, convert


def outcome(weights: Mapping[str, Tensor]) -> tuple[Conversion, dict[str, list[str]]]:
    conversion = convert(contents_of(dict(weights), "a.pth"), "ours")
    found: dict[str, list[str]] = {}
    for entry in conversion.report.unaccounted:
        found.setdefault(entry.kind, []).append(entry.source)
    return conversion, found


@pytest.fixture(scope="module")
def timm_weights() -> dict[str, Tensor]:
    import timm

    with torch.device("meta"):
        return timm.create_model("hrnet_w18_small").state_dict()


def test_a_key_that_is_lost_added_or_of_another_shape_is_told(timm_weights):
    weights = {**timm_weights, "stage4.0.branches.4.0.conv1.weight": torch.empty(3, device="meta")}
    del weights["stage2.0.branches.0.0.conv1.weight"], weights["downsamp_modules.1.1.bias"], weights["classifier.bias"]
    weights["transition1.0.0.weight"] = torch.empty(16, 128, 1, 1, device="meta")
    conversion, found = outcome(weights)
    assert conversion.report.network == "HRNet w18_small_v1, all scales"
    assert found == {
        "unexpected": ["stage4.0.branches.4.0.conv1.weight"],
        "missing": ["stage2.0.branches.0.0.conv1.weight", "downsamp_modules.1.1.bias", "classifier.bias"],
        "shape mismatch": ["transition1.0.0.weight"],
    }
    notes = [entry.note for entry in conversion.report.of_kinds(("shape mismatch",))]
    assert notes == ["16x128x1x1 where the network has 16x128x3x3"]
    assert "backbone.stage4.0.branches.4.0.conv1.weight" not in conversion.weights
    report = conversion.report.as_dict()
    assert report["counts"]["missing"] == 3
    assert len(report["entries"]) == len(weights) + 3


@pytest.mark.parametrize("part", ["first", "last", "every other"])
def test_half_the_keys(timm_weights, part):
    keys = list(timm_weights)
    half = {"first": keys[: len(keys) // 2], "last": keys[len(keys) // 2 :], "every other": keys[::2]}[part]
    conversion, found = outcome({key: timm_weights[key] for key in half})
    assert len(found.get("missing", [])) > 50
    assert conversion.report.network.startswith("HRNet w18_small_v1")


def test_a_bias_without_a_norm_to_go_into_is_told(timm_weights):
    weights = dict(timm_weights)
    del weights["final_layer.1.running_mean"]
    _, found = outcome(weights)
    assert found == {"unexpected": ["final_layer.0.bias"], "missing": ["final_layer.1.running_mean"]}


def test_a_key_of_no_part_is_told(numbers, pose_weights):
    _, found = outcome(pose_weights({"head.final_layer.weight": numbers(5, 16, 1, 1), "teacher.fc.weight": numbers(2)}))
    assert found == {"unexpected": ["teacher.fc.weight"], "missing": ["head.final_layer.bias"]}


def test_a_format_that_is_named_and_wrong(timm_weights):
    conversion = convert(contents_of(timm_weights, "a.pth"), "ours", source="pose")
    assert len(conversion.report.unaccounted) > 100
