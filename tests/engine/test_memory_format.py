"""Channels-last training: the same network, and an optimizer whose memory fits."""

from __future__ import annotations

import copy
import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from hrnet_plugin.archs import ZOO
from hrnet_plugin.engine import ChannelsLastHook, CheckpointFitHook
from hrnet_plugin.nets import HRNet


def in_order(tensor: torch.Tensor) -> bool:
    return tensor.is_contiguous(memory_format=torch.channels_last)


def steps(network: torch.nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    images = torch.randn(2, 4, 9, 9, generator=torch.Generator().manual_seed(1))
    for _ in range(count):
        optimizer.zero_grad()
        network(images).square().sum().backward()
        optimizer.step()


def trainer(fused: bool) -> SimpleNamespace:
    torch.manual_seed(0)
    model = torch.nn.Conv2d(4, 6, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=fused)
    return SimpleNamespace(model=model, optim_wrapper=OptimWrapper(optimizer))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("several", [True, False])
def test_a_resumed_optimizer_goes_on_as_if_nothing_had_changed(fused, several):
    plain, converted = trainer(fused), trainer(fused)
    steps(plain.model, plain.optim_wrapper.optimizer, 5)

    optimizer = converted.optim_wrapper.optimizer
    steps(converted.model, optimizer, 2)
    if several:
        converted.optim_wrapper = OptimWrapperDict(model=converted.optim_wrapper)
    ChannelsLastHook().before_train(converted)
    steps(converted.model, optimizer, 3)

    weight = converted.model.weight
    assert in_order(weight)
    assert in_order(optimizer.state[weight]["exp_avg"])
    torch.testing.assert_close(weight, plain.model.weight, rtol=1e-5, atol=1e-6)


def test_torch_itself_would_mix_up_the_moments():
    """When this fails, torch looks at the memory order by itself, and align_state can go."""
    plain, converted = trainer(fused=True), trainer(fused=True)
    steps(plain.model, plain.optim_wrapper.optimizer, 5)
    steps(converted.model, converted.optim_wrapper.optimizer, 2)
    converted.model.to(memory_format=torch.channels_last)
    steps(converted.model, converted.optim_wrapper.optimizer, 3)
    assert (converted.model.weight - plain.model.weight).abs().max() > 1e-2


@pytest.mark.parametrize("fused_before", [True, False])
@pytest.mark.parametrize("fused_now", [True, False])
@pytest.mark.parametrize("several", [True, False])
def test_a_run_resumed_without_the_option_goes_on_too(fused_before, fused_now, several, tmp_path):
    """torch brings back moments and flags as they were saved: those of a channels-last training, for one without."""
    plain, before, after = trainer(fused_now), trainer(fused_before), trainer(fused_now)
    steps(plain.model, plain.optim_wrapper.optimizer, 5)
    ChannelsLastHook().before_train(before)
    steps(before.model, before.optim_wrapper.optimizer, 2)

    optimizer = after.optim_wrapper.optimizer
    if several:
        before.optim_wrapper, after.optim_wrapper = (
            OptimWrapperDict(model=one.optim_wrapper) for one in (before, after)
        )
    after.logger, after.param_schedulers = logging.getLogger("test"), None
    hook = CheckpointFitHook("x.pth", resumes=True)
    saved = {"state_dict": before.model.state_dict(), "optimizer": before.optim_wrapper.state_dict()}
    checkpoint = {**copy.deepcopy(saved), "meta": {}, "message_hub": {}}
    hook.after_load_checkpoint(after, checkpoint)
    after.model.load_state_dict(checkpoint["state_dict"])
    after.optim_wrapper.load_state_dict(checkpoint["optimizer"])
    hook.before_train(after)
    assert [bool(group["fused"]) for group in optimizer.param_groups] == [fused_now]
    steps(after.model, optimizer, 3)
    torch.testing.assert_close(after.model.weight, plain.model.weight, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stage", ["before_val", "before_test"])
def test_features_keep_their_values_and_take_the_order(stage):
    network = HRNet(ZOO["w18_small_v1"]).eval()
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = network(images)
        getattr(ChannelsLastHook(), stage)(SimpleNamespace(model=network))
        found = network(images)
    assert all(in_order(feature) for feature in found)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
