"""The frameworks' own networks beside ours, with the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hrnet_plugin.bench.networks import build_network, example_images, relative_difference, resolve_config, run
from hrnet_plugin.bench.subjects import Network
from hrnet_plugin.bench.suite.subjects import rtmpose, segmentation, w32, w48
from hrnet_plugin.errors import CheckpointError, ConfigError
from hrnet_plugin.locations import project_dir


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("weights")


@pytest.fixture
def ours(tiny_config) -> Network:
    return Network(str(tiny_config), size=(64, 96), batch=2)


def test_mmpose_s_own_network_computes_the_same(ours, folder):
    theirs = replace(ours, framework="mmpose")
    one, other = build_network(ours, theirs, folder), build_network(theirs, theirs, folder)
    assert type(one.backbone).__module__.startswith("hrnet_plugin")
    assert type(other.backbone).__module__ == "mmpose.models.backbones.hrnet"
    images = example_images(ours)
    assert images.shape == (2, 3, 96, 64)
    found, expected = run(one, images, ours), run(other, images, theirs)
    assert found[0].shape == (2, 17, 24, 16)
    assert found[0].std() > 0.01
    assert relative_difference(found, expected) < 1e-5


def test_timm_s_own_network_computes_the_same(folder):
    config = project_dir("configs") / "quickstart_pose.py"
    ours = Network(str(config), backbone_only=True, size=(64, 64))
    theirs = replace(ours, framework="timm")
    one, other = build_network(ours, theirs, folder), build_network(theirs, theirs, folder)
    found, expected = run(one, example_images(ours), ours), run(other, example_images(ours), theirs)
    assert [tuple(map.shape[1:]) for map in found] == [(16, 16, 16), (32, 8, 8), (64, 4, 4), (128, 2, 2)]
    assert min(map.std() for map in found) > 0.01
    assert relative_difference(found, expected) < 1e-5


@pytest.mark.parametrize("networks", [w32, w48, segmentation], ids=["w32", "w48", "segmentation"])
def test_the_suite_s_baselines_are_the_frameworks_own(networks):
    theirs, ours = networks()
    assert resolve_config(theirs).model.backbone.type == "HRNet"
    assert resolve_config(ours).model.backbone.type == "hrnet_plugin.HRNet"
    assert theirs.size == ours.size


def test_rtmpose_is_mmpose_s():
    assert resolve_config(rtmpose("m")).model.head.type == "RTMCCHead"


def test_our_config_of_a_published_model_stands_for_the_framework_s_file():
    _, ours = w32()
    found = resolve_config(replace(ours, framework="mmpose"))
    assert found.filename.endswith(
        "mmpose/.mim/configs/body_2d_keypoint/topdown_heatmap/coco/" + Path(ours.config).name
    )


def test_options_reach_the_config(ours):
    assert resolve_config(replace(ours, options={"model.backbone.with_cp": True})).model.backbone.with_cp is True


def test_a_checkpoint_s_weights_are_taken(ours, folder, tmp_path):
    model = build_network(ours, ours, folder)
    named = {key.replace("heads.0.", "head."): value for key, value in model.state_dict().items()}
    torch.save({"state_dict": named}, tmp_path / "whole.pth")
    given = replace(ours, checkpoint=str(tmp_path / "whole.pth"))
    images = example_images(ours)
    again = build_network(given, given, tmp_path)
    assert relative_difference(run(again, images, given), run(model, images, ours)) == 0
    del named["head.final_layer.weight"]
    torch.save({"state_dict": named}, tmp_path / "part.pth")
    given = replace(ours, checkpoint=str(tmp_path / "part.pth"))
    with pytest.raises(CheckpointError, match=r"nothing for 1 keys, as heads.0.final_layer.weight"):
        build_network(given, given, tmp_path)


def test_a_size_that_does_not_fit(ours, folder):
    theirs = replace(ours, framework="mmpose", size=(72, 72))
    model = build_network(theirs, theirs, folder)
    with pytest.raises(ConfigError, match="size 72x72: found mmpose stops with"):
        run(model, example_images(theirs), theirs)


def test_another_framework_s_config(ours):
    with pytest.raises(ConfigError, match="--against mmseg: found a config of mmpose"):
        resolve_config(replace(ours, framework="mmseg"))


def test_relative_difference_tells_what_is_wrong():
    one = torch.tensor([1.0, 2.0])
    assert relative_difference((one,), (one,)) == 0
    assert relative_difference((one + torch.tensor([0.0, 0.5]),), (one,)) == 0.25
    assert relative_difference((one,), (one[:1],)) == float("inf")
    assert relative_difference((one * float("nan"),), (one,)) == float("inf")
