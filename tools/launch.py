"""Start the processes of one machine with torchrun, for dist_train.sh and dist_test.sh.

    launch.py GPUS SCRIPT [ARGUMENT ...]

They put the package on the path. The environment says the rest, as in OpenMMLab: PORT (a free one where it is not
set), NNODES, NODE_RANK, MASTER_ADDR. Beyond that: MAX_RESTARTS (0), how often failed processes are started anew, from
the newest checkpoint; NNODES=MIN:MAX, torchrun's elastic rendezvous, where machines may join and leave.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from contextlib import nullcontext
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from hrnet_plugin.cli.launch import check_port, room_made_at_once
from hrnet_plugin.compat.launchers import number_of
from hrnet_plugin.errors import LaunchError, Preempted, UserError

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.api import SignalException

#: What torchrun passes on to the processes before it ends itself: its own, and what Slurm's --signal sends.
_SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
_ENVIRONMENT = {
    # Else torch 2.13 hands processes that are started anew the addresses of those that are gone.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    # Else torchrun kills half a minute after a signal, while an evaluation is brought to its end, or a checkpoint is
    # written: schedulers know by themselves how long they wait.
    "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": "3600",
}
_TORCHRUN_LOGS = ("torch.distributed.elastic.multiprocessing.api", "torch.distributed.elastic.agent.server.api")


def main(gpus: str, script: str, *arguments: str) -> int:
    """Run the script in as many processes as `gpus` says, and return the exit status of the first that failed.

    A failed rank has printed its own message; torchrun's stack trace of the launcher is shown with `--traceback` only.
    """
    try:
        options = torchrun_options(gpus)
    except UserError as error:
        print(f"hrnet: error: {error}", file=sys.stderr)
        return 2

    for name, value in environment().items():
        os.environ.setdefault(name, value)
    with room_made_at_once() if script.endswith("train.py") else nullcontext():
        return _launch(options, gpus, script, *arguments)


def _launch(options: list[str], gpus: str, script: str, *arguments: str) -> int:
    import torch
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    # Where GPUS counts CPU processes they share the cores; torchrun would give each one thread, with a warning.
    threads = 1 if torch.cuda.is_available() else max(1, (os.cpu_count() or 1) // int(gpus))
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    if "--traceback" not in arguments:
        for name in _TORCHRUN_LOGS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        run.main([*options, script, "--launcher", "pytorch", *arguments])
    except ChildFailedError as error:
        if "--traceback" in arguments:
            raise
        rank, failure = error.get_first_failure()
        return _tell(rank, failure.exitcode)
    except SignalException as error:
        for name in _SIGNALS.split(","):
            signal.signal(getattr(signal, name), signal.SIG_IGN)  # an echo
        return _after_signal(error)
    return 0


def torchrun_options(gpus: str) -> list[str]:
    """torchrun's options for this machine.

    Raises:
        LaunchError: a number that is none, a port that is taken, or machines that do not know where they meet.
    """
    if not _is_count(gpus):
        raise LaunchError(f"GPUS '{gpus}'", expected="the number of processes to start on this machine")
    fewest, most = _nodes()
    rank, restarts = number_of("NODE_RANK", default=0), number_of("MAX_RESTARTS", default=0)
    if rank >= most == fewest:
        raise LaunchError(f"NODE_RANK {rank}", expected=f"a number from 0 to {most - 1}, of NNODES {most} machines")
    if most > 1 and not os.environ.get("MASTER_ADDR"):
        raise LaunchError(
            f"NNODES {os.environ['NNODES']}",
            found="no MASTER_ADDR",
            do="Set it to the address of the first machine, on all of them",
        )
    port = number_of("PORT", default=29500 if most > 1 else 0)  # several nodes must agree on it without talking
    if port == 0:
        port = _free_port()
    elif rank == 0 and fewest == most and not restarts:
        check_port(port)
    address = os.environ.get("MASTER_ADDR") or "127.0.0.1"
    common = [f"--nproc_per_node={gpus}", f"--max_restarts={restarts}", f"--signals_to_handle={_SIGNALS}"]
    if fewest == most and not restarts:
        where = [f"--node_rank={rank}", f"--master_addr={address}", f"--master_port={port}"]
        return [f"--nnodes={most}", *where, *common]
    # Machines that come and go have no ranks of their own, and meet at one that stays. So do processes that may be
    # started anew: where ranks are fixed, the new ones would meet in the store of those that are gone.
    name = os.environ.get("RDZV_ID") or "hrnet"
    meeting = ["--rdzv_backend=c10d", f"--rdzv_endpoint={address}:{port}", f"--rdzv_id={name}"]
    meeting += ["--local_addr=127.0.0.1"] if most == 1 else []
    return [f"--nnodes={fewest}:{most}", *meeting, *common]


def environment() -> dict[str, str]:
    """What the processes and torchrun are to find in their environment, unless it is there."""
    fewest, most = _nodes()
    # torchrun starts processes anew when a machine comes or goes, and counts that as no restart.
    return {**_ENVIRONMENT, **({"HRNET_ELASTIC": "1"} if fewest < most else {})}


def _nodes() -> tuple[int, int]:
    """The fewest and the most machines, from NNODES: `2`, or `1:4` for an elastic run."""
    text = os.environ.get("NNODES") or "1"
    parts = text.split(":")
    if len(parts) > 2 or not all(map(_is_count, parts)) or int(parts[0]) > int(parts[-1]):
        raise LaunchError(f"NNODES '{text}'", expected="a number of machines, or MIN:MAX of an elastic run")
    return int(parts[0]), int(parts[-1])


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6 and int(text) > 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _after_signal(error: SignalException) -> int:
    """The exit status after a signal to torchrun, which has passed it on: what has become of its processes."""
    agent = next(
        (frame.f_locals["self"] for frame, _ in walk_tb(error.__traceback__) if _has_processes(frame.f_locals)), None
    )
    if agent is None:
        return 128 + error.sigval
    processes = {
        agent._worker_group.workers[at].global_rank: handler.proc
        for at, handler in agent._pcontext.subprocess_handlers.items()
    }
    for process in processes.values():
        if process.poll() is None:  # asked once more while it was waited for
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    statuses = {rank: process.returncode for rank, process in processes.items() if process.returncode}
    if not statuses:
        return 0
    # By one that made room: the first process has saved before any other ends.
    if Preempted.exit_status in statuses.values():
        return Preempted.exit_status
    rank, status = next(iter(statuses.items()))
    return 128 - status if status == -error.sigval else _tell(rank, status)


def _has_processes(local: dict[str, Any]) -> bool:
    return getattr(local.get("self"), "_pcontext", None) is not None


def _tell(rank: int, status: int) -> int:
    if status < 0:
        name = signal.Signals(-status).name
        print(f"hrnet: rank {rank} was ended by {name}, and the others with it", file=sys.stderr)
        return 128 - status
    print(f"hrnet: rank {rank} stopped with exit status {status}; its message stands above", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
