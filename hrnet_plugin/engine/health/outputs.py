"""The first module of a forward pass whose output is not finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import takewhile

from torch import nn

from .culprit import Culprit
from .tensors import all_finite, broken_images, largest


class OutputWatch:
    """Looks at the output of each module as it is called.

    Args:
        network: Its modules are looked at, but for itself: what it gives are the losses.
        count: Images in the batch.
    """

    def __init__(self, network: nn.Module, count: int):
        self._network = network
        self._count = count
        self._calls = 0
        self.last = ""
        self.found: Culprit | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Looks at what is called meanwhile."""
        handles = [
            module.register_forward_hook(partial(self._look, name), with_kwargs=True)
            for name, module in self._network.named_modules()
            if name and not name.startswith("data_preprocessor")
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def after_all(self, losses: dict[str, object]) -> Culprit | None:
        """What was found, or what the losses tell where every module's output was finite."""
        broken = [name for name, value in losses.items() if "loss" in name and not all_finite(value)]
        broken = [name for name in broken if name != "loss"] or broken  # which is their sum
        if self.found is not None or not broken:
            return self.found
        where = self.last.rpartition(".")[0]
        words = f"{' and '.join(broken)}, computed after the output of {self.last}, which was finite"
        return Culprit(self._calls + 1, where, words)

    def _look(self, name: str, module: nn.Module, args: tuple, kwargs: dict, output: object) -> None:
        self._calls += 1
        if self.found is not None:
            return
        if all_finite(output):
            self.last = name
            return
        images = broken_images(output, self._count) or broken_images((args, kwargs), self._count)
        if all_finite((args, kwargs)):
            words = f"the output of {name} ({type(module).__name__}), though what entered it was finite"
            self.found = Culprit(self._calls, name, words + _in_numbers(module, (args, kwargs)), images)
        else:
            words = f"what enters {name}, computed after the output of {self.last or 'nothing else'}, which was finite"
            self.found = Culprit(self._calls, _both(self.last, name), words, images)


def _in_numbers(module: nn.Module, entered: object) -> str:
    """What of a module's own is not finite, or how large it and what entered it are: as a diverged network has it."""
    broken = [name for name, value in module.named_parameters() if not all_finite(value)]
    if not module.training:  # in training a batch norm's own statistics have just met the batch
        broken += [name for name, value in module.named_buffers() if not all_finite(value)]
    if broken:
        holds = "holds" if len(broken) == 1 else "hold"
        return f"; its {' and '.join(broken)} {holds} values that are not finite"
    sizes = {"what entered it": largest(entered), "its weights": largest([*module.parameters()])}
    told = [f"{what} up to {size:.2g}" for what, size in sizes.items() if size]
    return f" ({', '.join(told)})" if told else ""


def _both(one: str, other: str) -> str:
    """The innermost module that holds both."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return ".".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
