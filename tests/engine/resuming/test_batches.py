"""Batches that can be skipped without being loaded, and what is drawn for a sample."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.runner.utils import _get_batch_size
from torch.utils.data import DataLoader

from hrnet_plugin.engine.resuming.batches import ResumableBatches, SampleIndex
from hrnet_plugin.engine.resuming.sample_randomness import SeededItems


class Numbers(torch.utils.data.Dataset):
    """Each sample is its index and one draw from each stream."""

    def __init__(self, length: int = 10):
        self.length, self.loaded = length, []

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[int, float, float, float]:
        self.loaded.append(index)
        return int(index), random.random(), float(np.random.rand()), float(torch.rand(1))


def loader_of(sampler: type = DefaultSampler, **options) -> DataLoader:
    dataset = Numbers()
    return DataLoader(dataset, 3, sampler=sampler(dataset, seed=1), collate_fn=list, **options)


def test_an_index_is_a_number_that_knows_its_pass():
    index = pickle.loads(pickle.dumps(SampleIndex(7, 3)))
    assert (index, index.passes) == (7, 3)
    assert [*range(10)][index] == 7


@pytest.mark.parametrize("sampler", [DefaultSampler, InfiniteSampler])
@pytest.mark.parametrize("skipped", [0, 1, 3])
def test_what_is_skipped_is_not_loaded(sampler, skipped):
    loader, other = loader_of(sampler), loader_of(sampler)
    batches = ResumableBatches.of(loader)
    assert ResumableBatches.of(loader) is batches
    batches.start_pass(0)
    assert batches.skip(skipped) == skipped
    assert loader.dataset.loaded == []
    found = [[sample[0] for sample in batch] for _, batch in zip(range(4 - skipped), loader, strict=False)]
    wanted = [[sample[0] for sample in batch] for _, batch in zip(range(4), other, strict=False)][skipped:]
    assert found == wanted


def test_a_pass_ends_where_it_ends():
    batches = ResumableBatches.of(loader_of())
    batches.start_pass(0)
    assert batches.skip(9) == 4
    assert [*batches] == []
    assert len([*batches]) == len(batches) == 4  # the next pass


@pytest.mark.parametrize("sampler", ["own order", DefaultSampler])
def test_former_passes_are_drawn_where_the_order_follows_from_them(sampler):
    class Counting:
        seed, count = 0, 0

        def __init__(self, *_, **__): ...

        def __iter__(self):
            self.count += 1
            return iter([self.count] * 4)

    loader = loader_of(Counting if sampler == "own order" else sampler)
    batches = ResumableBatches.of(loader)
    batches.redraw(1, len(loader.dataset))
    assert loader.dataset.loaded == []
    drawn = []
    for passes in (1, 2):
        batches.start_pass(passes)
        drawn += [index for batch in batches for index in batch]
    if sampler == "own order":
        assert drawn == [2] * 4 + [3] * 4
    else:
        assert [index.passes for index in drawn] == [1] * 10 + [2] * 10


def test_sizes_are_still_known():
    loader = loader_of(drop_last=True)
    ResumableBatches.of(loader)
    assert (loader.batch_size, len(loader), _get_batch_size(loader)) == (3, 3, 3)
    assert isinstance(loader.sampler, DefaultSampler)


def test_passes_are_counted_for_both_kinds_of_samplers():
    loader = loader_of()
    batches = ResumableBatches.of(loader)
    batches.start_pass(5)
    assert {index.passes for batch in batches for index in batch} == {5}
    endless = ResumableBatches.of(loader_of(InfiniteSampler))
    endless.start_pass(0)
    drawn = [index.passes for _, batch in zip(range(7), endless, strict=False) for index in batch]
    assert drawn == [0] * 10 + [1] * 10 + [2]


def test_samples_follow_from_seed_pass_and_index():
    samples = {}
    for workers, seed in ((0, 3), (2, 3), (0, 4)):
        loader = loader_of(num_workers=workers, persistent_workers=workers > 0)
        batches = ResumableBatches.of(loader)
        SeededItems.put_into(loader.dataset, seed)
        for passes in (0, 1):
            batches.start_pass(passes)
            samples[workers, seed, passes] = sorted(sample for batch in loader for sample in batch)
    assert samples[0, 3, 0] == samples[2, 3, 0]
    assert samples[0, 3, 1] == samples[2, 3, 1]
    draws = [number for found in samples.values() for sample in found for number in sample[1:]]
    assert len(set(draws)) == 2 * 2 * 30  # two seeds, two passes; the workers draw the same


def test_the_streams_of_the_process_stay():
    loader = loader_of()
    ResumableBatches.of(loader)
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    wanted = float(torch.rand(1)), float(np.random.rand()), random.random()
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    SeededItems.put_into(loader.dataset, 3)
    next(iter(loader_of()))  # draws, as any loader does
    torch.manual_seed(0), np.random.seed(0), random.seed(0)
    loader.generator = torch.Generator().manual_seed(1)
    assert len([*loader]) == 4
    assert (float(torch.rand(1)), float(np.random.rand()), random.random()) == wanted


def test_an_index_by_hand_draws_as_ever():
    dataset = Numbers()
    SeededItems.put_into(dataset, 3)
    first, second = dataset[2], dataset[2]
    assert first[0] == second[0] == 2
    assert first != second


def test_a_data_set_with_batches_of_its_own_is_asked_for_them():
    class Whole(Numbers):
        def __getitems__(self, indices):
            return [("whole", *self[index]) for index in indices]

    dataset = Whole()
    loader = DataLoader(dataset, 3, sampler=DefaultSampler(dataset, seed=1), collate_fn=list)
    ResumableBatches.of(loader)
    SeededItems.put_into(dataset, 3)
    assert {sample[0] for batch in loader for sample in batch} == {"whole"}
