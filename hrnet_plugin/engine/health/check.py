"""Whether loss and gradients are numbers, decided by all ranks together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmengine.optim import OptimWrapper
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from .fault import GRADIENT, LOSS

#: torch's scaler begins at 2**16 and halves at each overflow: after so many in a row it would be below 1/16, where it
#: is no longer the scale that overflows.
MOST_OVERFLOWS = 20


class StepCheck:
    """Looks at loss and gradients between the backward pass and the optimizer's step.

    One norm of all gradients tells whether any holds NaN or infinity, with one synchronisation and one flag exchanged
    among the ranks. A gradient scaler skips steps by itself where its scale is too large: with one, gradients count
    only after many such steps in a row.

    Args:
        wrapper: Around the optimizer.
        parameters: Those that it moves.
    """

    def __init__(self, wrapper: OptimWrapper, parameters: Sequence[nn.Parameter]):
        self._wrapper = wrapper
        self._parameters = parameters
        self.overflows = 0
        #: Whether gradients of the last batch were not finite, which a scaler deals with by itself.
        self.overflowed = False

    @torch.no_grad()
    def fault(self, loss: Tensor, steps: bool) -> str:
        """`LOSS`, `GRADIENT`, or '' where both are numbers, the same on all ranks.

        Args:
            loss: That of this rank, a scalar.
            steps: Whether the optimizer is about to step, and does not wait for more batches.
        """
        norm = get_total_norm([one.grad for one in self._parameters if one.grad is not None])
        flags = (~torch.isfinite(torch.stack([loss.detach().float().reshape(()), norm.to(loss.device).float()]))).int()
        all_reduce(flags, "max")
        loss_broken, gradient_broken = flags.tolist()
        self.overflowed = bool(gradient_broken)
        if loss_broken:
            return LOSS
        if not gradient_broken:
            self.overflows = 0
            return ""
        if not scales(self._wrapper):
            return GRADIENT
        self.overflows += steps
        return GRADIENT if self.overflowing else ""

    @property
    def overflowing(self) -> bool:
        """Whether more steps in a row overflowed than a scaler needs to find its scale."""
        return self.overflows > MOST_OVERFLOWS


def scales(wrapper: OptimWrapper) -> bool:
    """Whether losses are scaled, so that gradients overflow at times and the scaler deals with it."""
    scaler = getattr(wrapper, "loss_scaler", None)
    # A constant scale of 1, as bfloat16 has it on a GPU, makes nothing overflow.
    return scaler is not None and scaler.is_enabled() and getattr(wrapper, "_scale_update_param", None) != 1.0
