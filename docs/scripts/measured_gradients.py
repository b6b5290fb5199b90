"""What joining gradients costs: steps of HRNet-W32 in two processes over a loopback device of a chosen speed.

Called by `measure_scaling.py`, in a network namespace of its own, where the loopback carries nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.nn.functional  # before there is a group, or it keeps the group and its threads for ever
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.compat.launchers import leave_group
from hrnet_plugin.engine.bf16_gradients import compress_in

PROCESSES, BATCH, SIZE = 2, 2, (192, 256)
ALONE, PLAIN = "alone", "plain"
#: By name, arguments of the wrapper, and whether gradients are sent in bfloat16.
WAYS: dict[str, tuple[dict[str, bool], bool]] = {
    PLAIN: ({}, False),
    "gradient-view": ({"gradient_as_bucket_view": True}, False),
    "static-graph": ({"static_graph": True}, False),
    "bf16-gradients": ({}, True),
    "all": ({"gradient_as_bucket_view": True, "static_graph": True}, True),
}


class Trained(nn.Module):
    """The pose network of `hrnet_w32_coco` and its loss."""

    def __init__(self) -> None:
        super().__init__()
        from hrnet_plugin.config_files import find_config, load_config
        from hrnet_plugin.zoo.forward import build_model, model_config

        cfg = load_config(find_config("hrnet_w32_coco"))
        self.network = build_model(model_config(cfg), cfg.default_scope)

    def forward(self, images: Tensor, heatmaps: Tensor) -> Tensor:
        return (self.network(images, None, mode="tensor") - heatmaps).square().mean()


def measure(rank: int, folder: str, names: list[str], turns: int, answers: str) -> None:
    """Steps in turns; who begins moves on. Rank 0 writes seconds, bytes sent and bytes of gradients by name."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}", rank=rank, world_size=PROCESSES)
    torch.manual_seed(rank)
    images, heatmaps = torch.rand(BATCH, 3, SIZE[1], SIZE[0]), torch.rand(BATCH, 17, SIZE[1] // 4, SIZE[0] // 4)
    buckets: dict[str, list[Tensor]] = {name: [] for name in names}
    models = {name: wrapped(name, buckets[name]) for name in names}
    optimizers = {name: torch.optim.SGD(model.parameters(), lr=1e-6) for name, model in models.items()}
    found: dict[str, dict[str, list[float]]] = {name: {"seconds": [], "sent": []} for name in names}
    for turn in range(-2, turns):  # the wrapper arranges its buckets anew after the first step
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            buckets[name].clear()
            dist.barrier()
            sent, started = bytes_sent(), time.perf_counter()
            optimizers[name].zero_grad()
            models[name](images, heatmaps).backward()
            optimizers[name].step()
            seconds = time.perf_counter() - started
            dist.barrier()
            if turn >= 0:
                found[name]["seconds"].append(seconds)
                found[name]["sent"].append((bytes_sent() - sent) / PROCESSES)
    if rank == 0:
        held = {name: bytes_held([*gradients_of(models[name]), *buckets[name]]) for name in names}
        Path(answers).write_text(json.dumps({"ways": found, "held": held}))
    del models, optimizers, buckets
    leave_group()


def wrapped(name: str, buckets: list[Tensor]) -> nn.Module:
    """The network as one of `WAYS` has it, which lists the buffers that it sends from; `alone` sends nothing."""
    torch.manual_seed(0)
    model = Trained()
    if name == ALONE:
        return model
    arguments, in_bf16 = WAYS[name]
    model = DistributedDataParallel(model, **arguments)
    send = compress_in("cpu") if in_bf16 else allreduce_hook

    def listed(group, bucket):
        buckets.append(bucket.buffer())
        return send(group, bucket)

    model.register_comm_hook(None, listed)
    return model


def gradients_of(model: nn.Module) -> list[Tensor]:
    """Every gradient."""
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


def bytes_held(tensors: list[Tensor]) -> int:
    """Memory of tensors; what several of them share is counted once."""
    return sum({one.data_ptr(): one.nbytes() for one in (tensor.untyped_storage() for tensor in tensors)}.values())


def bytes_sent() -> int:
    """What has left through the loopback device."""
    lines = Path("/proc/net/dev").read_text().splitlines()
    return next(int(line.split()[9]) for line in lines if line.split()[0] == "lo:")


def main() -> None:
    """`measured_gradients.py FOLDER NAMES TURNS GIGABITS`; 0 leaves the device as fast as it is."""
    folder, names, turns, gigabits = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if float(gigabits):
        # One queue carries both directions, which on a real link do not hinder each other.
        rate = f"{PROCESSES * float(gigabits) * 1000:.0f}mbit"
        limit = ["tbf", "rate", rate, "burst", "1mb", "latency", "200ms"]
        subprocess.run(["tc", "qdisc", "add", "dev", "lo", "root", *limit], check=True)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    arguments = (f"{folder}/rendezvous", names.split(","), int(turns), f"{folder}/answers.json")
    mp.start_processes(measure, arguments, nprocs=PROCESSES, start_method="spawn")


if __name__ == "__main__":
    main()
