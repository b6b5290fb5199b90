"""Processes that would begin from different states are stopped before the first step."""

from __future__ import annotations

PROCESS = """
import sys
from types import SimpleNamespace
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from hrnet_plugin.engine.resuming.common_start import check_common_start
from hrnet_plugin.errors import CheckpointError

rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=3)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2)).bfloat16()
joined = DistributedDataParallel(net)
net[1].running_mean += rank  # each process may have its own
check_common_start(SimpleNamespace(iter=7, model=joined))
for iteration, change in ((7 + rank // 2, 0), (7, rank % 2)):
    net[0].weight.data += change
    try:
        check_common_start(SimpleNamespace(iter=iteration, model=joined))
    except CheckpointError as error:
        print(error)
# Weights that are shared out are not compared.
check_common_start(SimpleNamespace(iter=7, model=net))
"""


def test_different_states_are_refused(run_processes):
    told = [out.splitlines() for out in run_processes(PROCESS, 3)]
    assert told[0] == told[1] == told[2]
    iterations, weights = told[0]
    assert "process 0, 1: iteration 7, weights " in iterations
    assert "; process 2: iteration 8, weights " in iterations
    assert "process 0, 2: iteration 7" in weights
    assert "; process 1: iteration 7" in weights
    assert "Put the work dir on a disk that all machines see" in weights
