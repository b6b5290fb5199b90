from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from hrnet_plugin.compat import launchers
from hrnet_plugin.errors import LaunchError

SLURM = {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_NODELIST": "n[1-2]", "SLURM_LOCALID": "0"}
MPI = {"OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}


@pytest.fixture
def launch(monkeypatch):
    """mmengine's mended launcher, where the group that it starts only notes how it was asked for."""
    import mmengine.dist.utils as utils
    import torch

    asked = []
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", *SLURM, *MPI):
        monkeypatch.setenv(name, "0")
        monkeypatch.delenv(name)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda **kwargs: asked.append(kwargs))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def launch(launcher: str, timeout: timedelta | None = None, **environment: str) -> list[dict]:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        getattr(utils, f"_init_dist_{launcher}")("nccl", timeout=timeout)
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
    environment = {name: value for name, value in SLURM.items() if name != "SLURM_LOCALID"}
    assert launch("slurm", **environment, MASTER_ADDR="here")[1] == {"backend": "gloo", "timeout": None}
    assert launch("mpi", **MPI)[2] == {"backend": "gloo", "timeout": None}
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


@pytest.mark.parametrize(
    ("launcher", "wrong", "told"),
    [
        ("pytorch", {"RANK": "x"}, "RANK 'x': expected a number from 0 to 65535"),
        ("pytorch", {"RANK": "2", "WORLD_SIZE": "2"}, "RANK 2: expected a number below WORLD_SIZE, 2"),
        ("pytorch", {"LOCAL_WORLD_SIZE": ""}, "LOCAL_WORLD_SIZE '': expected a number from 1"),
        ("pytorch", {"MASTER_PORT": "abc"}, "MASTER_PORT 'abc': expected a number from 0 to 65535"),
        ("pytorch", {"MASTER_PORT": "99999"}, "MASTER_PORT '99999': expected"),
        ("pytorch", {"MASTER_PORT": "9" * 5000}, "MASTER_PORT '999"),
        ("slurm", {**SLURM, "SLURM_NTASKS": "abc"}, "SLURM_NTASKS 'abc': expected a number from 1"),
        ("slurm", {**SLURM, "SLURM_LOCALID": "\u0663"}, "SLURM_LOCALID '\u0663': expected a number"),
        ("mpi", {**MPI, "OMPI_COMM_WORLD_SIZE": "-2"}, "OMPI_COMM_WORLD_SIZE '-2': expected"),
    ],
)
def test_numbers_that_are_none_are_named(launch, launcher, wrong, told):
    with pytest.raises(LaunchError, match=f"^{told}"):
        launch(launcher, **{"RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "here", **wrong})


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (None, "No such file"),
        ("echo no controller at n1 >&2; exit 1", "no controller at n1"),
        ("exit 0", "no output"),
    ],
)
def test_a_slurm_that_does_not_say_where_is_told(launch, monkeypatch, tmp_path, program, told):
    monkeypatch.setenv("PATH", str(_scontrol(tmp_path, program)))
    with pytest.raises(
        LaunchError, match=rf"`scontrol show hostnames n\[1-2\]` does not say it: .*{told}.*MASTER_ADDR"
    ):
        launch("slurm", **SLURM)


def test_the_first_node_of_slurm_is_the_address(launch, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", f"{_scontrol(tmp_path, 'echo n1; echo n2')}:{os.environ['PATH']}")
    launch("slurm", **SLURM)
    assert os.environ["MASTER_ADDR"] == "n1"


def _scontrol(folder: Path, program: str | None) -> Path:
    if program is not None:
        (folder / "scontrol").write_text(f"#!/bin/sh\n{program}\n")
        (folder / "scontrol").chmod(0o755)
    return folder


def test_processes_may_come_late(launch):
    """The silence after which a lost one is noticed is not for those that are yet to be started."""
    half_a_minute, an_hour = timedelta(seconds=30), timedelta(hours=1)
    assert launch("pytorch", half_a_minute, RANK="0", LOCAL_RANK="0")[0]["timeout"] == timedelta(minutes=30)
    assert launch("pytorch", an_hour)[1]["timeout"] == an_hour


def test_a_process_that_waits_for_the_others_can_be_ended(launch, monkeypatch):
    """No handler of Python's is called meanwhile."""
    import torch

    seen = []
    monkeypatch.setattr(
        torch.distributed, "init_process_group", lambda **_: seen.append(signal.getsignal(signal.SIGTERM))
    )
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        listening = signal.getsignal(signal.SIGTERM)
        launch("pytorch", RANK="0", LOCAL_RANK="0")
        assert (seen, signal.getsignal(signal.SIGTERM)) == ([signal.SIG_DFL], listening)
    finally:
        signal.signal(signal.SIGTERM, before)


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

mmengine.dist.init_dist("pytorch", timeout=7)
from torch.distributed import distributed_c10d
group = distributed_c10d._get_default_group()._get_backend(torch.device("cpu"))
print(group.options._timeout.seconds, distributed_c10d._get_default_store().timeout.seconds)
del group
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
    silence, while_training, after = done.stdout.splitlines()
    assert silence == "7 7"  # once they have met
    assert "gloo" in while_training
    assert "gloo" not in after
