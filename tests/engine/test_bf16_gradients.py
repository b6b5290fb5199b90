"""Gradients in bfloat16: who is told, and who refuses. What they become is shown in `tests/distributed`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.engine import Bf16GradientsHook
from hrnet_plugin.errors import ConfigError


class Wrapped(DistributedDataParallel):
    """A wrapper without processes, which refuses what it is told as torch does."""

    def __init__(self, refusal: str = ""):
        torch.nn.Module.__init__(self)
        self.module, self.refusal, self.told = torch.nn.Linear(2, 2), refusal, []

    def register_comm_hook(self, state, hook):
        if self.refusal:
            raise TypeError(self.refusal)
        self.told.append(hook)


def runner(model: torch.nn.Module, distributed: bool = True) -> SimpleNamespace:
    return SimpleNamespace(model=model, distributed=distributed)


def test_the_wrapper_is_told_once():
    model = Wrapped()
    Bf16GradientsHook().before_train(runner(model))
    assert len(model.told) == 1


def test_one_process_sends_nothing():
    Bf16GradientsHook().before_train(runner(torch.nn.Linear(2, 2), distributed=False))


def test_another_wrapper_is_refused():
    with pytest.raises(ConfigError, match=r"bf16_gradients: found a model wrapped in Linear, expected Distributed"):
        Bf16GradientsHook().before_train(runner(torch.nn.Linear(2, 2)))


def test_a_library_that_does_not_add_bf16_is_told_in_one_line():
    with pytest.raises(
        ConfigError, match=r"bf16_gradients: found .*required NCCL 2\.10\+\. Leave --bf16-gradients out"
    ):
        Bf16GradientsHook().before_train(runner(Wrapped("BF16 all reduce communication hook required NCCL 2.10+")))
