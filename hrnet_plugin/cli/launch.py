"""The start of a run: what the launcher should have set, ports, devices; signals before a training has begun."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from hrnet_plugin.compat.launchers import check_numbers, find_first_node, port_in_use, too_few_devices
from hrnet_plugin.config_tree import child
from hrnet_plugin.errors import LaunchError, Preempted

if TYPE_CHECKING:
    from mmengine.config import Config

_NEEDED = {
    "pytorch": ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_NODELIST"),
    "mpi": ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
}
_START_WITH = {
    "pytorch": "tools/dist_train.sh or tools/dist_test.sh (or torchrun)",
    "slurm": "tools/slurm_train.sh or tools/slurm_test.sh (or srun)",
    "mpi": "mpirun",
}


#: What schedulers send before they kill, as in `engine.preemption`, which would import torch.
_ASK_FOR_ROOM = (signal.SIGTERM, signal.SIGUSR1)
#: Of <sys/prctl.h>: the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1
#: Seconds after which a process that has fallen silent is taken as gone, so that a job is down within two minutes;
#: torch's own are 600 (nccl) and 1800 (gloo).
#: Waiting for an evaluation of the first process is not counted (`compat.patient_broadcast`).
SILENCE = 110


def notice_silence(cfg: Config) -> None:
    """Has lost processes and cut links noticed after :data:`SILENCE`, unless the config says when."""
    child(child(cfg, "env_cfg"), "dist_cfg").setdefault("timeout", SILENCE)


def check_launch(launcher: str) -> list[str]:
    """Check that the processes can be joined and that each has a device of its own.

    Returns:
        What the user should be told: that several processes share a CPU.

    Raises:
        LaunchError: nothing launched the process, or with numbers that are none; the port is taken; there are too few
            GPUs; Slurm does not say where the first process runs.
    """
    if launcher == "none":
        return []
    for name in _NEEDED[launcher]:
        if not os.environ.get(name):
            raise LaunchError(
                f"--launcher {launcher}",
                found=f"no {name} in the environment",
                do=f"Start the processes with {_START_WITH[launcher]}",
            )
    check_numbers(launcher)
    if launcher == "slurm":
        find_first_node()
    if launcher != "pytorch":
        return []
    if os.environ["RANK"] == "0" and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        # torchrun's agent holds the port itself; without it, rank 0 is about to.
        check_port(int(os.environ["MASTER_PORT"]))
    return check_devices(int(os.environ.get("LOCAL_WORLD_SIZE", int(os.environ["LOCAL_RANK"]) + 1)))


def end_with_launcher() -> None:
    """Has this process asked to end (SIGTERM) when torchrun, which started it, is killed.

    Without it, such a process trains on by itself, beside the one that a scheduler starts in its place. Linux alone
    can do so.
    """
    launcher = os.getppid()
    if "TORCHELASTIC_RUN_ID" not in os.environ or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != launcher:  # it has been killed meanwhile
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def room_made_at_once() -> Iterator[None]:
    """Has this process end with the status of a training that made room, while it has nothing to save.

    `engine.PreemptionHook` listens in its place while a training goes on. Nothing elsewhere than in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    make_room = functools.partial(_make_room, os.getpid())
    before = {number: signal.signal(number, make_room) for number in _ASK_FOR_ROOM}
    try:
        yield
    except Preempted:
        raise  # listening: an echo of the signal shall not change with which status the process ends
    except BaseException:
        _listen_as(before)
        raise
    _listen_as(before)


def _listen_as(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)


def _make_room(process: int, number: int, frame: FrameType | None) -> None:
    if os.getpid() != process:  # forked from it: what ends it is its parent's affair
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        return
    if os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")) == "0":
        name = signal.Signals(number).name
        # Not by print: a signal may come in the middle of one.
        os.write(2, f"hrnet: asked to make room ({name}) while there was nothing to save\n".encode())
    os._exit(Preempted.exit_status)


def check_port(port: int) -> None:
    """Check that a TCP port of this machine can be bound.

    Raises:
        LaunchError: another process has it, or this one may not.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                do = "Set PORT (MASTER_PORT) to one from 1024 on"
                raise LaunchError(f"port {port}", found="it may not be used without root", do=do) from error
            if error.errno != errno.EADDRINUSE:
                raise
            raise port_in_use(port) from error


def check_devices(processes: int) -> list[str]:
    """Check that each process of this machine gets a GPU, where there are any.

    Args:
        processes: Ranks on this machine.

    Returns:
        A remark where several processes share the CPU.

    Raises:
        LaunchError: fewer GPUs are visible than there are processes.
    """
    import torch

    gpus = torch.cuda.device_count()
    if 0 < gpus < processes:
        raise too_few_devices(processes, gpus)
    if gpus == 0 and processes > 1:
        return [f"no GPU is visible: {processes} processes share the CPU of this machine, joined through gloo"]
    return []
