"""Networks with sums and ReLUs inside their convolutions against the same networks without."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.archs import BranchSpec
from hrnet_plugin.archs.spec import Fusion
from hrnet_plugin.deploy import reparameterize
from hrnet_plugin.deploy.rewrites.fused_block import FusedBlock
from hrnet_plugin.deploy.rewrites.fused_conv import FusedConv2d, can_fuse
from hrnet_plugin.deploy.rewrites.fused_fuse import FusedFuse
from hrnet_plugin.deploy.rewrites.fusing import fuse_convolutions
from hrnet_plugin.models import HRNet
from hrnet_plugin.nets import HighResolutionModule
from hrnet_plugin.nets.blocks import BasicBlock

NORMS = nn.modules.batchnorm._BatchNorm


def far_from_neutral(network: nn.Module) -> nn.Module:
    """In evaluation mode, with statistics that a norm does not begin with."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, NORMS):
            module.running_mean.uniform_(-0.3, 0.3, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.5, 1.0, generator=generator)
    return network.eval()


def fused(network: nn.Module) -> nn.Module:
    """The network folded, and rewritten."""
    network = reparameterize(network)
    fuse_convolutions(network)
    return network


def furthest(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> float:
    """The largest difference, relative to the largest value of each output."""
    pairs = list(zip(ours, theirs, strict=True))
    assert pairs
    assert all(one.shape == other.shape for one, other in pairs)
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)


@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("arch", ["w18_small_v1", "w18_small_v2"])
def test_a_network_stays_the_same(arch, layout, size):
    network = far_from_neutral(HRNet(arch))
    rewritten = fused(network).to(memory_format=layout)
    images = torch.rand(2, 3, *size).to(memory_format=layout)
    with torch.inference_mode():
        assert furthest(rewritten(images), network(images)) < 1e-5
    kinds = {type(module) for module in rewritten.modules()}
    assert {FusedBlock, FusedFuse, FusedConv2d} <= kinds
    assert not any(can_fuse(module) for module in rewritten.modules())


@pytest.mark.parametrize("method", ["sum", "mean", "concat"])
@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("multiscale", [True, False])
def test_a_module_of_any_fusion_stays_the_same(method, mode, multiscale):
    widths = (4, 6, 8)
    branches = [BranchSpec("BASIC", 2, width) for width in widths]
    fusion = Fusion(method=method, upsample_mode=mode, align_corners=False)
    module = far_from_neutral(HighResolutionModule(branches, widths, fusion, multiscale))
    rewritten = fused(module)
    features = [torch.randn(1, width, 32 >> index, 24 >> index) for index, width in enumerate(widths)]
    kept = [feature.clone() for feature in features]
    with torch.inference_mode():
        assert furthest(tuple(rewritten(features)), tuple(module(features))) < 1e-5
    assert all(torch.equal(one, other) for one, other in zip(features, kept, strict=True))
    has_sum = any(isinstance(part, FusedFuse) for part in rewritten.modules())
    assert has_sum == (method == "sum")


def test_bottlenecks_and_shortcuts_stay_the_same():
    branches = [BranchSpec("BOTTLENECK", 2, 4), BranchSpec("BASIC", 1, 8)]
    module = far_from_neutral(HighResolutionModule(branches, (8, 6)))
    rewritten = fused(module)
    features = [torch.randn(1, 8, 16, 16), torch.randn(1, 6, 8, 8)]
    with torch.inference_mode():
        assert furthest(tuple(rewritten(features)), tuple(module(features))) < 1e-5


def test_gradients_other_numbers_and_other_sizes_go_through_torchs_own_operators():
    network = far_from_neutral(HRNet("w18_small_v1"))
    rewritten = fused(network)
    images = torch.rand(1, 3, 64, 64)
    ours, theirs = images.clone().requires_grad_(), images.clone().requires_grad_()
    sum(out.sum() for out in rewritten(ours)).backward()
    sum(out.sum() for out in network(theirs)).backward()
    assert furthest((ours.grad,), (theirs.grad,)) < 1e-4
    with torch.inference_mode():
        rewritten(images)
        larger = torch.rand(3, 3, 96, 32)
        assert furthest(rewritten(larger), network(larger)) < 1e-5
        folded = reparameterize(network).double()
        assert furthest(rewritten.double()(images.double()), folded(images.double())) < 1e-12


def test_new_weights_are_seen_and_a_copy_is_its_own():
    network = far_from_neutral(HRNet("w18_small_v1"))
    rewritten = fused(network)
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = rewritten(images)
        copied = pickle.loads(pickle.dumps(copy.deepcopy(rewritten)))
        assert furthest(copied(images), before) == 0
        assert furthest(rewritten.bfloat16()(images.bfloat16()), before) < 0.1


@pytest.mark.parametrize("obstacle", ["hook", "padding", "subclass"])
def test_a_convolution_that_does_more_is_left_alone(obstacle):
    class Own(nn.Conv2d):
        pass

    conv = Own(3, 3, 1) if obstacle == "subclass" else nn.Conv2d(3, 3, 3, padding=1)
    if obstacle == "hook":
        conv.register_forward_hook(lambda *_: None)
    if obstacle == "padding":
        conv = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect")
    network = nn.Sequential(conv, nn.ReLU())
    fuse_convolutions(network)
    assert network[0] is conv
    assert len(network) == 2


def test_the_optimised_network_is_exported_without_operators_of_its_own():
    rewritten = fused(far_from_neutral(HRNet("w18_small_v1")))
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        program = torch.export.export(rewritten, (images,))
        used = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
        assert not any("mkldnn" in name for name in used)
        assert furthest(program.module()(images), rewritten(images)) < 1e-5


def test_nothing_is_overwritten_that_somebody_else_reads():
    """Features that are given stay as they were."""
    branches = [BranchSpec("BASIC", 3, 4), BranchSpec("BOTTLENECK", 2, 8)]
    module = far_from_neutral(HighResolutionModule(branches, (4, 32)))
    rewritten = fused(module)
    blocks = [part for part in rewritten.modules() if isinstance(part, FusedBlock)]
    assert [block.owns_input for block in blocks] == [False, True, True, False, True]
    features = [torch.randn(1, 4, 16, 16), torch.randn(1, 32, 8, 8)]
    kept = [feature.clone() for feature in features]
    with torch.inference_mode():
        first = [out.clone() for out in rewritten(features)]
        assert all(torch.equal(one, other) for one, other in zip(features, kept, strict=True))
        assert all(torch.equal(one, other) for one, other in zip(rewritten(features), first, strict=True))


def test_a_block_that_stands_in_two_places_keeps_its_input():
    block = far_from_neutral(nn.Sequential(BasicBlock(4, 4)))[0]
    rewritten = fused(nn.Sequential(block, block).eval())
    images = torch.randn(1, 4, 8, 8)
    kept = images.clone()
    with torch.inference_mode():
        assert furthest((rewritten(images),), (block(block(images)),)) < 1e-5
    assert torch.equal(images, kept)


def test_a_norm_within_a_strided_path_that_has_a_hook_stays():
    branches = [BranchSpec("BASIC", 1, width) for width in (4, 6, 8)]
    module = far_from_neutral(HighResolutionModule(branches, (4, 6, 8)))
    module.fuse_layers[2].get_submodule("0.0.1").register_forward_hook(lambda *_: None)
    rewritten = fused(module)
    features = [torch.randn(1, width, 32 >> index, 24 >> index) for index, width in enumerate((4, 6, 8))]
    with torch.inference_mode():
        assert furthest(tuple(rewritten(features)), tuple(module(features))) < 1e-5
