"""The lite network by itself: shapes, sizes, gradients, any number of stages and branches."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from hrnet_plugin.archs import LiteHRNetSpec, LiteStageSpec, LiteStemSpec
from hrnet_plugin.archs.lite import MODULE_TYPES
from hrnet_plugin.nets import Layers, LiteHRNet
from hrnet_plugin.nets.lite_layers import interleave

SMALL = LiteHRNetSpec.of_width(8, num_modules=(1, 1, 1), multiscale_output=True)
NAIVE = LiteHRNetSpec.of_width(8, num_modules=(1, 1, 1), module_type="NAIVE", multiscale_output=True)
SPECS = dict(zip(MODULE_TYPES, (SMALL, NAIVE), strict=True))


@pytest.mark.parametrize("kind", MODULE_TYPES)
@pytest.mark.parametrize("with_head", [True, False])
@pytest.mark.parametrize("size", [(33, 33), (47, 95), (65, 50)])
def test_any_size_from_33_up_works(kind, with_head, size):
    net = LiteHRNet(SPECS[kind].with_choices(with_head=with_head))
    outputs = net(torch.rand(2, 3, *size))
    for output, channels, stride in zip(outputs, net.out_channels, net.out_strides, strict=True):
        assert output.shape == (2, channels, math.ceil(size[0] / stride), math.ceil(size[1] / stride))
    sum(output.mean() for output in outputs).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_five_branches_in_two_stages_after_a_widening_stem():
    stages = (
        LiteStageSpec((12, 20), num_modules=2, num_blocks=3, with_fuse=False),
        LiteStageSpec((12, 24, 8, 16, 32), module_type="NAIVE"),
    )
    spec = LiteHRNetSpec(stages, LiteStemSpec(16, 24, expand_ratio=1.5), with_head=False, multiscale_output=True)
    net = LiteHRNet(spec)
    assert [tuple(out.shape[1:]) for out in net(torch.rand(2, 3, 64, 128))] == [
        (12, 16, 32), (24, 8, 16), (8, 4, 8), (16, 2, 4), (32, 1, 2),
    ]  # fmt: skip
    assert [len(module.layers) for module in net.stage0] == [3, 3]
    assert net.stage0[0].fuse_layers is None
    assert net.stem.expand_conv.conv.out_channels == 24
    assert not hasattr(net, "stage2")


@pytest.mark.parametrize("kind", MODULE_TYPES)
def test_a_stage_of_one_branch_runs_all_its_blocks(kind):
    spec = LiteHRNetSpec((LiteStageSpec((32,), num_blocks=3, module_type=kind),), with_head=False)
    net = LiteHRNet(spec)
    (out,) = net(torch.rand(2, 3, 32, 32))
    assert out.shape == (2, 32, 8, 8)
    out.mean().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_single_scale_is_the_first_of_all_scales():
    every = LiteHRNet(SMALL).eval()
    single = LiteHRNet(SMALL.with_choices(multiscale_output=False)).eval()
    single.load_state_dict(every.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    outputs = single(image)
    assert len(outputs) == 1
    assert torch.equal(outputs[0], every(image)[0])


@pytest.mark.parametrize("widths", [(3, 3), (2, 6)])
def test_interleaving_is_a_channel_shuffle_in_two_groups(widths):
    first, second = (torch.rand(2, width, 4, 5) for width in widths)
    joined = torch.cat((first, second), dim=1)
    assert torch.equal(interleave(first, second), nn.functional.channel_shuffle(joined, 2))
    assert not torch.equal(interleave(first, second), joined)


@pytest.mark.parametrize("kind", MODULE_TYPES)
def test_checkpointing_changes_no_gradient(kind):
    plain, recomputed = LiteHRNet(SPECS[kind]), LiteHRNet(SPECS[kind], with_cp=True)
    recomputed.load_state_dict(plain.state_dict())
    image = torch.rand(2, 3, 64, 64)
    gradients = []
    for net in (plain, recomputed):
        sum(out.square().mean() for out in net(image)).backward()
        gradients.append([parameter.grad for parameter in net.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert any(gradient.abs().max() > 0 for gradient in gradients[0])


def test_norms_take_their_name_and_kind_from_the_factories():
    layers = Layers(norm=lambda channels: nn.GroupNorm(1, channels), norm_name="gn")
    net, plain = LiteHRNet(SMALL, layers=layers), LiteHRNet(SMALL)
    norms = [module for module in net.modules() if isinstance(module, nn.GroupNorm)]
    assert len(norms) == sum(isinstance(module, nn.BatchNorm2d) for module in plain.modules())
    assert "stem.conv1.gn.weight" in net.state_dict()
    assert not any(".bn." in key for key in net.state_dict())


def test_norm_eval_keeps_statistics_still_and_weights_learning():
    net = LiteHRNet(SMALL, norm_eval=True)
    assert net.train() is net
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
    assert all(norm.weight.requires_grad for norm in norms)
    assert net.training
    before = {name: value.clone() for name, value in net.named_buffers()}
    net(torch.rand(2, 3, 64, 64))
    assert all(torch.equal(before[name], value) for name, value in net.named_buffers())


def test_the_callers_tensors_are_left_alone():
    for spec in SPECS.values():
        module = LiteHRNet(spec).stage0[0]
        entering = [torch.rand(1, 8, 8, 8), torch.rand(1, 16, 4, 4)]
        before = [tensor.clone() for tensor in entering]
        given = list(entering)
        module(given)
        assert all(one is other for one, other in zip(given, entering, strict=True))
        assert all(torch.equal(one, other) for one, other in zip(entering, before, strict=True))


def test_evaluation_runs_each_downsampling_path_once_and_training_twice():
    net = LiteHRNet(SMALL)
    path = net.stage0[0].fuse_layers[1].get_submodule("0")
    runs = []
    path.register_forward_hook(lambda *_: runs.append(net.training))
    for training in (True, False):
        net.train(training)(torch.rand(2, 3, 64, 64))
    assert runs == [True, True, False]
