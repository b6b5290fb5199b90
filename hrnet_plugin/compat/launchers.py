"""Starting several processes on a machine without accelerator, or with fewer than processes.

What broke: mmengine's launchers (`pytorch`, `slurm`, `mpi`) always call `torch.cuda.set_device` and ask for nccl; a
torch without CUDA answers `torch._C has no attribute '_cuda_setDevice'`, one with CUDA but too few devices
`CUDA error: invalid device ordinal`, from one rank of many. Since mmengine 0.1.
Detected: mmengine sees neither npu, mlu nor musa, whose launchers it has apart.
Done: without CUDA device the process group is gloo whatever was asked, and no device is set; with CUDA, a local rank
beyond the visible devices is a LaunchError that says both numbers. So are a port in use, variables that are no numbers,
and a Slurm that does not say where the first process runs: mmengine takes the shell's complaint for its address.
Processes may come as late as torch lets them by default; the timeout that was asked for, by which a lost one is to be
noticed, counts once they have met. A gloo group is left when the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from ..errors import LaunchError
from .fix import AfterImport, Finding

#: How mmengine begins its own message where a variable is missing.
_ENVIRONMENT = "The environment variable "
#: The variables by which each of mmengine's launchers knows its local rank, its rank, and how many there are.
_RANKS = {
    "pytorch": ("LOCAL_RANK", "RANK", "WORLD_SIZE"),
    "slurm": ("SLURM_LOCALID", "SLURM_PROCID", "SLURM_NTASKS"),
    "mpi": ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
}
#: Of ports, and no count of processes is larger.
_MOST = 65535


def _detect(utils: ModuleType) -> Finding:
    import torch

    others = [name for name in ("npu", "mlu", "musa") if getattr(utils, f"is_{name}_available")()]
    if others:
        return Finding(False, f"mmengine launches on {others[0]} by itself")
    if torch.cuda.is_available():
        return Finding(True, f"more local ranks than the {torch.cuda.device_count()} CUDA devices are refused")
    return Finding(True, "no CUDA device: processes talk over gloo")


def _act(utils: ModuleType) -> None:
    for launcher in _RANKS:
        name = f"_init_dist_{launcher}"
        setattr(utils, name, _mended(getattr(utils, name), launcher))


def _mended(launch: Callable[..., None], launcher: str) -> Callable[..., None]:
    local_rank = _RANKS[launcher][0]

    @functools.wraps(launch)
    def launch_anywhere(backend: str, **kwargs: object) -> None:
        import torch

        with _clear_errors():
            check_numbers(launcher)
            if launcher == "slurm":
                find_first_node()
            if torch.cuda.is_available():
                _check_devices(torch.cuda.device_count(), int(os.environ.get(local_rank, "0")))
                with _signals_as_by_default():
                    _launch_patiently(launch, backend, kwargs)
            else:
                # mmengine takes the local rank modulo the number of devices where slurm does not tell it.
                if "SLURM_PROCID" in os.environ:
                    os.environ.setdefault("SLURM_LOCALID", "0")
                # Its functions have the default group as default argument: imported later, as DistributedDataParallel
                # does, they would hold the group for ever, and leave_group could not end it.
                importlib.import_module("torch.distributed.nn.functional")
                with _no_device_to_set(torch.cuda), _signals_as_by_default():
                    _launch_patiently(launch, "gloo", kwargs)
                atexit.register(leave_group)

    return launch_anywhere


def _launch_patiently(launch: Callable[..., None], backend: str, kwargs: dict[str, Any]) -> None:
    """Lets processes come late: a scheduler starts them when it can."""
    import torch.distributed as dist
    from torch.distributed import distributed_c10d

    silence, patience = kwargs.get("timeout"), distributed_c10d.default_pg_timeout
    if silence is None or silence >= patience or not hasattr(distributed_c10d, "_set_pg_timeout"):
        launch(backend, **kwargs)
        return
    launch(backend, **{**kwargs, "timeout": patience})
    if dist.is_initialized():
        distributed_c10d._set_pg_timeout(silence, dist.group.WORLD)
        distributed_c10d._get_default_store().set_timeout(silence)


def check_numbers(launcher: str) -> None:
    """Check what a launcher says of its processes, as far as it says anything.

    Args:
        launcher: 'pytorch', 'slurm' or 'mpi'.

    Raises:
        LaunchError: something that is no number, or a rank that is not below their count.
    """
    local_rank, rank, count = _RANKS[launcher]
    for name, least in ((local_rank, 0), (rank, 0), (count, 1), ("LOCAL_WORLD_SIZE", 1), ("MASTER_PORT", 0)):
        if name in os.environ:
            number_of(name, least)
    if rank in os.environ and count in os.environ and number_of(rank) >= number_of(count):
        raise LaunchError(f"{rank} {os.environ[rank]}", expected=f"a number below {count}, {os.environ[count]}")


def number_of(name: str, least: int = 0, default: int | None = None) -> int:
    """The number that an environment variable says.

    Args:
        name: Of the variable.
        least: That it may be.
        default: Where it is not set, or empty.

    Raises:
        LaunchError: it is none, or out of range.
    """
    text = os.environ.get(name) or ("" if default is None else str(default))
    # isdecimal alone takes digits of other scripts, and Python refuses to read thousands of them.
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST)) and least <= int(text) <= _MOST):
        raise LaunchError(f"{name} '{text}'", expected=f"a number from {least} to {_MOST}")
    return int(text)


def find_first_node() -> None:
    """Sets MASTER_ADDR to the first node of a Slurm job, where nobody has said it.

    Raises:
        LaunchError: Slurm's `scontrol`, which says it, is not there or fails.
    """
    if os.environ.get("MASTER_ADDR"):
        return
    command = ["scontrol", "show", "hostnames", os.environ.get("SLURM_NODELIST", "")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        said, complaint = done.stdout.split(), done.stderr.strip() if done.returncode else ""
    except OSError as error:
        said, complaint = [], str(error)
    if complaint or not said:
        raise LaunchError(
            "--launcher slurm: the node of the first process",
            found=f"`{' '.join(command)}` does not say it: {complaint or 'no output'}",
            do="Set MASTER_ADDR to its name",
        )
    os.environ["MASTER_ADDR"] = said[0]


def leave_group() -> None:
    """Ends the process group of `torch.distributed`, its threads included; nothing where there is none."""
    # mmengine never leaves its group, and a process that ends while gloo's threads run is aborted now and then
    # (SIGABRT). The threads end with the last reference to the group. The runner's model holds one: it is garbage by
    # now, but in a reference cycle, which has to be collected first.
    import torch.distributed as dist

    gc.collect()
    if dist.is_initialized():
        dist.destroy_process_group()


def _check_devices(devices: int, local_rank: int) -> None:
    if local_rank >= devices:
        raise too_few_devices(os.environ.get("LOCAL_WORLD_SIZE", f"at least {local_rank + 1}"), devices)


def too_few_devices(processes: int | str, devices: int) -> LaunchError:
    """The error for more processes on a machine than it has visible GPUs."""
    return LaunchError(
        f"{processes} processes on this machine",
        found=f"{devices} visible GPU{'s' if devices != 1 else ''}",
        expected="one GPU for each",
        do=f"Start {devices}, or make more visible with CUDA_VISIBLE_DEVICES",
    )


def port_in_use(port: int | str) -> LaunchError:
    """The error for a port that another process has."""
    return LaunchError(
        f"port {port}",
        found="it is in use by another process",
        expected="a free port to join the ranks",
        do="Set PORT (MASTER_PORT) to a free one, or leave it unset: tools/dist_train.sh then chooses one",
    )


@contextlib.contextmanager
def _no_device_to_set(cuda: ModuleType) -> Iterator[None]:
    set_device = cuda.set_device
    cuda.set_device = lambda device: None
    try:
        yield
    finally:
        cuda.set_device = set_device


@contextlib.contextmanager
def _signals_as_by_default() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGUSR1 end the process: no handler of Python's is called while it waits for the others."""
    before = {}
    if os.name == "posix" and threading.current_thread() is threading.main_thread():
        numbers = [one for one in (signal.SIGTERM, signal.SIGUSR1) if callable(signal.getsignal(one))]
        before = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise LaunchError(
            "--launcher",
            found=f"no environment variable {str(error.args[0]).removeprefix(_ENVIRONMENT).split()[0]}",
            expected="the variables that the launcher sets for each process",
            do="Start with tools/dist_train.sh (torchrun), srun or mpirun, or leave --launcher out",
        ) from error
    except RuntimeError as error:
        if "address already in use" not in str(error).lower():
            raise
        address = os.environ.get("MASTER_ADDR", "this machine")
        raise port_in_use(f"{os.environ.get('MASTER_PORT', '?')} of {address}") from error


FIX = AfterImport(
    name="launchers",
    breakage="torch._C has no attribute '_cuda_setDevice' with --launcher on a machine without CUDA",
    since="mmengine 0.1",
    target="mmengine.dist.utils",
    detect=_detect,
    act=_act,
)
