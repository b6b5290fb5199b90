"""The building blocks from a config, under OpenMMLab's and the original's argument names."""

from __future__ import annotations

import importlib

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from hrnet_plugin import BasicBlock, Bottleneck, HighResolutionModule
from hrnet_plugin.errors import SpecError

SHAPE = {"num_branches": 2, "blocks": "BASIC", "num_blocks": (1, 2), "num_channels": (4, 8)}


def branches() -> list[torch.Tensor]:
    """What enters a module of two branches."""
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(2, 4, 8, 12, generator=generator), torch.rand(2, 8, 4, 6, generator=generator)]


def test_the_module_builds_from_a_config_with_either_naming():
    openmmlab = MODELS.build(
        {"type": "hrnet_plugin.HighResolutionModule", **SHAPE, "in_channels": (4, 8), "multiscale_output": False}
    )
    original = HighResolutionModule(
        2, BasicBlock, (1, 2), num_inchannels=[4, 8], num_channels=[4, 8], fuse_method="SUM", multi_scale_output=False
    )
    original.load_state_dict(openmmlab.state_dict(), strict=True)
    one, other = openmmlab.eval()(branches()), original.eval()(branches())
    assert len(one) == len(other) == 1
    assert torch.equal(one[0], other[0])
    assert one[0].shape == (2, 4, 8, 12)


@pytest.mark.parametrize("framework", ["mmpose", "mmseg"])
@pytest.mark.parametrize("multiscale", [True, False])
def test_the_module_equals_the_frameworks_to_the_last_bit(framework, multiscale):
    theirs_package = importlib.import_module(f"{framework}.models.backbones.hrnet")
    theirs = theirs_package.HRModule(2, theirs_package.BasicBlock, (1, 2), [4, 8], (4, 8), multiscale_output=multiscale)
    upsample_mode = {"mmpose": "nearest", "mmseg": "bilinear"}[framework]
    ours = HighResolutionModule(**SHAPE, in_channels=(4, 8), multiscale_output=multiscale, upsample_mode=upsample_mode)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    results = list(zip(ours(branches()), theirs(branches()), strict=True))
    assert len(results) == (2 if multiscale else 1)
    assert max((one - other).abs().max().item() for one, other in results) == 0.0


def test_mmposes_upsample_cfg_is_understood():
    module = HighResolutionModule(**SHAPE, in_channels=(4, 8), upsample_cfg={"mode": "bilinear", "align_corners": True})
    path = getattr(module.fuse_layers[0], "1")
    assert (path.mode, path.align_corners) == ("bilinear", True)


def test_a_single_branch_has_nothing_to_fuse():
    module = HighResolutionModule(1, "BOTTLENECK", (2,), (8,), (4,))
    assert module.fuse_layers is None
    assert [tuple(out.shape) for out in module([torch.rand(1, 8, 6, 6)])] == [(1, 16, 6, 6)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_inchannels": (4, 8)}, "in_channels: found also num_inchannels"),
        ({"in_channels": None}, "in_channels: found nothing, expected a value"),
        ({"in_channels": (4, 8, 16)}, "in_channels: found 3 values, expected 2, one a branch"),
        ({"in_channels": (0, 8)}, "in_channels[0]: found 0, expected a whole number"),
        ({"in_channels": 4}, "in_channels: found 4, expected a list"),
        ({"multiscale_output": "no"}, "multiscale_output: found 'no', expected True or False"),
        ({"num_blocks": (1,)}, "num_blocks: found 1 values (1,), expected 2"),
        ({"num_channels": (4, 8, 16)}, "num_channels: found 3 values (4, 8, 16), expected 2"),
        ({"blocks": "BASICK"}, "block[0]: found 'BASICK', expected one of BASIC, BOTTLENECK"),
        ({"blocks": nn.Conv2d}, "blocks: found"),
        ({"fuse_method": "MAX"}, "fuse_method: found 'max', expected one of sum, mean, concat"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(change, message):
    with pytest.raises(SpecError) as error:
        HighResolutionModule(**{**SHAPE, "in_channels": (4, 8), **change})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("kind", "out_channels"), [(BasicBlock, 8), (Bottleneck, 32)], ids=["basic", "bottleneck"])
def test_blocks_build_from_a_config_and_project_their_shortcut(kind, out_channels):
    block = MODELS.build(
        {"type": f"hrnet_plugin.{kind.__name__}", "in_channels": 6, "width": 8, "stride": 2, "norm_cfg": {"type": "BN"}}
    )
    assert type(block) is kind
    assert block(torch.rand(2, 6, 9, 9)).shape == (2, out_channels, 5, 5)
    assert kind(out_channels, 8).downsample is None


@pytest.mark.parametrize("name", ["BasicBlock", "Bottleneck"])
def test_blocks_equal_mmsegs_to_the_last_bit(name):
    from mmseg.models.backbones import resnet

    theirs = getattr(resnet, name)(32, 8, downsample=None) if name == "Bottleneck" else getattr(resnet, name)(8, 8)
    ours = {"BasicBlock": BasicBlock, "Bottleneck": Bottleneck}[name](theirs.conv1.in_channels, 8)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.rand(2, theirs.conv1.in_channels, 7, 7)
    assert torch.equal(ours(x), theirs(x))


def test_gn_names_its_norms_as_released_weights_do():
    keys = BasicBlock(4, 4, norm_cfg={"type": "GN", "num_groups": 2}).state_dict()
    assert {key.split(".")[0] for key in keys} == {"conv1", "gn1", "conv2", "gn2"}
