"""A runtime is put into the model before the test, and what is told of it is true."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hrnet_plugin.deploy import in_framework, runtime_hook
from hrnet_plugin.deploy.in_framework import starter
from hrnet_plugin.deploy.runtime_hook import FRAMEWORK, RuntimeHook
from hrnet_plugin.deploy.runtimes.base import Runtime
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError


class Detector(nn.Module):
    """A model that is none of those that can run through a runtime."""


def test_the_network_is_exchanged(pose_model):
    model = copy.deepcopy(pose_model)
    hook = RuntimeHook("torch", "fp32", 1)
    hook.before_test(SimpleNamespace(model=model))
    assert not any(name.startswith("backbone") for name in model.state_dict())
    images = torch.randn(1, 3, 128, 96)
    with torch.no_grad():
        expected = TensorModel(pose_model)(images)[0]
        found = model.head.forward(model.extract_feat(images))
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5
    assert hook.summary() == "torch fp32"


def test_the_framework_s_own_modules_stay(pose_model):
    model = copy.deepcopy(pose_model)
    hook = RuntimeHook(FRAMEWORK)
    hook.before_test(SimpleNamespace(model=model))
    assert model.state_dict().keys() == pose_model.state_dict().keys()
    assert hook.summary() == "framework fp32"


def test_threads_are_also_those_of_the_framework_s_own_modules(monkeypatch):
    seen = []
    monkeypatch.setattr(runtime_hook, "set_torch_threads", seen.append)
    RuntimeHook(FRAMEWORK, threads=3).before_test(SimpleNamespace(model=Detector()))
    RuntimeHook("torch", threads=5, required=False).before_test(SimpleNamespace(model=Detector()))
    assert seen == [3, 5]


def test_a_default_that_cannot_be_is_told_and_a_wish_is_refused():
    notices: list[str] = []
    hook = RuntimeHook("torch", required=False, notices=notices)
    hook.before_test(SimpleNamespace(model=Detector()))
    assert notices == ["runtime torch cannot compute a Detector: the framework's own modules did"]
    assert hook.summary() == "framework fp32"
    with pytest.raises(
        ConfigError, match="--runtime with a model of type Detector: found no head, expected a top-down"
    ):
        RuntimeHook("torch").before_test(SimpleNamespace(model=Detector()))


def test_the_rate_leaves_out_the_first_batch(monkeypatch):
    clock = iter([0.0, 100.0, 100.5, 200.0, 200.5])
    monkeypatch.setattr(runtime_hook.time, "perf_counter", lambda: next(clock))
    hook = RuntimeHook("openvino", "bf16")
    assert hook.summary() == "openvino bf16"
    for index, count in enumerate((4, 4, 2)):
        hook.before_test_iter(None, index)
        hook.after_test_iter(None, index, outputs=[object()] * count)
    assert hook.summary() == "openvino bf16, 6.0 images/s"


def test_every_size_is_calibrated_with_the_same_images(pose_network, monkeypatch):
    """Images may be read but once, and come in one size; a quantiser wants each network's own."""
    seen = []
    monkeypatch.setattr(
        in_framework, "start_runtime", lambda *_, calibration, **others: seen.append([x.shape for x in calibration])
    )
    start = starter("openvino", "int8", 1, iter([torch.zeros(1, 3, 64, 64)] * 3))
    start(pose_network, (64, 64))
    start(pose_network, (96, 64))
    assert seen == [[(1, 3, 64, 64)] * 3, [(1, 3, 64, 96)] * 3]


class Counted(Runtime):
    """Gives its images back."""

    name, precisions = "counted", ("fp32",)

    def _compute(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (images,)


def test_runtimes_of_few_sizes_are_kept(pose_network):
    started = []

    def start(network: TensorModel, size: tuple[int, int]) -> Runtime:
        started.append(size)
        return Counted()

    computed = in_framework._Computed(pose_network, start)
    for width in (64, 96, 128, 160, 192, 192, 96, 64):
        assert computed(torch.zeros(1, 3, 64, width))[0].shape[3] == width
    assert started == [(width, 64) for width in (64, 96, 128, 160, 192, 64)]
