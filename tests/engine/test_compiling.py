"""The backbone compiled in place; what it then computes is compared in `tests/cli/test_same_training.py`."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from hrnet_plugin.engine import CompileHook
from hrnet_plugin.errors import ConfigError


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_backbone_is_compiled_in_place(wrapped, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda function, **options: asked.append((function, options)) or function)
    model = Model()
    names = list(model.state_dict())
    CompileHook("reduce-overhead").before_train(SimpleNamespace(model=nn.DataParallel(model) if wrapped else model))
    ((function, options),) = asked
    assert function.__self__ is model.backbone
    assert options == {"mode": "reduce-overhead"}
    assert list(model.state_dict()) == names


@pytest.mark.parametrize(("mode", "rests"), [("default", False), ("reduce-overhead", True)])
def test_cuda_graphs_rest_in_a_validation(mode, rests, monkeypatch):
    compiled = []
    monkeypatch.setattr(
        torch, "compile", lambda function, **options: lambda *args: compiled.append(1) or function(*args)
    )
    runner, hook = SimpleNamespace(model=Model()), CompileHook(mode)

    def calls() -> int:
        before = len(compiled)
        runner.model.backbone(torch.zeros(1, 3, 2, 2))
        return len(compiled) - before

    hook.before_train(runner)
    assert calls() == 1
    hook.before_val(runner)
    assert calls() == (0 if rests else 1)
    hook.after_val(runner)
    assert calls() == 1


def test_a_model_without_backbone_is_refused():
    with pytest.raises(ConfigError, match="CompileHook: found Conv2d without a backbone"):
        CompileHook().before_train(SimpleNamespace(model=nn.Conv2d(3, 4, 1)))
