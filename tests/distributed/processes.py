"""Runs cases in processes that are joined through gloo; each process writes what it found to a file.

    python processes.py DATA FOLDER CASES

CASES is JSON: numbers of processes, to names of cases, to arguments of `tiny_runs.config` and `double`, `speed` or
`evaluate`. The modules are imported once and the processes forked from there; all cases of a number share a group.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import tiny_runs
import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group, or it keeps the group and its threads for ever
import torch.multiprocessing as mp

import hrnet_plugin.engine  # noqa: F401
from hrnet_plugin.cli import train as train_verb
from hrnet_plugin.cli.train_speed import apply_speed
from hrnet_plugin.compat.launchers import leave_group


def run(case: dict, data: Path, folder: Path, world: int) -> object:
    """One case in this process."""
    case = dict(case)
    evaluates, double, speed = case.pop("evaluate", False), case.pop("double", False), case.pop("speed", None)
    cfg = tiny_runs.config(case.pop("task"), data, world, **case)
    if evaluates:
        return tiny_runs.evaluate(cfg, folder, "pytorch")
    if speed:
        parser = argparse.ArgumentParser()
        train_verb.add_arguments(parser)
        cfg.speed = speed
        apply_speed(cfg, parser.parse_args(["config.py", "--launcher", "pytorch"]))
    return tiny_runs.train(cfg, folder, double=double, launcher="pytorch")


def work(rank: int, data: str, folder: str, cases: dict[str, dict]) -> None:
    torch.set_num_threads(1)
    for world, named in cases.items():
        if rank < int(world):
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=world)
            meeting = f"file://{folder}/rendezvous{world}"
            dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=int(world))
            for name, case in named.items():
                found = run(case, Path(data), Path(folder, f"{name}-{world}"), int(world))
                torch.save(found, Path(folder, f"{name}.{world}.{rank}.pth"))
            leave_group()


if __name__ == "__main__":
    data, folder, cases = sys.argv[1:]
    cases = json.loads(cases)
    tiny_runs.import_frameworks()
    mp.start_processes(work, (data, folder, cases), nprocs=max(map(int, cases)), start_method="fork")
