"""The batches of a training's loader: some can be skipped without being loaded, and each index knows its pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mmengine.dist import get_dist_info
from torch.utils.data import DataLoader, Sampler, SequentialSampler


class SampleIndex(int):
    """An index into a data set that knows in which pass over the data it was drawn."""

    passes: int

    def __new__(cls, index: int, passes: int):
        """An index.

        Args:
            index: Of the sample.
            passes: Over the data, before this one.
        """
        self = super().__new__(cls, index)
        self.passes = passes
        return self

    def __reduce__(self):
        return SampleIndex, (int(self), self.passes)


class ResumableBatches(Sampler):
    """Stands before the batch sampler of a loader.

    Args:
        batches: Lists of indices: what it stands before.
        sampler: Where those come from; mmengine's are told of the pass by `set_epoch`, but for endless ones.
        size: Samples in the data set.
    """

    def __init__(self, batches: Iterable, sampler: object, size: int):
        self.batches, self.sampler, self.size = batches, sampler, size
        self.passes = 0
        self._rank, self._world_size = get_dist_info()
        self._drawn = 0
        self._begun: Iterator | None = None

    @classmethod
    def of(cls, loader: DataLoader) -> ResumableBatches:
        """Puts one into a loader, or finds the one that is there."""
        if not isinstance(loader.batch_sampler, cls):
            batches = loader.batch_sampler
            ours = cls(batches, getattr(batches, "sampler", loader.sampler), len(loader.dataset))
            # torch forbids it by `DataLoader.__setattr__`, lest sampler and batch size contradict each other; these
            # are the same batches, and a new loader would not show their size to mmengine.
            object.__setattr__(loader, "batch_sampler", ours)
        return loader.batch_sampler

    def __len__(self) -> int:
        return len(self.batches)

    def __getattr__(self, name: str) -> object:
        # mmengine and mmdet ask batch samplers for their size and their sampler.
        if name in ("batches", "__setstate__"):
            raise AttributeError(name)
        return getattr(self.batches, name)

    def start_pass(self, passes: int) -> None:
        """Tells the sampler which pass begins.

        Args:
            passes: Those before it.
        """
        self.passes, self._drawn, self._begun = passes, 0, None
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(passes)

    def redraw(self, passes: int, count: int) -> None:
        """Draws former passes once more where the order of a pass follows from them, not from its number.

        As with mmpose's MultiSourceSampler, whose sources go on from pass to pass.

        Args:
            passes: How many there were.
            count: Batches of each.
        """
        if hasattr(self.sampler, "epoch") or isinstance(self.sampler, SequentialSampler):
            return
        for former in range(passes):
            self.start_pass(former)
            self.skip(count + 1)  # to its end, where it has one

    def skip(self, count: int) -> int:
        """Draws batches that are not loaded; the next iteration goes on behind them.

        Args:
            count: Of batches.

        Returns:
            How many there were: fewer than `count` where the pass has no more.
        """
        self._begun = self._numbered()
        done = 0
        while done < count and next(self._begun, None) is not None:
            done += 1
        return done

    def __iter__(self) -> Iterator[list]:
        # Only when the first batch is asked for: torch makes an iterator that it drops before it uses one.
        begun, self._begun = self._begun, None
        yield from self._numbered() if begun is None else begun

    def _numbered(self) -> Iterator[list]:
        for batch in self.batches:
            yield [self._index(index) for index in batch]

    def _index(self, index: object) -> object:
        place = self._drawn * self._world_size + self._rank
        self._drawn += 1
        if not isinstance(index, int):
            return index
        # Samplers without an end never say that a pass is over.
        return SampleIndex(index, getattr(self.sampler, "epoch", self.passes + place // max(self.size, 1)))
