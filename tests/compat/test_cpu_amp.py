"""cpu_amp, grad_scaler and bf16_to_numpy: what `--amp` meets on a machine without accelerator."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.compat import cpu_amp
from hrnet_plugin.errors import ConfigError


def test_amp_on_the_cpu_trains_in_bfloat16(unfixed, fixed):
    assert unfixed["amp"]["error"].startswith("AssertionError: ``AmpOptimizerWrapper`` is only available")
    # Four weights, input 1, learning rate 0.5: the step is 0.5 exactly, so nothing was scaled.
    assert fixed["amp"] == {"result": ["torch.bfloat16", [0.5] * 4], "error": None, "warnings": []}


def test_the_scaler_is_not_announced_as_deprecated(unfixed, fixed):
    assert any("torch.cuda.amp.GradScaler" in warning for warning in unfixed["grad_scaler"]["warnings"])
    assert fixed["grad_scaler"] == {"result": False, "error": None, "warnings": []}


def test_heads_turn_bfloat16_into_numpy(unfixed, fixed):
    assert unfixed["to_numpy"]["error"] == "TypeError: Got unsupported ScalarType BFloat16"
    assert fixed["to_numpy"]["result"] == ["float32", [1.5, -2.0], [[[[1.0]], [[1.0]]], [[[1.0]], [[1.0]]]]]


@pytest.fixture
def wrapper(monkeypatch):
    """A class like mmengine's wrapper, mended for the CPU."""

    class OptimWrapper:
        def __init__(self, optimizer=None):
            self.optimizer = optimizer

    class AmpOptimWrapper(OptimWrapper):
        def __init__(self, **kwargs):
            raise AssertionError("accelerators only")

    wrappers = type("wrappers", (), {"AmpOptimWrapper": AmpOptimWrapper})
    cpu_amp.FIX.act(wrappers)
    return AmpOptimWrapper


@pytest.mark.parametrize("loss_scale", ["dynamic", 512.0, {"init_scale": 512.0}])
@pytest.mark.parametrize("dtype", [None, "bfloat16", torch.bfloat16])
def test_every_scale_and_bfloat16_are_accepted(wrapper, loss_scale, dtype):
    built = wrapper(loss_scale=loss_scale, dtype=dtype, optimizer="sgd")
    assert (built.cast_dtype, built.optimizer, built.loss_scaler.is_enabled()) == (torch.bfloat16, "sgd", False)


@pytest.mark.parametrize("dtype", ["float16", torch.float16, "float32", torch.float64])
def test_other_dtypes_are_refused_by_name(wrapper, dtype):
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(ConfigError, match=rf"optim_wrapper\.dtype .*found {name}, expected bfloat16\. Leave dtype out"):
        wrapper(dtype=dtype)


def test_what_a_gpu_would_refuse_is_refused(wrapper):
    with pytest.raises(ConfigError, match=r"loss_scale: found 'static'"):
        wrapper(loss_scale="static")
    with pytest.raises(ConfigError, match="use_fsdp"):
        wrapper(use_fsdp=True)


def test_a_checkpoint_moves_between_cpu_and_gpu_scalers(wrapper):
    scaler = wrapper().loss_scaler
    other = torch.amp.GradScaler("cpu", init_scale=4.0)
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 65536.0
    scaler.load_state_dict(other.state_dict())
    assert not scaler.is_enabled()
