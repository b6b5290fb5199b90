"""How long a training step takes on several processes: the formula of `docs/scaling.md`.

Ring all-reduce: Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", JPDC 2009.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

#: What torch's data-parallel wrapper sends at once (`bucket_cap_mb`), bytes.
BUCKET = 25 * 2**20
#: Of forward and backward pass together, the part during which gradients can travel.
BACKWARD = 2 / 3
#: What a link reaches of its nominal speed.
REACHED = 0.8


@dataclass(frozen=True)
class Link:
    """The slowest link of the ring.

    Args:
        name: As on the page.
        gigabits: Gbit/s, nominal, each way.
        latency: Seconds that a message of no size takes.
    """

    name: str
    gigabits: float
    latency: float

    @property
    def bytes_per_second(self) -> float:
        """What is reached."""
        return REACHED * self.gigabits * 1e9 / 8


@dataclass(frozen=True)
class Training:
    """What is trained, on one process.

    Args:
        parameters: Those that get a gradient.
        sent: Bytes of each that are sent: 4, or 2 in bfloat16.
        synchronised_norms: Layers of SyncBN; each waits for all processes twice a step, in which nothing else is done.
    """

    parameters: int
    sent: int = 4
    synchronised_norms: int = 0

    @property
    def buckets(self) -> int:
        """How many are sent; torch fills them by what the gradients hold in memory."""
        return max(1, -(-4 * self.parameters // BUCKET))

    @property
    def last(self) -> int:
        """Bytes of the last bucket, at most."""
        return min(BUCKET, 4 * self.parameters) * self.sent // 4


def all_reduce_seconds(size: float, processes: int, link: Link) -> float:
    """A ring all-reduce of `size` bytes: each process sends 2 (n - 1) / n of them, in 2 (n - 1) messages."""
    messages = 2 * (processes - 1)
    return messages / processes * size / link.bytes_per_second + messages * link.latency


def exposed_seconds(training: Training, compute: float, processes: int, link: Link) -> float:
    """What joining gradients adds to a step: what does not fit behind the backward pass, at least the last bucket."""
    everything = all_reduce_seconds(training.parameters * training.sent, processes, link)
    everything += (training.buckets - 1) * all_reduce_seconds(0, processes, link)  # each has its own messages
    return max(everything - BACKWARD * compute, all_reduce_seconds(training.last, processes, link))


def norm_seconds(training: Training, processes: int, link: Link) -> float:
    """What synchronised norms add: messages of a few numbers, up a binary tree of the processes and down again."""
    return training.synchronised_norms * 2 * 2 * math.ceil(math.log2(processes)) * link.latency


def efficiency(training: Training, compute: float, processes: int, link: Link) -> float:
    """Images a second of all processes, as a share of that many times one process's.

    Args:
        compute: Seconds of a step on one process alone.
    """
    waited = exposed_seconds(training, compute, processes, link) + norm_seconds(training, processes, link)
    return compute / (compute + waited)
