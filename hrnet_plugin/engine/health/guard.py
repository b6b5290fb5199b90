"""A training step with a look between its backward pass and the optimizer's update.

mmengine's `train_step` runs from preprocessing to update before any hook is called again. So the guard takes the place
of the wrapper's `backward` for the time of one step, and leaves the step by an exception where the update must not be.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from mmengine.optim import OptimWrapper
from torch import Tensor, nn

from .before_step import BeforeStep
from .check import StepCheck


class _BatchUndone(Exception):
    """Leaves a training step whose batch has been undone."""


class Guard:
    """Runs training steps whose batches can be undone.

    Args:
        network: Not wrapped.
        wrapper: Around its optimizer.
    """

    def __init__(self, network: nn.Module, wrapper: OptimWrapper):
        parameters = [one for group in wrapper.optimizer.param_groups for one in group["params"]]
        self._network, self._wrapper = network, wrapper
        self.check = StepCheck(wrapper, parameters)
        self.before = BeforeStep(network, parameters)
        self.batch: object = None

    def run(
        self,
        step: Callable[[], dict[str, Tensor]],
        meet: Callable[[str], None],
        sound: Callable[[], None],
        forward: AbstractContextManager,
    ) -> dict[str, Tensor] | None:
        """Runs one step.

        Args:
            step: From preprocessing to update.
            meet: Called with `LOSS` or `GRADIENT` where that is not finite; the batch is undone by then.
            sound: Called where both are, before the update; not where a gradient scaler will skip it.
            forward: Entered before the forward pass, left after it.

        Returns:
            What `step` gives; None where its batch was undone.

        Raises:
            Exception: what `step` or `meet` raise. Nothing stays in its place after it.
        """
        steps = self._wrapper.should_sync()
        with ExitStack() as stack:
            stack.callback(self._network.data_preprocessor.register_forward_hook(self._keep).remove)
            inner = stack.enter_context(ExitStack())
            inner.enter_context(forward)
            backward = self._wrapper.backward

            def watched(loss: Tensor, **kwargs: object) -> None:
                inner.close()
                if not self._wrapper.should_update():  # the gradients of earlier batches wait for the update
                    self.before.keep_gradients()
                backward(loss, **kwargs)
                kind = self.check.fault(loss, steps)
                if kind:
                    self._undo()
                    meet(kind)
                    raise _BatchUndone
                if not self.check.overflowed:
                    sound()

            stack.callback(replace(self._wrapper, "backward", watched))
            try:
                return step()
            except _BatchUndone:
                return None
            finally:
                self.batch = None

    def _keep(self, preprocessor: nn.Module, args: tuple, batch: object) -> None:
        """Remembers what enters the network, and the state before it does."""
        self.batch = batch
        self.before.keep()

    def _undo(self) -> None:
        wrapper = self._wrapper
        # mmengine counts batches to know when to update: this one is not counted, nor expected.
        wrapper._inner_count -= 1
        if wrapper._max_counts > 0:
            wrapper._max_counts -= 1
            wrapper._remainder_counts = wrapper._max_counts % wrapper._accumulative_counts
        self.before.put_back()
        self.before.put_back_gradients()


def replace(owner: object, name: str, value: object) -> Callable[[], None]:
    """Puts `value` in the place of an attribute, for this object alone; returns what undoes it, once or more often."""
    own = vars(owner)
    had, old = name in own, own.get(name)
    own[name] = value

    def undo() -> None:
        if own.get(name) is value:
            if had:
                own[name] = old
            else:
                del own[name]

    return undo
