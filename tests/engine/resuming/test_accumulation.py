"""Trainings that are stopped while updates wait for more batches."""

from __future__ import annotations

import pytest

from hrnet_plugin.errors import ConfigError

PROCESS = """
import sys
from types import SimpleNamespace
import torch
import torch.distributed as dist
from mmengine.optim import OptimWrapper
from hrnet_plugin.engine.resuming.accumulation import waiting_gradients

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
net = torch.nn.ParameterDict({name: torch.nn.Parameter(torch.ones(1)) for name in ("both", "own0", "own1", "none")})
wrapper = OptimWrapper(torch.optim.SGD(net.parameters(), lr=1), accumulative_counts=2)
wrapper.update_params(2 * (net["both"] * (rank + 1) + net[f"own{rank}"] * 4).sum())
waiting = waiting_gradients(SimpleNamespace(model=net, optim_wrapper=wrapper))
dist.all_reduce(torch.ones(1))  # would be joined with a reduction that the other has one more of
print({name: float(gradient) for name, gradient in waiting.items()}, net["none"].grad)
"""


class Gradients:
    """Whether there are gradients before an iteration."""

    def __init__(self, small, iteration: int):
        class Hook(small.Hook):
            def before_train_iter(self, runner, *_, **__):
                if runner.iter == iteration:
                    self.found = [name for name, one in runner.model.named_parameters() if one.grad is not None]

        self.hook = Hook()


def test_processes_need_not_use_the_same_parameters(run_processes):
    told = [out.splitlines()[-1:] for out in run_processes(PROCESS, 2)]
    assert told == [["{'both': 1.5, 'own0': 2.0, 'own1': 2.0} None"]] * 2


@pytest.mark.parametrize(
    "change", [{"wrapper": {"accumulative_counts": 1}}, {"batch": 6, "wrapper": {"accumulative_counts": 2}}]
)
def test_an_update_of_other_batches_begins_anew(small, tmp_path, change):
    small.run(tmp_path, "iterations", wrapper={"accumulative_counts": 4}, hooks=[small.StopAfter(3)])
    gradients = Gradients(small, 3)
    hooks = [gradients.hook, small.StopAfter(4)]
    small.run(tmp_path, "iterations", resume=True, on_batch_change="keep", hooks=hooks, **change)
    assert gradients.hook.found == []
    assert "in the middle of an update with other batches, 1 x 3 x 4 at the checkpoint, 1 x " in small.logged(tmp_path)
    assert "what had been accumulated for it is dropped" in small.logged(tmp_path)


def test_of_two_optimizers_one_goes_on(small, tmp_path):
    small.run(tmp_path, two_optimizers=(4, 4), hooks=[small.StopAfter(3)])
    gradients = Gradients(small, 3)
    options = {"resume": True, "two_optimizers": (4, 2), "on_batch_change": "keep"}
    runner = small.run(tmp_path, hooks=[gradients.hook, small.StopAfter(4)], **options)
    assert gradients.hook.found == ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert [part.inner_count for part in runner.optim_wrapper.values()] == [4, 1]
    assert "1 x 3 x (first 4, last 4) at the checkpoint, 1 x 3 x (first 4, last 2) now" in small.logged(tmp_path)


def test_other_batches_of_one_of_two_optimizers_are_refused(small, tmp_path):
    small.run(tmp_path, two_optimizers=(4, 4), hooks=[small.StopAfter(3)])
    with pytest.raises(ConfigError, match=r"found 12 now \(1 x 3 x \(first 4, last 2\)\), expected 12"):
        small.run(tmp_path, resume=True, two_optimizers=(4, 2))
    with pytest.raises(ConfigError, match="rescale: found several optimizers"):
        small.run(tmp_path, resume=True, two_optimizers=(4, 2), on_batch_change="rescale")
