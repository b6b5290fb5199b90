"""Augmentation that follows from seed, pass and index of a sample alone.

The frameworks draw it from streams that all samples of a process share. Then what a sample gets depends on how many
workers there are, on how many processes, and on all that was drawn before: a training that is resumed in the middle of
an epoch would have to load what it has seen once more to draw on as before, and with workers not even that would do.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, get_worker_info

from .batches import SampleIndex


class SeededItems:
    """What a loader calls in the place of `dataset[index]`, by torch's protocol for whole batches.

    Args:
        dataset: Map-style.
        seed: Of the training.
    """

    def __init__(self, dataset: Dataset, seed: int):
        self.dataset, self.seed = dataset, seed
        self._whole_batches = getattr(type(dataset), "__getitems__", None)

    @classmethod
    def put_into(cls, dataset: Dataset, seed: int) -> None:
        """Has the loaders of a data set draw by index.

        Args:
            dataset: Map-style. Indexed by hand it stays as it is.
            seed: Of the training.
        """
        dataset.__getitems__ = cls(dataset, seed)

    def __call__(self, indices: Sequence[int]) -> list:
        """The samples of a batch."""
        return [self._draw(index) for index in indices]

    def _draw(self, index: int) -> object:
        if not isinstance(index, SampleIndex):
            return self._get(index)
        # The network draws from the streams of the process, too: of a worker, nobody else.
        kept = _streams() if get_worker_info() is None else None
        seed_streams(self.seed, index.passes, index)
        try:
            return self._get(int(index))
        finally:
            if kept is not None:
                _put_back(kept)

    def _get(self, index: int) -> object:
        return self._whole_batches(self.dataset, [index])[0] if self._whole_batches else self.dataset[index]


def seed_streams(seed: int, passes: int, index: int) -> None:
    """Seeds `random`, `numpy.random` and torch's CPU stream.

    Args:
        seed: Of the training.
        passes: Over the data, before this one.
        index: Of the sample.
    """
    first, second, third = np.random.SeedSequence((seed, passes, index)).generate_state(3)
    random.seed(int(first))
    np.random.seed(int(second))
    torch.default_generator.manual_seed(int(third))  # torch.manual_seed would seed the GPUs as well


def _streams() -> tuple:
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


def _put_back(streams: tuple) -> None:
    random.setstate(streams[0])
    np.random.set_state(streams[1])
    torch.set_rng_state(streams[2])
