"""A forward pass on tensors that have shapes and no values: a large network costs a fraction of a second, no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call


@dataclass
class Followed:
    """Which modules of a network are running.

    Args:
        running: Name and module, the outermost first.
        book_convolution: Called with the multiply-accumulates of each convolution that is only stood in for.
    """

    running: list[tuple[str, nn.Module]] = field(default_factory=list)
    book_convolution: Callable[[int], None] = lambda macs: None

    @property
    def name(self) -> str:
        """Of the innermost running module; the empty string is the network itself."""
        return self.running[-1][0] if self.running else ""


@contextmanager
def following(network: nn.Module) -> Iterator[Followed]:
    """Follows which module is running; hooks, stand-ins and the modules' modes are undone at the end.

    Deformable convolutions, whose operator runs neither without values nor without a compiled mmcv, are stood in for by
    one that knows the size of what they give.
    """
    followed = Followed()
    handles, replaced = [], []
    training = {module: module.training for module in network.modules()}
    try:
        for name, module in network.named_modules():
            handles.append(module.register_forward_pre_hook(_entering(followed, name)))
            handles.append(module.register_forward_hook(_leaving(followed), always_call=True))
            if is_deformable(module):
                module.forward = _deformable(module, followed)
                replaced.append(module)
        yield followed
    finally:
        for handle in handles:
            handle.remove()
        for module in replaced:
            del module.forward
        for module, mode in training.items():
            module.training = mode


def state_without_values(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers of a network by name, as they are but for their values."""
    state = (*network.named_parameters(), *network.named_buffers())
    return {name: torch.empty_like(value, device="meta").requires_grad_(value.requires_grad) for name, value in state}


def run_without_values(
    network: nn.Module,
    state: Mapping[str, Tensor],
    input_size: tuple[int, int],
    in_channels: int = 3,
    options: Mapping[str, object] | None = None,
    batch: int = 1,
) -> object:
    """A forward pass of empty images; neither the network nor its statistics are changed.

    Args:
        network: It is called with (batch, in_channels, height, width).
        state: Its parameters and buffers as :func:`state_without_values` gives them.
        input_size: (width, height) of the images.
        in_channels: Channels of the images.
        options: Further arguments of its `forward`.
        batch: Number of images.

    Returns:
        What the network gives, on the meta device.
    """
    width, height = input_size
    with torch.device("meta"):
        image = torch.empty(batch, in_channels, height, width)
        return functional_call(network, dict(state), (image,), dict(options or {}))


def is_deformable(module: nn.Module) -> bool:
    """Whether it is one of mmcv's deformable convolutions."""
    return hasattr(module, "deform_groups") and hasattr(module, "weight")


def _entering(followed: Followed, name: str) -> Callable:
    return lambda module, args: followed.running.append((name, module))


def _leaving(followed: Followed) -> Callable:
    return lambda module, args, output: followed.running.pop() and None


def _deformable(conv: nn.Module, followed: Followed) -> Callable[..., Tensor]:
    """Stands in for its forward pass: the size that comes out, and the cost of the convolution."""

    def forward(x: Tensor, *sampling: Tensor) -> Tensor:
        if isinstance(getattr(conv, "conv_offset", None), nn.Module):
            conv.conv_offset(x)
        sizes = zip(x.shape[2:], conv.kernel_size, conv.stride, conv.padding, conv.dilation, strict=True)
        size = [(length + 2 * pad - gap * (kernel - 1) - 1) // step + 1 for length, kernel, step, pad, gap in sizes]
        out = x.new_empty(x.shape[0], conv.out_channels, *size)
        followed.book_convolution(out[:, 0].numel() * conv.weight.numel())
        # What comes after it keeps tensors for the backward pass as it would after the real one.
        return out.requires_grad_() * 1 if torch.is_grad_enabled() else out

    return forward
