"""Signals to a training's whole process group do not take its loader's processes from it."""

from __future__ import annotations

import signal
import subprocess

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from hrnet_plugin.engine.loader_signals import leave_signals_to_training
from hrnet_plugin.engine.preemption import SIGNALS

pytestmark = pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="who sent a signal cannot be told here")


class Drawn(Dataset):
    """Draws, so that the seed of a process is seen."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.rand(2)


def _loader(method: str, dataset: object = range(8), workers: int = 2, **options) -> DataLoader:
    generator = torch.Generator().manual_seed(5)
    return DataLoader(dataset, 1, num_workers=workers, multiprocessing_context=method, generator=generator, **options)


def _send(number: signal.Signals, processes: list) -> None:
    """As a launcher does: not from this process."""
    subprocess.run(["kill", f"-{number.name[3:]}", *(str(process.pid) for process in processes)], check=True)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_they_load_on(method):
    loader = _loader(method, workers=2 if method == "fork" else 1)
    leave_signals_to_training(loader, SIGNALS)
    batches = iter(loader)
    for number in SIGNALS:  # they have just been started, and import what they need
        _send(number, batches._workers)
    next(batches)
    for number in SIGNALS:
        _send(number, batches._workers)
    assert len(list(batches)) == 7
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []).isdisjoint(SIGNALS)


def test_the_training_itself_can_end_them():
    loader = _loader("fork", persistent_workers=True)
    leave_signals_to_training(loader, SIGNALS)
    workers = iter(loader)._workers
    next(loader._iterator)
    for worker in workers:
        worker.terminate()
        worker.join(20)
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_seeds_and_the_config_s_own_start_stay():
    samples = []
    for ours in (False, True):
        loader = _loader("fork", Drawn(), worker_init_fn=lambda worker: torch.manual_seed(9) if worker else None)
        if ours:
            leave_signals_to_training(loader, SIGNALS)
            leave_signals_to_training(loader, SIGNALS)  # a hook may be asked twice
        samples.append(torch.cat(list(loader)))
    assert torch.equal(*samples)
