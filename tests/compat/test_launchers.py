from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hrnet_plugin.compat import launchers
from hrnet_plugin.errors import LaunchError


@pytest.fixture
def launch(monkeypatch):
    """mmengine's mended launcher, where the group that it starts only notes how it was asked for."""
    import mmengine.dist.utils as utils
    import torch

    asked = []
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "SLURM_LOCALID", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda **kwargs: asked.append(kwargs))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def launch(launcher: str, **environment: str) -> list[dict]:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        getattr(utils, f"_init_dist_{launcher}")("nccl", timeout=None)
        return asked

    return launch


def test_processes_on_a_machine_without_cuda_talk_over_gloo(unfixed, fixed):
    # torch without CUDA lacks the function, torch with CUDA the device.
    assert unfixed["launch"]["error"].startswith(("AttributeError", "RuntimeError", "AcceleratorError"))
    assert (fixed["launch"]["result"], fixed["launch"]["error"]) == ("gloo", None)


def test_every_launcher_takes_gloo_and_sets_no_device(launch):
    import torch

    set_device = torch.cuda.set_device
    assert launch("pytorch", RANK="1", LOCAL_RANK="1") == [{"backend": "gloo", "timeout": None}]
    environment = {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_NODELIST": "here", "MASTER_ADDR": "here"}
    assert launch("slurm", **environment)[1] == {"backend": "gloo", "timeout": None}
    environment = {"OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}
    assert launch("mpi", **environment)[2] == {"backend": "gloo", "timeout": None}
    assert torch.cuda.set_device is set_device


def test_more_processes_than_devices_are_refused_with_both_numbers(launch, monkeypatch):
    import torch

    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert launch("pytorch", RANK="1", LOCAL_RANK="1", LOCAL_WORLD_SIZE="3") == [{"backend": "nccl", "timeout": None}]
    assert chosen == [1]
    with pytest.raises(
        LaunchError, match=r"^3 processes on this machine: found 2 visible GPUs, expected one GPU for each\."
    ):
        launch("pytorch", RANK="2", LOCAL_RANK="2")


def test_a_missing_variable_of_the_launcher_is_named(launch):
    with pytest.raises(LaunchError, match=r"--launcher: found no environment variable RANK, .*torchrun"):
        launch("pytorch")


def test_a_port_in_use_is_named(launch, monkeypatch):
    import torch

    def refuse(**kwargs):
        raise RuntimeError("The server socket has failed to listen: EADDRINUSE, address already in use")

    monkeypatch.setattr(torch.distributed, "init_process_group", refuse)
    with pytest.raises(LaunchError, match=r"port 29517 of node7: found it is in use by another process"):
        launch("pytorch", RANK="0", LOCAL_RANK="0", MASTER_PORT="29517", MASTER_ADDR="node7")


def test_other_errors_of_the_group_pass(launch, monkeypatch):
    import torch

    def refuse(**kwargs):
        raise RuntimeError("no such network interface")

    monkeypatch.setattr(torch.distributed, "init_process_group", refuse)
    with pytest.raises(RuntimeError, match="no such network interface"):
        launch("pytorch", RANK="0", LOCAL_RANK="0")


def test_other_accelerators_are_left_to_mmengine():
    class Utils:
        is_npu_available = staticmethod(lambda: True)
        is_mlu_available = is_musa_available = staticmethod(lambda: False)

    assert launchers.FIX.detect(Utils) == launchers.Finding(False, "mmengine launches on npu by itself")


LEAVES = """
import os, sys
from pathlib import Path

def threads():
    return sorted(task.joinpath("comm").read_text().strip() for task in Path("/proc/self/task").iterdir())

import hrnet_plugin
import mmengine.dist
from hrnet_plugin.compat.launchers import leave_group
import torch

def train():
    runner = {"model": torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 2))}
    runner["hook"] = {"runner": runner}
    runner["model"](torch.ones(1, 2)).sum().backward()

mmengine.dist.init_dist("pytorch")
train()
print(threads())
leave_group()
print(threads())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the names of threads from /proc")
def test_no_thread_of_gloo_is_left_when_the_process_ends(project_root):
    rank = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LEAVES],
        env={**os.environ, **rank, "PYTHONPATH": str(project_root), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    while_training, after = done.stdout.splitlines()
    assert "gloo" in while_training
    assert "gloo" not in after
