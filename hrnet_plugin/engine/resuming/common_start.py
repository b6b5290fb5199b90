"""Whether all processes begin from one and the same state: each has read a checkpoint for itself, on its machine."""

from __future__ import annotations

import hashlib

import torch
from mmengine.dist import all_gather_object, get_world_size
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.errors import CheckpointError


def check_common_start(runner: Runner) -> None:
    """Check that the processes go on from the same iteration with the same weights; to be called by all together.

    Machines without a common disk may find different checkpoints, or one of them none. Nothing would tell: gradients
    are joined as ever, and each process applies them to weights of its own.

    Raises:
        CheckpointError: they differ; says which begin where.
    """
    if get_world_size() == 1:
        return
    # Weights that are shared out among processes (FSDP, DeepSpeed) differ as they should.
    whole = isinstance(runner.model, DistributedDataParallel)
    starts = all_gather_object((runner.iter, _digest(runner.model) if whole else ""))
    if len(set(starts)) == 1:
        return
    kinds = list(dict.fromkeys(starts))
    found = "; ".join(
        f"process {', '.join(str(rank) for rank, start in enumerate(starts) if start == kind)}: iteration {kind[0]}, "
        f"weights {kind[1][:8] or 'of its own'}"
        for kind in kinds
    )
    raise CheckpointError(
        "the processes do not begin from one state",
        found=found,
        expected="the same iteration and weights on all",
        do="Put the work dir on a disk that all machines see, or copy its newest checkpoint to the same path on each",
    )


@torch.no_grad()
def _digest(model: nn.Module) -> str:
    """SHA-256 of the weights: running statistics of BN may differ from process to process."""
    digest = hashlib.sha256()
    for weight in model.parameters():
        digest.update(weight.cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
