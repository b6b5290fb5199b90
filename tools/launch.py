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

from hrnet_plugin.cli.launch import check_port
from hrnet_plugin.errors import LaunchError, Preempted, UserError

#: What torchrun passes on to the processes before it ends itself: its own, and what Slurm's --signal sends.
_SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
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

    import torch
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    # Where GPUS counts CPU processes they share the cores; torchrun would give each one thread, with a warning.
    threads = 1 if torch.cuda.is_available() else max(1, (os.cpu_count() or 1) // int(gpus))
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    # Else torch 2.13 hands processes that are started anew the addresses of those that are gone.
    os.environ.setdefault("TORCH_DISABLE_SHARE_RDZV_TCP_STORE", "1")
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
        asked = error.sigval in (signal.SIGTERM, signal.SIGUSR1) and script.endswith("train.py")
        # A training has saved what it has done, and a scheduler may start it again.
        return Preempted.exit_status if asked else 128 + error.sigval
    return 0


def torchrun_options(gpus: str) -> list[str]:
    """torchrun's options for this machine.

    Raises:
        LaunchError: a number that is none, or a port that is taken.
    """
    if not gpus.isdecimal() or int(gpus) == 0:
        raise LaunchError(f"GPUS '{gpus}'", expected="the number of processes to start on this machine")
    fewest, most = _nodes()
    rank, restarts = _number("NODE_RANK", 0), _number("MAX_RESTARTS", 0)
    port = _number("PORT", 29500 if most > 1 else 0)  # several nodes must agree on it without talking
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


def _nodes() -> tuple[int, int]:
    """The fewest and the most machines, from NNODES: `2`, or `1:4` for an elastic run."""
    text = os.environ.get("NNODES") or "1"
    parts = text.split(":")
    if len(parts) > 2 or not all(part.isdecimal() and int(part) for part in parts) or int(parts[0]) > int(parts[-1]):
        raise LaunchError(f"NNODES '{text}'", expected="a number of machines, or MIN:MAX of an elastic run")
    return int(parts[0]), int(parts[-1])


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) > 65535:
        raise LaunchError(f"{name} '{text}'", expected="a number from 0 to 65535")
    return int(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def _tell(rank: int, status: int) -> int:
    if status < 0:
        name = signal.Signals(-status).name
        print(f"hrnet: rank {rank} was ended by {name}, and the others with it", file=sys.stderr)
        return 128 - status
    print(f"hrnet: rank {rank} stopped with exit status {status}; its message stands above", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
