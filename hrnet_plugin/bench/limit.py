"""The machine's limit for a network: every convolution of it alone, in fp32, channels-last, with its weights packed.

What a runtime adds between them (sums, activations, upsampling, copies) is not in it, nor what a convolution loses
because its input was just written by another core. A runtime that computes convolutions in another way, with fewer
multiplications (Winograd's, arXiv:1509.09308), may be faster than this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..deploy.tensor_model import TensorModel


@dataclass(frozen=True)
class Convolution:
    """The convolutions of one shape.

    Args:
        input_shape: (N, C, H, W).
        weight_shape: (O, C / groups, h, w).
        stride, padding, dilation, groups: As torch has them.
        has_bias: Whether it adds one; a folded norm gives it one, so that networks are counted with it.
        count: How many the network has.
    """

    input_shape: tuple[int, ...]
    weight_shape: tuple[int, ...]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    has_bias: bool = True
    count: int = 1

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all of them."""
        out = torch.empty(self.input_shape, device="meta")
        weight = torch.empty(self.weight_shape, device="meta")
        shape = functional.conv2d(out, weight, None, self.stride, self.padding, self.dilation, self.groups).shape
        return self.count * shape.numel() * weight[0].numel()


def find_convolutions(model: TensorModel, images: Tensor) -> list[Convolution]:
    """Every convolution that runs, those of the same shape together.

    Args:
        model: In evaluation mode.
        images: (N, C, H, W).
    """
    found: dict[tuple, int] = {}

    def note(module: nn.Conv2d, args: tuple[Tensor, ...], output: Tensor) -> None:
        where = (module.stride, _pixels(module), module.dilation, module.groups)
        shape = (tuple(args[0].shape), tuple(module.weight.shape), *where)
        found[shape] = found.get(shape, 0) + 1

    hooks = [part.register_forward_hook(note) for part in model.modules() if isinstance(part, nn.Conv2d)]
    with torch.inference_mode():
        model(images)
    for hook in hooks:
        hook.remove()
    return [Convolution(*shape, count=count) for shape, count in found.items()]


def _pixels(module: nn.Conv2d) -> tuple[int, int]:
    """The padding in pixels, where it may be written as a word."""
    if module.padding == "same":
        return tuple(gap * (size - 1) // 2 for gap, size in zip(module.dilation, module.kernel_size, strict=True))
    return (0, 0) if module.padding == "valid" else tuple(module.padding)


class ConvolutionTimer:
    """Times the convolutions of a network one by one.

    Args:
        convolutions: From :func:`find_convolutions`.
        device: `cpu` or `cuda`.
    """

    def __init__(self, convolutions: list[Convolution], device: str = "cpu"):
        self.convolutions = convolutions
        self._calls = [_prepared(convolution, device) for convolution in convolutions]
        self._times: list[list[float]] = [[] for _ in convolutions]
        self._wait = torch.cuda.synchronize if device == "cuda" else lambda: None

    def turn(self, settle: bool = True) -> None:
        """Each one once, after an untimed call that brings its numbers into the cache."""
        for call, times in zip(self._calls, self._times, strict=True):
            call()
            self._wait()
            begun = perf_counter()
            call()
            self._wait()
            times.append(perf_counter() - begun)

    @property
    def seconds(self) -> tuple[float, ...]:
        """One number: the sum over the network's convolutions of each one's median."""
        pairs = zip(self.convolutions, self._times, strict=True)
        return (sum(convolution.count * median(times) for convolution, times in pairs),)


def _prepared(convolution: Convolution, device: str) -> Callable[[], Tensor]:
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(convolution.input_shape, generator=generator).to(device, memory_format=torch.channels_last)
    weight = torch.randn(convolution.weight_shape, generator=generator).to(device, memory_format=torch.channels_last)
    bias = torch.randn(convolution.weight_shape[0], generator=generator).to(device) if convolution.has_bias else None
    how = (convolution.padding, convolution.stride, convolution.dilation, convolution.groups)
    if device == "cpu" and torch.backends.mkldnn.is_available():
        # The weights in oneDNN's own order, as torch.compile's freezing leaves them: torch's conv2d would reorder
        # them at each call.
        packed = torch._C._nn.mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), *how, list(image.shape))
        run = torch.ops.mkldnn._convolution_pointwise
        return lambda: run(image, packed, bias, *how, "none", [], "")
    padding, stride, dilation, groups = how
    return lambda: functional.conv2d(image, weight, bias, stride, padding, dilation, groups)
