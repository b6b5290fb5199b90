"""The network by itself: shapes, sizes, gradients, freezing, any number of stages and branches."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from hrnet_plugin.archs import ZOO, BranchSpec, HRNetSpec, StageSpec
from hrnet_plugin.archs.spec import FUSE_METHODS, UPSAMPLE_MODES
from hrnet_plugin.bench.memory import allocated_during
from hrnet_plugin.errors import SpecError
from hrnet_plugin.nets import HRNet, Layers, Transition

SMALL = ZOO["w18_small_v1"]


def branch(width: int, block: str = "BASIC", depth: int = 1) -> BranchSpec:
    """A shallow branch."""
    return BranchSpec(block, depth, width)


@pytest.mark.parametrize("method", FUSE_METHODS)
@pytest.mark.parametrize("mode", UPSAMPLE_MODES)
@pytest.mark.parametrize("size", [(33, 33), (33, 64), (47, 95), (65, 50)])
def test_any_size_from_33_up_works_in_every_fuse_mode(method, mode, size):
    net = HRNet(SMALL.with_choices(fuse_method=method, upsample_mode=mode))
    image = torch.rand(2, 3, *size)
    outputs = net(image)
    for output, channels, stride in zip(outputs, net.out_channels, net.out_strides, strict=True):
        assert output.shape == (2, channels, math.ceil(size[0] / stride), math.ceil(size[1] / stride))
    sum(output.mean() for output in outputs).backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_three_stages_and_five_branches_with_blocks_of_their_own():
    stages = (
        StageSpec((branch(8, "BOTTLENECK"),)),
        StageSpec((branch(8, depth=2), branch(4, "BOTTLENECK"), branch(24))),
        StageSpec((branch(8), branch(16), branch(6, "BOTTLENECK"), branch(32, depth=3), branch(40)), num_modules=2),
    )
    net = HRNet(HRNetSpec(stages))
    outputs = net(torch.rand(2, 3, 64, 128))
    assert [tuple(out.shape[1:]) for out in outputs] == [
        (8, 16, 32), (16, 8, 16), (24, 4, 8), (32, 2, 4), (40, 1, 2),
    ]  # fmt: skip
    assert [len(b) for b in net.stage2[0].branches] == [2, 1, 1]
    assert not hasattr(net, "stage4")


def test_a_branch_that_changes_width_is_fed_its_own_predecessor():
    transition = Transition((2, 4), (3, 5, 6), Layers())
    low, high = torch.rand(2, 4, 4, 4), torch.rand(2, 2, 8, 8)
    first = transition([high, low])
    changed = transition([high + 1, low])
    assert [tuple(out.shape) for out in first] == [(2, 3, 8, 8), (2, 5, 4, 4), (2, 6, 2, 2)]
    assert not torch.equal(first[0], changed[0])
    assert torch.equal(first[1], changed[1])
    assert torch.equal(first[2], changed[2])


def test_mean_is_the_sum_divided_by_the_branches():
    single = (StageSpec((branch(4),)), StageSpec((branch(4), branch(8), branch(16))))
    total = HRNet(HRNetSpec(single)).eval()
    mean = HRNet(HRNetSpec(single, fuse_method="mean")).eval()
    mean.load_state_dict(total.state_dict())
    image = torch.rand(1, 3, 32, 32)
    for one, other in zip(total(image), mean(image), strict=True):
        torch.testing.assert_close(one / 3, other, rtol=1e-6, atol=0)


def test_concat_reduces_to_the_width_of_its_branch():
    net = HRNet(SMALL.with_choices(fuse_method="concat"))
    fuse = net.stage2[0].fuse_layers[1]
    assert tuple(fuse.reduce[0].weight.shape) == (32, 64, 1, 1)
    assert "stage2.0.fuse_layers.1.reduce.1.running_mean" in net.state_dict()


@pytest.mark.parametrize("with_cp", [True, "nested"])
@pytest.mark.parametrize("frozen", [-1, 1])
def test_checkpointing_changes_nothing(frozen, with_cp):
    plain, recomputed = HRNet(SMALL, frozen_stages=frozen), HRNet(SMALL, with_cp=with_cp, frozen_stages=frozen)
    recomputed.load_state_dict(plain.state_dict())
    image = torch.rand(2, 3, 64, 64)
    for net in (plain, recomputed):
        sum(out.square().mean() for out in net(image)).backward()
    gradients = [[parameter.grad for parameter in net.parameters()] for net in (plain, recomputed)]
    assert all(one is other is None or torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    # The second pass does not move the statistics of batch norms once more.
    theirs, ours = plain.state_dict(), recomputed.state_dict()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)
    assert int(ours["stage2.0.branches.0.0.bn1.num_batches_tracked"]) == 1


def test_with_cp_keeps_less():
    def kept(net: HRNet) -> int:
        sizes: dict[int, int] = {}

        def note(saved: torch.Tensor) -> torch.Tensor:
            sizes[saved.untyped_storage().data_ptr()] = saved.untyped_storage().nbytes()
            return saved

        with torch.autograd.graph.saved_tensors_hooks(note, lambda saved: saved):
            outputs = net(torch.rand(2, 3, 64, 64))
        weights = {parameter.untyped_storage().data_ptr() for parameter in net.parameters()}
        assert outputs
        return sum(size for pointer, size in sizes.items() if pointer not in weights)

    assert kept(HRNet(SMALL, with_cp=True)) < 0.3 * kept(HRNet(SMALL))


def test_the_deeper_the_checkpointing_the_less_memory():
    """Of activations alone: the image has the only gradient. In narrow networks stage 1 is the peak of both."""
    image = torch.rand(2, 3, 64, 64, requires_grad=True)

    def most(with_cp: bool | str) -> int:
        net = HRNet(ZOO["w48"], with_cp=with_cp).requires_grad_(False)
        return allocated_during(lambda: sum(out.square().mean() for out in net(image)).backward())

    plain, modules, nested = most(False), most(True), most("nested")
    assert modules < 0.4 * plain
    assert nested < 0.9 * modules


@pytest.mark.parametrize("with_cp", ["deep", None, 3])
def test_another_way_of_checkpointing_is_refused(with_cp):
    with pytest.raises(SpecError, match=r"with_cp: found .*, expected True, False or 'nested'"):
        HRNet(SMALL, with_cp=with_cp)


def test_train_and_eval_return_the_network():
    net = HRNet(SMALL)
    assert net.train() is net
    assert net.eval() is net


@pytest.mark.parametrize(
    ("frozen", "names"),
    [
        (-1, ()),
        (0, ("conv1", "bn1", "conv2", "bn2")),
        (2, ("conv1", "bn1", "conv2", "bn2", "layer1", "transition1", "stage2", "transition2")),
        (4, ("conv1", "bn1", "conv2", "bn2", "layer1", "transition1", "stage2", "transition2", "stage3",
             "transition3", "stage4")),
    ],
)  # fmt: skip
def test_frozen_stages_freeze_just_those(frozen, names):
    net = HRNet(SMALL, frozen_stages=frozen).train()
    for name, parameter in net.named_parameters():
        assert parameter.requires_grad == (name.split(".")[0] not in names), name
    for name, module in net.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.training == (name.split(".")[0] not in names), name


@pytest.mark.parametrize("frozen", [-2, 5])
def test_frozen_stages_out_of_range_are_refused(frozen):
    with pytest.raises(SpecError, match=f"frozen_stages: found {frozen}, expected -1 to 4"):
        HRNet(SMALL, frozen_stages=frozen)


def test_norm_eval_keeps_statistics_still_and_weights_learning():
    net = HRNet(SMALL, norm_eval=True).train()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
    assert all(norm.weight.requires_grad for norm in norms)
    assert net.training
    assert net.conv1.training


def test_the_callers_tensors_are_left_alone():
    module = HRNet(SMALL).stage2[0]
    entering = [torch.rand(1, 16, 8, 8), torch.rand(1, 32, 4, 4)]
    before = [tensor.clone() for tensor in entering]
    given = list(entering)
    module(given)
    assert all(one is other for one, other in zip(given, entering, strict=True))
    assert all(torch.equal(one, other) for one, other in zip(entering, before, strict=True))
