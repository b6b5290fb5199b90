"""What a training step changes before the optimizer moves: kept, so that a batch can be undone.

A forward pass moves running statistics and random streams, and a backward pass adds to what earlier batches of the same
update have left in the gradients.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams


class BeforeStep:
    """The state of a network before a forward pass, and of its gradients before a backward pass.

    Args:
        network: Its buffers are kept, those of batch norms and all others.
        parameters: Those whose gradients are kept.
    """

    def __init__(self, network: nn.Module, parameters: Sequence[nn.Parameter]):
        self._network = network
        self._parameters = parameters
        self._buffers: list[Tensor] = []
        self._gradients: list[Tensor] = []
        self._accumulated: list[nn.Parameter] = []
        self._streams: dict | None = None

    @torch.no_grad()
    def keep(self) -> None:
        """Copies buffers and random streams; to be called before the forward pass."""
        # Asked for anew each time: a module may put another tensor in the place of a buffer.
        _copy([*self._network.buffers()], self._buffers)
        self._streams = capture_random_streams()
        self._accumulated = []

    @torch.no_grad()
    def keep_gradients(self) -> None:
        """Copies what earlier batches have left in the gradients; to be called before the backward pass."""
        self._accumulated = [parameter for parameter in self._parameters if parameter.grad is not None]
        _copy([parameter.grad for parameter in self._accumulated], self._gradients)

    @torch.no_grad()
    def put_back(self) -> None:
        """Buffers and random streams are what they were before the forward pass."""
        if self._streams is None:
            return
        for buffer, kept in zip(self._network.buffers(), self._buffers, strict=True):
            buffer.copy_(kept)
        restore_random_streams(self._streams)

    @torch.no_grad()
    def put_back_gradients(self) -> None:
        """Gradients are what they were before the backward pass: those of earlier batches, or none."""
        kept = {id(parameter): copy for parameter, copy in zip(self._accumulated, self._gradients, strict=False)}
        for parameter in self._parameters:
            if id(parameter) in kept:
                parameter.grad.copy_(kept[id(parameter)])
            else:
                parameter.grad = None

    def buffers_before(self) -> dict[int, Tensor]:
        """The copies, by the `id` of the buffer that each is of."""
        return {id(buffer): kept for buffer, kept in zip(self._network.buffers(), self._buffers, strict=True)}


def _copy(tensors: list[Tensor], copies: list[Tensor]) -> None:
    """Fills `copies` in place: new memory at each step would cost more than the copying."""
    if [one.shape for one in tensors] != [one.shape for one in copies]:
        copies[:] = [one.clone() for one in tensors]
    elif tensors:
        torch._foreach_copy_(copies, tensors)
