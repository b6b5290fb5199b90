"""A convolution together with the sum and the ReLU that follow it, through oneDNN where that is at hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..folding import has_hooks, is_plain_convolution

_DTYPES = (torch.float32, torch.bfloat16)


def has_onednn() -> bool:
    """Whether this torch has oneDNN's fused convolutions, under the names that torch.compile calls them by."""
    return (
        torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(torch._C._nn, "mkldnn_reorder_conv2d_weight")
    )


def can_fuse(module: nn.Module | None) -> bool:
    """Whether a module is a convolution of images that `FusedConv2d` can stand in for."""
    return (
        isinstance(module, nn.Conv2d)
        and not isinstance(module, FusedConv2d)
        and is_plain_convolution(module)
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and not has_hooks(module)
    )


class FusedConv2d(nn.Conv2d):
    """`relu(conv(x) + other)` in one pass over the output, both additions optional.

    On a CPU in float32 or bfloat16, oneDNN computes it with weights in an order of its own, which is made at the first
    call. On a GPU, in other precisions, where gradients are asked for and while the network is exported or compiled,
    torch's own operators compute it.

    Args:
        conv: A layer for which `can_fuse` holds; its weights are shared.
        relu: Whether a ReLU follows.
    """

    def __init__(self, conv: nn.Conv2d, relu: bool = False):
        super().__init__(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
            bias=conv.bias is not None,
            device="meta",
        )
        self.weight, self.bias = conv.weight, conv.bias
        self.relu = relu
        self.train(conv.training)
        self._ordered: Tensor | None = None

    def forward(self, x: Tensor, other: Tensor | None = None, in_place: bool = False) -> Tensor:
        """(N, in_channels, H, W), and what is added of the output's shape, to (N, out_channels, H', W').

        With `in_place` the output may take the place of `other`, which nobody else must need.
        """
        if self._through_onednn(x):
            return self._fused(x, other, in_place)
        out = super().forward(x)
        if other is not None:
            out = out + other
        return out.relu() if self.relu else out

    def _through_onednn(self, x: Tensor) -> bool:
        return (
            # Tensors that stand for others while a network is traced are of other types.
            type(x) is Tensor
            and x.is_cpu
            and x.dtype in _DTYPES
            and x.dtype == self.weight.dtype
            and x.dim() == 4
            and x.numel() > 0
            and not (torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad))
            and not torch.compiler.is_compiling()
            and not torch.jit.is_tracing()
            and not torch.is_autocast_enabled("cpu")
            and torch.backends.mkldnn.enabled
            and has_onednn()
        )

    def _fused(self, x: Tensor, other: Tensor | None, in_place: bool) -> Tensor:
        if self._ordered is None:
            self._ordered = torch._C._nn.mkldnn_reorder_conv2d_weight(
                self.weight.detach().to_mkldnn(), self.padding, self.stride, self.dilation, self.groups, x.shape
            )
        geometry = (self._ordered, self.bias, self.padding, self.stride, self.dilation, self.groups)
        unary = "relu" if self.relu else "none"
        if other is None:
            return torch.ops.mkldnn._convolution_pointwise(x, *geometry, unary, [], None)
        how = ("add", 1.0, unary if self.relu else None, [], None)
        if in_place:
            return torch.ops.mkldnn._convolution_pointwise_.binary(other, x, *geometry, *how)
        return torch.ops.mkldnn._convolution_pointwise.binary(x, other, *geometry, *how)

    def _apply(self, *args, **kwargs) -> FusedConv2d:
        self._ordered = None  # other weights, or elsewhere
        return super()._apply(*args, **kwargs)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_ordered": None}

    def extra_repr(self) -> str:
        """The convolution's, and what no child shows."""
        return f"{super().extra_repr()}, relu={self.relu}"
