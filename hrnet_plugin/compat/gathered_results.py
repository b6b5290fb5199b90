"""Results of an evaluation in several processes, brought together without a folder that all of them see.

What broke: each process writes its results as a file into `.dist_test` of the folder that the first one runs in. On
machines without a common disk, in a folder that cannot be written, on a full disk, a training ends at its first
evaluation, after hours ("FileNotFoundError: .dist_test/tmp.../part_1.pkl"); elsewhere an empty folder stays. Who is
done first waits in a barrier, for no longer than the timeout of all messages. Since mmengine 0.1.
Detected: always; it acts where there are several processes.
Done: `collect_results_cpu` sends them to the first process as messages, a few at a time, in the same order; with
`tmpdir` it does what it did. All ways of collecting first wait until everyone has come, as long as the store answers.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from types import ModuleType

from .fix import AfterImport, Finding
from .patient_broadcast import meet

#: Results of each process in a message: all of one message are in memory at once, on a GPU under nccl.
_AT_ONCE = 64


def _detect(dist: ModuleType) -> Finding:
    return Finding(True, "results of an evaluation travel as messages, not through a folder")


def _act(dist: ModuleType) -> None:
    dist.collect_results_cpu = _after_meeting(dist, _without_folder(dist, dist.collect_results_cpu))
    # The older mmengine (0.8) has no such function, and goes straight to the other.
    name = "_collect_results_device" if hasattr(dist, "_collect_results_device") else "collect_results_gpu"
    setattr(dist, name, _after_meeting(dist, getattr(dist, name)))


def _after_meeting(dist: ModuleType, collect: Callable) -> Callable:
    @functools.wraps(collect)
    def collect_patiently(*args: object, **kwargs: object) -> list | None:
        if dist.get_world_size() > 1:
            meet()
        return collect(*args, **kwargs)

    return collect_patiently


def _without_folder(dist: ModuleType, collect: Callable) -> Callable:
    @functools.wraps(collect)
    def collect_by_message(result_part: list, size: int, tmpdir: str | None = None) -> list | None:
        if tmpdir is not None or dist.get_world_size() == 1:
            return collect(result_part, size, tmpdir)
        parts = _gather(dist, result_part)
        if parts is None:
            return None
        # The sampler deals samples out in turns, and gives some out twice where they do not share evenly.
        in_turns = itertools.chain.from_iterable(itertools.zip_longest(*parts))
        return [result for result in in_turns if result is not None][:size]

    return collect_by_message


def _gather(dist: ModuleType, part: list) -> list[list] | None:
    """The parts of all processes on the first one, None elsewhere."""
    import torch

    longest = torch.tensor(len(part))
    dist.all_reduce(longest, op="max")
    parts: list[list] = [[] for _ in range(dist.get_world_size())]
    for begin in range(0, int(longest), _AT_ONCE):
        pieces = dist.gather_object(part[begin : begin + _AT_ONCE])
        for whole, piece in zip(parts, pieces or (), strict=False):
            whole.extend(piece)
    return parts if dist.get_rank() == 0 else None


FIX = AfterImport(
    name="gathered-results",
    breakage="a training on machines without a common disk, or in a folder that cannot be written, ends at its first "
    "evaluation",
    since="mmengine 0.1",
    target="mmengine.dist.dist",
    detect=_detect,
    act=_act,
)
