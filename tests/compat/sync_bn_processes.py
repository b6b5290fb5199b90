"""Runs the cases of sync_bn_cases.json in two processes; rank 0 prints the differences as one line of JSON.

Each rank draws all data from the same seed, normalises its own part, and compares with a batch norm of the whole.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group, or it keeps the group and its threads for ever
import torch.multiprocessing as mp
from torch import nn

import hrnet_plugin  # noqa: F401  (its fixes are what is tested)
from hrnet_plugin.compat.launchers import leave_group

WORLD = 2


def plain_norm(dimensions: int, channels: int, **options) -> nn.Module:
    return {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}[dimensions](channels, **options)


def part_of(rank: int, sizes: list[int]) -> slice:
    start = sum(sizes[:rank])
    return slice(start, start + sizes[rank])


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    assert one.shape == other.shape, (one.shape, other.shape)
    return float((one.double() - other.double()).abs().max()) if one.numel() else 0.0


def run_case(rank: int, case: dict) -> dict:
    torch.manual_seed(0)
    kind = getattr(torch, case.get("dtype", "float64"))
    sizes, shape = case["sizes"], case["shape"]
    options = {key: case[key] for key in ("momentum", "affine", "track_running_stats") if key in case}
    plain = plain_norm(len(shape) - 1, shape[0], **options).to(kind)
    sync = nn.SyncBatchNorm(shape[0], **options).to(kind)
    if plain.affine:
        nn.init.normal_(plain.weight)
        nn.init.normal_(plain.bias)
    sync.load_state_dict(plain.state_dict(), strict=True)
    own = part_of(rank, sizes)
    found: dict[str, float] = {}
    for _ in range(case.get("steps", 1)):
        whole = (torch.randn(sum(sizes), *shape, dtype=kind) * 3 + case.get("offset", 1)).requires_grad_()
        part = whole.detach()[own].clone().requires_grad_()
        slope = torch.randn(whole.shape, dtype=kind)
        expected, output = plain(whole), sync(part)
        (expected * slope).sum().backward()
        (output * slope[own]).sum().backward()
        found = {
            "output": max(found.get("output", 0.0), difference(output, expected[own])),
            "grad_input": max(found.get("grad_input", 0.0), difference(part.grad, whole.grad[own])),
        }
    for name in ("weight", "bias") if plain.affine else ():
        gradient = getattr(sync, name).grad
        dist.all_reduce(gradient)
        found[f"grad_{name}"] = difference(gradient, getattr(plain, name).grad)
    found["state"] = max(
        (difference(value, plain.state_dict()[key]) for key, value in sync.state_dict().items()), default=0.0
    )
    plain.eval(), sync.eval()
    everything = whole.detach()
    found["eval_output"] = difference(sync(everything), plain(everything))
    found["same_on_both"] = same_on_both(sync)
    return found


def same_on_both(module: nn.Module) -> bool:
    own = torch.cat([value.double().flatten() for value in module.state_dict().values()] or [torch.zeros(1)])
    gathered = [torch.empty_like(own) for _ in range(WORLD)]
    dist.all_gather(gathered, own)
    return torch.equal(*gathered)


def one_value(rank: int) -> dict:
    try:
        nn.SyncBatchNorm(3)(torch.zeros(1 - rank, 3, 1, 1))
    except ValueError as error:
        return {"error": str(error)}
    return {"error": "none"}


def train(rank: int) -> dict:
    """A wrapped model of two norms, unequal ranks left aside: the mean gradient needs equal ones."""
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)
    plain = nn.Sequential(*layers).double()
    start = [value.detach().clone() for value in plain.parameters()]
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
    model = nn.SyncBatchNorm.convert_sync_batchnorm(model.double())
    model.load_state_dict(plain.state_dict(), strict=True)
    wrapped = nn.parallel.DistributedDataParallel(model)
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9) for net in (plain, model)]
    for _ in range(4):
        batch = torch.randn(6, 3, 8, 8, dtype=torch.float64)
        target = torch.randn(6, 4, 6, 6, dtype=torch.float64)
        own = part_of(rank, [3, 3])
        for optimizer, net, inputs, wanted in zip(
            optimizers, (plain, wrapped), (batch, batch[own]), (target, target[own]), strict=True
        ):
            optimizer.zero_grad()
            nn.functional.mse_loss(net(inputs), wanted).backward()
            optimizer.step()
    return {
        "between_ranks": 0.0 if same_on_both(model) else 1.0,
        "to_one_process": max(difference(value, plain.state_dict()[key]) for key, value in model.state_dict().items()),
        "moved": max(difference(old, new) for old, new in zip(start, plain.parameters(), strict=True)),
    }


def work(rank: int, cases: dict, folder: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=WORLD)
    found = {name: run_case(rank, case) for name, case in cases.items()}
    found["one value"] = one_value(rank)
    found["training"] = train(rank)
    gathered = [None] * WORLD
    dist.all_gather_object(gathered, found)
    leave_group()
    if rank == 0:
        print(json.dumps({name: worst([each[name] for each in gathered]) for name in found}))


def worst(findings: list[dict]) -> dict:
    return {
        key: min(each[key] for each in findings) if isinstance(value, bool) else max(each[key] for each in findings)
        for key, value in findings[0].items()
    }


if __name__ == "__main__":
    mp.spawn(work, (json.loads(Path(sys.argv[1]).read_text()), str(Path.cwd())), nprocs=WORLD)
