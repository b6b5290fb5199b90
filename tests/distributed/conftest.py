"""A small generated data set, and what processes that are joined through gloo find on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
#: What each process found: by name of the case, by number of processes, a list by rank.
Found = dict[str, dict[int, list]]


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on tensors this small."""


@pytest.fixture(autouse=True)
def _forget_earlier_runs(forget_runs: Callable[[], None]) -> Iterator[None]:
    yield
    forget_runs()


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated people: 32 pictures to train on, 9 to validate."""
    from hrnet_plugin.data import make_dataset

    return make_dataset(
        tmp_path_factory.mktemp("people") / "data", train=32, val=9, test=1, size=(128, 96), workers=1
    ).root


@pytest.fixture(scope="session")
def run_processes(people: Path, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Found]:
    """`run_processes({2: {"name": {...}}})`: cases of `processes.py` by number of processes."""

    def run(cases: dict[int, dict[str, dict]], timeout: int = 300) -> Found:
        import torch

        folder = tmp_path_factory.mktemp("joined")
        paths = os.pathsep.join((str(project_root), str(HERE)))
        done = subprocess.run(
            [sys.executable, HERE / "processes.py", people, folder, json.dumps(cases)],
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        found: Found = {}
        for world, named in cases.items():
            for name in named:
                files = [folder / f"{name}.{world}.{rank}.pth" for rank in range(world)]
                found.setdefault(name, {})[world] = [torch.load(file, weights_only=True) for file in files]
        return found

    return run


@pytest.fixture(scope="session")
def alone(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict]:
    """`alone(task, double=...)`: the same training in this process, without a group; each is run once."""
    import tiny_runs

    tiny_runs.import_frameworks()

    known: dict[str, dict] = {}

    def train(task: str, *, double: bool = False, accumulate: int = 1, **options: object) -> dict:
        key = f"{task} {double} {accumulate} {options}"
        if key not in known:
            cfg = tiny_runs.config(task, people, 1, **options)
            cfg.optim_wrapper.accumulative_counts = accumulate
            known[key] = tiny_runs.train(cfg, tmp_path_factory.mktemp("alone"), double=double)
        return known[key]

    return train
