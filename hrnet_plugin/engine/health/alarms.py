"""What in the measurements of a training is out of the ordinary, in words.

The limits lie far from what sound trainings show. In those of both quickstart configs, measured every five iterations,
the gradient of a part was never above 11 times the median of the measurements before, no activation above 40, no more
than 94 % of a part's output zero, and after the first 100 batches no batch further than 0.4 running standard deviations
from the running means, nor its variance off by more than a factor of 1.7; the root mean square of a part's gradient was
at least a 700th of that of the head's.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterator
from statistics import median

from hrnet_plugin.inspection.health.gradients import VANISHED

from .vitals import GRADIENT_NORM, GRADIENT_RMS, LARGEST, SHIFT, SPREAD, WHOLE, ZEROS, Vital

#: Adam divides by its epsilon of 1e-8 at least: a hundredth of that moves weights by a hundredth of the learning rate.
#: SGD at a rate of 0.1 changes a weight of 0.01 by less than the last of its digits.
_VANISHED = 1e-10
#: So many steps at once.
_EXPLODED = 100
#: Measurements that a median is of, and how many it takes.
_REMEMBERED, _FEWEST = 20, 5
#: float16 ends at 65504, bfloat16 keeps three digits of it.
_LARGEST = 1e4
#: Of a thousand features one is left.
_DEAD = 0.999
#: In running standard deviations, and as the logarithm of a variance's ratio: a test then sees other features.
_SHIFTED, _SPREAD = 2.0, math.log(10)
#: After so many batches, running statistics of the usual momentum of 0.1 know nothing of where they began.
_SETTLED = 100


class Alarms:
    """Tells what vanishes, explodes or drifts, each kind once for each part."""

    def __init__(self):
        self._told: set[tuple[str, str]] = set()
        self._norms: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def look(self, measured: Vital, batches: int) -> list[str]:
        """What is new.

        Args:
            measured: By kind and part.
            batches: How many the network has been trained on.
        """
        found = [*self._gradients(measured), *_activations(measured)]
        if batches >= _SETTLED:
            found += _batch_norms(measured)
        new = [(kind, part, words) for kind, part, words in found if (kind, part) not in self._told]
        self._told |= {(kind, part) for kind, part, _ in new}
        return [words for _, _, words in new]

    def _gradients(self, measured: Vital) -> Iterator[tuple[str, str, str]]:
        sizes = measured.get(GRADIENT_RMS, {})
        largest = max(sizes, key=sizes.get, default="")
        for part, rms in sizes.items():
            why = ""
            if rms < _VANISHED:
                why = f"below {_VANISHED:.0e}, which no optimizer makes a step of"
            elif rms < VANISHED * sizes[largest]:
                why = f"{sizes[largest] / rms:.2g} times smaller than that of {largest}"
            if why:
                yield "vanished", part, f"the gradient of {part} has vanished: root mean square {rms:.2g}, {why}"
        for part, norm in measured.get(GRADIENT_NORM, {}).items():
            usual = median(self._norms[part]) if len(self._norms[part]) >= _FEWEST else math.inf
            if part != WHOLE and norm > _EXPLODED * usual:
                words = f"norm {norm:.3g}, {norm / usual:.0f} times the median of the measurements before"
                yield "exploded", part, f"the gradient of {part} has exploded: {words}"
            if math.isfinite(norm):
                self._norms[part].append(norm)


def _activations(measured: Vital) -> Iterator[tuple[str, str, str]]:
    for part, largest in measured.get(LARGEST, {}).items():
        if largest > _LARGEST:
            words = f"numbers up to {largest:.3g}, where float16 ends at 6.55e+04"
            yield "large", part, f"the output of {part} has exploded: {words}"
    for part, share in measured.get(ZEROS, {}).items():
        if share > _DEAD:
            yield "dead", part, f"the output of {part} has died: {100 * share:.4g} % of it are zeros"


def _batch_norms(measured: Vital) -> Iterator[tuple[str, str, str]]:
    for part, shift in measured.get(SHIFT, {}).items():
        if shift > _SHIFTED:
            words = f"the batch's means lie {shift:.2g} running standard deviations from the running means"
            yield "shifted", part, f"the batch norms of {part} drift: {words}, so that a test sees other features"
    for part, spread in measured.get(SPREAD, {}).items():
        if spread > _SPREAD:
            words = f"the batch's variances differ from the running ones by a factor of {math.exp(min(spread, 80)):.3g}"
            yield "spread", part, f"the batch norms of {part} drift: {words}, so that a test sees other features"
