"""Starting several processes on a machine without accelerator, or with fewer than processes.

What broke: mmengine's launchers (`pytorch`, `slurm`, `mpi`) always call `torch.cuda.set_device` and ask for nccl; a
torch without CUDA answers `torch._C has no attribute '_cuda_setDevice'`, one with CUDA but too few devices
`CUDA error: invalid device ordinal`, from one rank of many. Since mmengine 0.1.
Detected: mmengine sees neither npu, mlu nor musa, whose launchers it has apart.
Done: without CUDA device the process group is gloo whatever was asked, and no device is set; with CUDA, a local rank
beyond the visible devices is a LaunchError that says both numbers. A port in use is a LaunchError too. A gloo group is
left when the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import os
from collections.abc import Callable, Iterator
from types import ModuleType

from ..errors import LaunchError
from .fix import AfterImport, Finding

#: How mmengine begins its own message where a variable is missing.
_ENVIRONMENT = "The environment variable "
#: mmengine's launchers, and where each finds its local rank.
_LOCAL_RANKS = {
    "_init_dist_pytorch": "LOCAL_RANK",
    "_init_dist_slurm": "SLURM_LOCALID",
    "_init_dist_mpi": "OMPI_COMM_WORLD_LOCAL_RANK",
}


def _detect(utils: ModuleType) -> Finding:
    import torch

    others = [name for name in ("npu", "mlu", "musa") if getattr(utils, f"is_{name}_available")()]
    if others:
        return Finding(False, f"mmengine launches on {others[0]} by itself")
    if torch.cuda.is_available():
        return Finding(True, f"more local ranks than the {torch.cuda.device_count()} CUDA devices are refused")
    return Finding(True, "no CUDA device: processes talk over gloo")


def _act(utils: ModuleType) -> None:
    for name in _LOCAL_RANKS:
        setattr(utils, name, _mended(getattr(utils, name)))


def _mended(launch: Callable[..., None]) -> Callable[..., None]:
    local_rank = _LOCAL_RANKS.get(launch.__name__, "LOCAL_RANK")

    @functools.wraps(launch)
    def launch_anywhere(backend: str, **kwargs: object) -> None:
        import torch

        with _clear_errors():
            if torch.cuda.is_available():
                _check_devices(torch.cuda.device_count(), int(os.environ.get(local_rank, "0")))
                launch(backend, **kwargs)
            else:
                # mmengine takes the local rank modulo the number of devices where slurm does not tell it.
                if "SLURM_PROCID" in os.environ:
                    os.environ.setdefault("SLURM_LOCALID", "0")
                # Its functions have the default group as default argument: imported later, as DistributedDataParallel
                # does, they would hold the group for ever, and leave_group could not end it.
                importlib.import_module("torch.distributed.nn.functional")
                with _no_device_to_set(torch.cuda):
                    launch("gloo", **kwargs)
                atexit.register(leave_group)

    return launch_anywhere


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
