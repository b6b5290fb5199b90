"""Every module of a network has its place, ours and the frameworks' alike."""

from __future__ import annotations

import pytest
from torch import nn

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.inspection.places import BRANCH, FUSE, HEAD, NECK, OTHER, STAGE, STEM, TRANSITION, Place, Places


@pytest.fixture(scope="module")
def backbone() -> HRNet:
    return HRNet("w18_small_v1")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("conv1", Place("stem", STEM)),
        ("bn2.weight", Place("stem", STEM)),
        ("layer1.0.downsample.1", Place("stage 1", STAGE, 1, branch=0)),
        ("transition1.1.0.0", Place("transition 1", TRANSITION, 1, branch=1)),
        ("stage2.0.branches.1.0.conv1", Place("stage 2", BRANCH, 2, 0, 1)),
        ("stage3.0.fuse_layers.2.0.1.0.weight", Place("stage 3", FUSE, 3, 0, 2, 0)),
        ("stage3.0.fuse_layers.2", Place("stage 3", FUSE, 3, 0, 2)),
        ("stage4.0.relu", Place("stage 4", FUSE, 4, 0)),
        ("stage4", Place("stage 4", STAGE, 4)),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_name_tells_the_place(backbone, name, place, inside):
    network = nn.ModuleDict({"backbone": backbone}) if inside else backbone
    assert Places(network).of(f"backbone.{name}" if inside else name) == place


def test_what_stands_beside_the_backbone(backbone):
    model = nn.ModuleDict({"data_preprocessor": nn.Identity(), "backbone": backbone})
    places = Places(model)
    assert places.of("head.final_layer") == Place("head", HEAD)
    assert places.of("decode_head.convs.0.conv.weight").part == "head"
    assert places.of("auxiliary_head.0.conv_seg") == Place("auxiliary head", HEAD)
    assert places.of("neck.upsample") == Place("neck", NECK)
    assert places.of("data_preprocessor") == Place("other", OTHER)
    assert places.of("backbone") == Place("backbone", OTHER)


def test_another_backbone_is_one_part():
    places = Places(nn.ModuleDict({"backbone": nn.Sequential(nn.Conv2d(3, 3, 1))}))
    assert places.backbone_name is None
    assert places.of("backbone.0") == Place("backbone", OTHER)


@pytest.mark.parametrize("arch", ["w18_small_v1", "w18_small_v2", "litehrnet_18", "litehrnet_wider_naive"])
def test_every_parameter_has_a_place_and_every_branch_is_met(arch):
    network = (LiteHRNet if arch.startswith("lite") else HRNet)(arch)
    places = Places(network)
    found = [places.of(name) for name, _ in network.named_parameters()]
    assert {place.kind for place in found} >= {STEM, TRANSITION, BRANCH, FUSE}
    assert OTHER not in {place.kind for place in found}
    assert ("iterative head" in {place.part for place in found}) == arch.startswith("lite")
    last = max(place.stage for place in found if place.kind == BRANCH)
    branches = {place.branch for place in found if place.kind == BRANCH and place.stage == last}
    assert branches == set(range(len(branches)))
    assert len(branches) > 2


def test_the_frameworks_own_network_has_the_same_places():
    from mmpose.models.backbones import HRNet as Theirs

    ours = HRNet("w18_small_v1")
    one = {"num_modules": 1, "block": "BASIC"}
    extra = {
        "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": (1,),
                   "num_channels": (8,)},
        "stage2": {**one, "num_branches": 2, "num_blocks": (1, 1), "num_channels": (8, 16)},
        "stage3": {**one, "num_branches": 3, "num_blocks": (1, 1, 1), "num_channels": (8, 16, 32)},
        "stage4": {**one, "num_branches": 4, "num_blocks": (1,) * 4, "num_channels": (8, 16, 32, 64),
                   "multiscale_output": True},
    }  # fmt: skip
    theirs = Theirs(extra)
    wanted = {name for name, _ in theirs.named_parameters()}
    assert wanted
    for name in wanted:
        assert Places(theirs).of(name) == Places(ours).of(name), name
        assert Places(theirs).of(name).kind != OTHER


def test_labels_are_words():
    assert Place("stage 2", BRANCH, 2, 0, 2).label == "stage 2, module 1, branch 3"
    assert Place("stage 3", FUSE, 3, 1, 0, 2).label == "stage 3, module 2, fusion into branch 1 from branch 3"
    assert Place("transition 1", TRANSITION, 1, branch=1).label == "transition 1, into branch 2"
    assert Place("stage 4", FUSE, 4, 0).label == "stage 4, module 1, fusion"
    assert Place("stem", STEM).label == "stem"
