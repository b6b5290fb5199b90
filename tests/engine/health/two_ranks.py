"""Trains in two processes over gloo, of which the second alone meets a fault; rank 0 prints what came of it as JSON."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import tiny_training as tiny
import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group, or it keeps the group and its threads for ever
import torch.multiprocessing as mp

from hrnet_plugin.compat.launchers import leave_group
from hrnet_plugin.engine.health.fault import TrainingFault

WORLD = 2
#: Of the second rank's third step.
BROKEN = 11
#: States after trainings without the batch, by the way of training.
NEVER_SEEN = {}


class RankedHead(tiny.Head):
    """Goes wrong on the second rank alone."""

    def loss(self, features, targets):
        if dist.get_rank() == 0:
            self.at = set()
        return super().loss(features, targets)


def images(rank: int, kept: list[int], broken: bool) -> tiny.Images:
    """Two images a step: those of the first rank, then those of the second."""
    return tiny.Images([4 * step + 2 * rank + place for step in kept for place in (0, 1)], [BROKEN] if broken else [])


def train(rank: int, folder: Path, case: dict, kept: list[int], faulty: bool) -> dict:
    """One training; what came of it, and the state at its end."""
    model = tiny.Model(norm=case.get("norm", "BN"))
    model.head = RankedHead(case["fault"] if faulty else "", at=[2])
    model.head.load_state_dict(tiny.Model().head.state_dict())
    probe, error, built = tiny.Probe(at=[2]), "", None
    health = {"on_fault": case.get("on_fault", "skip"), "interval": 2} if case.get("health", True) else None
    try:
        built = tiny.train(
            folder,
            images=images(rank, kept, faulty and case["fault"] == "image"),
            model=model,
            hooks=[probe],
            health=health,
            wrapper=case.get("wrapper"),
            launcher="pytorch",
        )
    except TrainingFault as stopped:
        error, built = str(stopped), stopped.runner
    return {"state": tiny.state_of(built), "losses": probe.losses, "changed": probe.changed, "error": error,
            "before": probe.before}  # fmt: skip


def run(rank: int, folder: Path, case: dict) -> dict:
    met = train(rank, folder / "met", case, [0, 1, 2, 3, 4], faulty=True)
    report = folder / "met" / "health" / "iter_3"
    weights = [name for name, value in met["state"].items() if "running" not in name and "gradient" not in name]
    both = [None] * WORLD
    dist.all_gather_object(both, {name: met["state"][name] for name in weights})
    found = {
        "losses": [loss is not None for loss in met["losses"]],
        "changed": met["changed"],
        "error": met["error"],
        "stopped_as_before": tiny.differing(met["before"], met["state"]),
        "between_ranks": tiny.differing(*both),
        "report": json.loads((report / "report.json").read_text()),
        "batches": [
            torch.load(report / f"batch_rank{other}.pth", weights_only=True)["images"] for other in range(WORLD)
        ],
    }
    if case.get("norm") == "SyncBN":
        dist.all_gather_object(both, met["state"])
        found["between_ranks"] = tiny.differing(*both)
    if not met["error"]:
        key = case.get("norm"), str(case.get("wrapper"))
        if key not in NEVER_SEEN:  # without the hook, which must not change a thing
            alone = {**case, "health": False}
            NEVER_SEEN[key] = train(rank, folder / "never", alone, [0, 1, 3, 4], faulty=False)["state"]
        found["to_never_seen"] = tiny.differing(met["state"], NEVER_SEEN[key])
    return found


def work(rank: int, cases: dict, folder: str) -> None:
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(WORLD))
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=WORLD)
    found = {name: run(rank, Path(folder, name), case) for name, case in cases.items()}
    gathered = [None] * WORLD
    dist.all_gather_object(gathered, found)
    leave_group()
    if rank == 0:
        print(json.dumps(gathered))


if __name__ == "__main__":
    mp.spawn(work, (json.loads(sys.argv[1]), str(Path.cwd())), nprocs=WORLD)
