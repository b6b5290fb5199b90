"""Batch norm over the batches of all processes, on the CPU.

Ioffe and Szegedy, Batch Normalization, ICML 2015. Each process computes its own mean and sum of squared deviations;
they are gathered and combined (Chan, Golub and LeVeque, 1983), which keeps the digits that a sum of squares loses,
counts batches of unequal size right, and gives the same bits on every process.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def cpu_group(group: dist.ProcessGroup | None) -> dist.ProcessGroup | None:
    """The group, or else that of all processes, where CPU tensors can travel through it."""
    if not (dist.is_available() and dist.is_initialized()):
        return None
    group = group or dist.group.WORLD
    backend = dist.get_backend(group)
    return group if "gloo" in backend or "mpi" in backend else None


def forward(norm: nn.SyncBatchNorm, input: Tensor, group: dist.ProcessGroup) -> Tensor:
    """Normalises a training batch with the statistics of the whole group, and moves the running ones.

    Args:
        norm: The layer, in training mode.
        input: (N, C, ...); N may differ from process to process and be 0.
        group: The processes that belong together.

    Returns:
        The normalised batch, of the same shape and type.

    Raises:
        ValueError: if the group's batches hold a single value for each channel together.
    """
    norm._check_input_dim(input)
    norm._check_non_zero_input_channels(input)
    mean, variance, count = _gathered_statistics(input, group)
    if count < 2:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {input.size()}")
    if norm.track_running_stats:
        norm.num_batches_tracked.add_(1)
        momentum = 1.0 / norm.num_batches_tracked.item() if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), momentum)
        norm.running_var.lerp_((variance * count / (count - 1)).to(norm.running_var.dtype), momentum)
    return _Normalise.apply(input, norm.weight, norm.bias, mean, variance, norm.eps, count, group)


def _accumulation_type(input: Tensor) -> torch.dtype:
    return torch.float64 if input.dtype == torch.float64 else torch.float32


def _channels_last(input: Tensor) -> list[int]:
    return [dim for dim in range(input.dim()) if dim != 1]


@torch.no_grad()
def _gathered_statistics(input: Tensor, group: dist.ProcessGroup) -> tuple[Tensor, Tensor, int]:
    """Mean (C), biased variance (C), both float64, and number of values for each channel, over the group."""
    channels = input.size(1)
    own = torch.zeros(2 * channels + 1, dtype=torch.float64)
    count = input.numel() // channels
    if count:
        variance, mean = torch.var_mean(input.to(_accumulation_type(input)), _channels_last(input), correction=0)
        own[0], own[1 : channels + 1], own[channels + 1 :] = count, mean, variance * count
    gathered = [torch.empty_like(own) for _ in range(dist.get_world_size(group))]
    dist.all_gather(gathered, own, group=group)
    counts, means, deviations = torch.stack(gathered).split([1, channels, channels], dim=1)
    total = counts.sum()
    mean = (counts * means).sum(0) / total
    deviation = (deviations + counts * (means - mean) ** 2).sum(0)
    return mean, deviation / total, int(total)


class _Normalise(torch.autograd.Function):
    """Normalises with given statistics; its gradient knows that they came from the group's batches."""

    @staticmethod
    def forward(ctx, input, weight, bias, mean, variance, eps, count, group):
        kind = _accumulation_type(input)
        mean, variance = mean.to(kind), variance.to(kind)
        ctx.save_for_backward(input, weight, mean, torch.rsqrt(variance + eps))
        ctx.count, ctx.group = count, group
        return torch.nn.functional.batch_norm(input, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad_output):
        input, weight, mean, inverse_std = ctx.saved_tensors
        shape = [1, -1] + [1] * (input.dim() - 2)
        grad = grad_output.to(mean.dtype)
        normalised = (input.to(mean.dtype) - mean.view(shape)) * inverse_std.view(shape)
        dims = _channels_last(input)
        grad_bias, grad_weight = grad.sum(dims), (grad * normalised).sum(dims)
        grad_input = None
        if ctx.needs_input_grad[0]:
            sums = torch.stack([grad_bias, grad_weight]).double()
            dist.all_reduce(sums, group=ctx.group)
            mean_grad, mean_slope = (sums / ctx.count).to(mean.dtype)
            scale = inverse_std if weight is None else inverse_std * weight.to(mean.dtype)
            centred = grad - mean_grad.view(shape) - normalised * mean_slope.view(shape)
            grad_input = (centred * scale.view(shape)).to(input.dtype)
        needs_weight, needs_bias = ctx.needs_input_grad[1:3]
        return (
            grad_input,
            grad_weight.to(weight.dtype) if needs_weight else None,
            grad_bias.to(weight.dtype) if needs_bias else None,
            *[None] * 5,
        )
