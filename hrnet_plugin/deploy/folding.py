"""Arithmetic of folding: one batch norm in evaluation mode into the layer that feeds it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
#: Subclasses elsewhere may change the weights before they use them (weight standardisation does), or add an
#: activation: those that are known not to are defined in these modules.
_CONV_MODULES = ("torch.nn.modules.conv", "torch.nn.modules.linear", "mmcv.cnn.bricks.wrappers")
_NORM_MODULES = (
    "torch.nn.modules.batchnorm",
    "mmengine.model.utils",
    "mmengine.utils.dl_utils.parrots_wrapper",
    "mmcv.ops.sync_bn",
)


def is_batch_norm(module: nn.Module) -> bool:
    """Whether a module is a batch norm of any kind, synchronised ones included."""
    return isinstance(module, nn.modules.batchnorm._BatchNorm) or type(module).__module__ == "mmcv.ops.sync_bn"


def norm_obstacle(norm: nn.Module) -> str | None:
    """Why a batch norm is no fixed scale and shift of channels, or None where it is one."""
    if type(norm).__module__ not in _NORM_MODULES:
        return f"{type(norm).__name__} may do more than normalise"
    if norm.running_mean is None or norm.running_var is None:
        return "it keeps no statistics"
    return "it has hooks" if has_hooks(norm) else None


def conv_obstacle(conv: nn.Module, channels: int) -> str | None:
    """Why a scale and shift of `channels` cannot be moved into a layer, or None where it can."""
    if not isinstance(conv, (*_CONVOLUTIONS, *_TRANSPOSED, nn.Linear)):
        return f"fed by {type(conv).__name__}, which is no convolution"
    if not is_plain_convolution(conv):
        return f"fed by {type(conv).__name__}, whose weights may be changed before use"
    if has_hooks(conv):
        return "its convolution has hooks"
    leaving = conv.out_features if isinstance(conv, nn.Linear) else conv.out_channels
    return None if leaving == channels else f"{leaving} channels arrive for {channels}"


def fold_norm(conv: nn.Module, norm: nn.Module) -> None:
    """Changes the weight and bias of `conv` so that it gives what `norm` made of its output.

    Args:
        conv: A convolution, transposed convolution or linear layer, for which `conv_obstacle` is None. Changed.
        norm: A batch norm for which `norm_obstacle` is None; `norm.running_var` and the rest in any precision.
    """
    scale, shift = scale_and_shift(norm)
    weight = conv.weight.detach().double()
    if isinstance(conv, _TRANSPOSED):
        # (in, out / groups, ...): the groups of the output stand in the first dimension.
        grouped = weight.unflatten(0, (conv.groups, -1))
        per_channel = scale.view(conv.groups, 1, -1, *[1] * (weight.ndim - 2))
        weight = (grouped * per_channel).flatten(0, 1)
    else:
        weight = weight * scale.view(-1, *[1] * (weight.ndim - 1))
    bias = shift if conv.bias is None else conv.bias.detach().double() * scale + shift
    conv.weight = _constant(weight, conv.weight)
    conv.bias = _constant(bias, conv.weight)


def scale_and_shift(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """A batch norm in evaluation mode as `x * scale + shift`: two tensors (C,) in float64."""
    scale = (norm.running_var.detach().double() + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight.detach().double()
    shift = -norm.running_mean.detach().double() * scale
    return scale, shift if norm.bias is None else shift + norm.bias.detach().double()


def _constant(value: Tensor, like: Tensor) -> nn.Parameter:
    strides_kept = value.to(dtype=like.dtype, device=like.device, memory_format=torch.preserve_format)
    return nn.Parameter(strides_kept, requires_grad=False)


def is_plain_convolution(conv: nn.Module) -> bool:
    """Whether a convolution or linear layer is known to use its weights as they are, and to do nothing else."""
    return type(conv).__module__ in _CONV_MODULES and not hasattr(conv, "parametrizations")


def has_hooks(module: nn.Module) -> bool:
    """Whether something else is called with the module."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


def runs_by_itself(module: nn.Module, *kinds: type[nn.Module]) -> bool:
    """Whether a module runs as one of `kinds` does, of which it may be a subclass, and nothing is called with it."""
    own = any(isinstance(module, kind) and type(module).forward is kind.forward for kind in kinds)
    return own and not has_hooks(module)
