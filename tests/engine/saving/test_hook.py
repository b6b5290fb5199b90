"""Our checkpoint hook writes what mmengine's writes, and loses nothing when it fails or is killed.

Run as a script this file trains until it dies at a named moment; the tests start it so.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.fileio import FileClient, LocalBackend
from mmengine.fileio.backends import backends, prefix_to_backends, register_backend
from mmengine.hooks import CheckpointHook as EngineCheckpointHook
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint, find_latest_checkpoint

from hrnet_plugin.checkpoints.newest import NUMBER as SAVING_NUMBER
from hrnet_plugin.engine.saving import CheckpointHook, hook
from hrnet_plugin.engine.saving.storage import AtomicLocalBackend
from hrnet_plugin.errors import CheckpointError

OURS = {"random_streams", "training_position"}
NUMBER = itertools.count()
MOMENTS = {
    "while epoch 2 is written": ("epoch_1.pth", "write"),
    "before last_checkpoint moves": ("epoch_1.pth", "last_checkpoint"),
    "before the outdated one goes": ("epoch_2.pth", "remove"),
}


class Noise(torch.utils.data.Dataset):
    """Samples that depend on numpy's random stream, as augmentation does."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"inputs": torch.full((8,), float(index)) + torch.from_numpy(np.random.rand(8)).float()}


class Toy(BaseModel):
    """About 130 KB of weights, and dropout for torch's random stream."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(8, 4096)

    def forward(self, inputs: torch.Tensor, mode: str = "loss"):
        output = torch.nn.functional.dropout(self.linear(inputs), 0.5, training=self.training)
        return {"loss": output.square().mean()} if mode == "loss" else [output]


class Scores:
    """Stands in for an evaluator: the metrics that the test names, one row an epoch."""

    def __init__(self, rows: list[dict[str, float]]):
        self.rows = iter(rows)
        self.dataset_meta = None

    def process(self, **_) -> None: ...

    def evaluate(self, _size: int) -> dict[str, float]:
        return next(self.rows)


def make_runner(work_dir: Path, hook: Hook | dict, *, epochs: int = 3, by_epoch: bool = True, scores=(), **options):
    loader = {
        "dataset": Noise(),
        "batch_size": 2,
        "num_workers": 0,
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "collate_fn": {"type": "default_collate"},
    }
    loop = "hrnet_plugin.EpochBasedTrainLoop" if by_epoch else "hrnet_plugin.IterBasedTrainLoop"
    length = {"type": loop, "max_epochs": epochs} if by_epoch else {"type": loop, "max_iters": 2}
    validation = {}
    if scores:
        validation = {"val_dataloader": loader, "val_cfg": {}, "val_evaluator": {"metrics": []}}
        length["val_interval"] = 1
    torch.manual_seed(3)
    runner = Runner(
        model=Toy(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}},
        train_cfg=length,
        default_hooks={"checkpoint": hook},
        randomness={"seed": 3},
        log_level="WARNING",
        experiment_name=f"toy-{next(NUMBER)}",
        **validation,
        **options,
    )
    if scores:
        runner.val_loop.evaluator = Scores(list(scores))
    return runner


def train(work_dir: Path, hook: Hook | dict | None = None, **options) -> Runner:
    runner = make_runner(work_dir, hook or CheckpointHook(interval=1), **options)
    runner.train()
    return runner


def names(folder: Path) -> list[str]:
    """The files of a work dir, without logs (a folder), sums, the dumped config, and the lock that a kill leaves."""
    others = (".py", ".sha256", ".lock")
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix not in others)


def die_from_epoch_2_on(work_dir: Path, how: str) -> None:
    """Train with one checkpoint kept, and die at the first moment of that kind after epoch 1."""

    def kill(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    class Arm(Hook):
        def before_train_epoch(self, runner: Runner) -> None:
            if runner.epoch == 0:
                return
            if how == "write":  # the kernel ends the process in the middle of the checkpoint's bytes
                signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
                resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
            elif how == "last_checkpoint":
                hook.write_text_atomically = kill
            else:
                AtomicLocalBackend.remove = kill

    train(work_dir, CheckpointHook(interval=1, max_keep_ckpts=1), custom_hooks=[Arm()])


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_run_resumes_from_a_whole_checkpoint(moment, tmp_path, project_root):
    last, how = MOMENTS[moment]
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path), how],
        env={**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
    )
    assert -done.returncode in (signal.SIGKILL, signal.SIGXFSZ), done.stderr.decode()
    assert find_latest_checkpoint(str(tmp_path)) == str(tmp_path / last)
    assert _load_checkpoint(str(tmp_path / last))["meta"]["epoch"] == int(last[6])
    assert any(name.endswith(".partial") for name in names(tmp_path)) == (how == "write")

    runner = train(tmp_path, CheckpointHook(interval=1, max_keep_ckpts=1), resume=True)

    assert runner.epoch == 3
    assert "epoch_3.pth" in names(tmp_path)
    assert not any(name.endswith(".partial") for name in names(tmp_path))


def test_save_that_fails_keeps_the_checkpoint_before_it(tmp_path, monkeypatch):
    train(tmp_path, CheckpointHook(interval=1, max_keep_ckpts=1), epochs=1)
    before = names(tmp_path)

    def stop_midway(content, file, *_, **__):
        file.write(b"half")
        raise RuntimeError("stopped midway")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", stop_midway)
        with pytest.raises(RuntimeError, match="stopped midway"):
            train(tmp_path, CheckpointHook(interval=1, max_keep_ckpts=1), resume=True)

    assert names(tmp_path) == before == ["epoch_1.pth", "last_checkpoint"]
    assert train(tmp_path, CheckpointHook(interval=1, max_keep_ckpts=1), resume=True).epoch == 3
    assert names(tmp_path) == ["epoch_3.pth", "last_checkpoint"]


class FullDisk:
    """A disk without room for the checkpoints of some epochs."""

    def __init__(self, monkeypatch, *epochs: int):
        self.real, self.epochs = os.replace, epochs
        monkeypatch.setattr(os, "replace", self.replace)

    def replace(self, source: Path, target: Path) -> None:
        if any(Path(target).name == f"epoch_{epoch}.pth" for epoch in self.epochs):
            raise OSError(28, "No space left on device")
        self.real(source, target)


BACKGROUND = pytest.mark.parametrize("background", [False, True])


@BACKGROUND
def test_full_disk_at_the_end_is_told_in_one_line(tmp_path, monkeypatch, background):
    FullDisk(monkeypatch, 1, 2, 3)
    with pytest.raises(CheckpointError, match=r"epoch_3\.pth: found 'No space left on device'.*--resume") as caught:
        train(tmp_path, CheckpointHook(interval=1, background=background))

    assert "\n" not in str(caught.value)
    assert names(tmp_path) == []


@BACKGROUND
def test_full_disk_is_told_and_training_goes_on(tmp_path, monkeypatch, background):
    FullDisk(monkeypatch, 2)
    hook = CheckpointHook(interval=1, max_keep_ckpts=1, background=background)
    runner = train(tmp_path, hook)

    assert runner.epoch == 3
    log = next(tmp_path.glob("*/*.log")).read_text()
    assert log.count("epoch_2.pth: found 'No space left on device'") == 1
    assert "Training goes on without it" in log
    assert names(tmp_path) == ["epoch_3.pth", "last_checkpoint"]
    assert list(hook.keep_ckpt_ids) == [3]


def test_full_disk_leaves_what_stands(tmp_path, monkeypatch):
    FullDisk(monkeypatch, 2)
    stood = []

    class Look(Hook):
        priority = "LOWEST"

        def after_train_epoch(self, runner: Runner) -> None:
            stood.append(names(tmp_path))

    train(tmp_path, CheckpointHook(interval=1, max_keep_ckpts=1), custom_hooks=[Look()])
    assert stood[:2] == [["epoch_1.pth", "last_checkpoint"]] * 2


def test_best_that_finds_no_room_is_not_the_best(tmp_path, monkeypatch):
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(target).name == "best_AP_epoch_2.pth":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    scores = [{"AP": 0.1}, {"AP": 0.9}, {"AP": 0.5}]
    runner = train(tmp_path, CheckpointHook(interval=1, save_best="AP", rule="greater"), scores=scores)
    # Of those that could be written.
    assert "best_AP_epoch_3.pth" in names(tmp_path)
    assert runner.message_hub.get_info("best_score") == 0.5


@BACKGROUND
def test_each_checkpoint_has_its_sum(tmp_path, background):
    hook = CheckpointHook(interval=1, max_keep_ckpts=2, save_best="AP", rule="greater", background=background)
    train(tmp_path, hook, scores=[{"AP": 0.1}, {"AP": 0.3}, {"AP": 0.2}])
    kept = ["best_AP_epoch_2.pth", "epoch_2.pth", "epoch_3.pth"]
    assert sorted(path.name for path in tmp_path.glob("*.pth")) == kept
    sums = sorted(tmp_path.glob("*.sha256"))
    assert [path.name for path in sums] == [f"{name}.sha256" for name in kept]
    for path in sums:
        digest, name = path.read_text().split()
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_other_errors_end_the_training(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CheckpointError, match=r"epoch_1\.pth: found 'Input/output error'"):
        train(tmp_path)


def test_new_stands_before_the_old_goes(tmp_path, monkeypatch):
    events: list[str] = []
    for step, sign in (("replace", "+"), ("remove", "-")):
        real = getattr(os, step)

        def note(*paths, sign=sign, real=real):
            if not str(paths[-1]).endswith(".sha256"):
                events.append(sign + Path(paths[-1]).name)
            return real(*paths)

        monkeypatch.setattr(os, step, note)

    hook = CheckpointHook(interval=1, max_keep_ckpts=1, save_best="AP", rule="greater")
    train(tmp_path, hook, epochs=2, scores=[{"AP": 0.1}, {"AP": 0.2}])

    assert events == [
        *("+epoch_1.pth", "+last_checkpoint"),
        *("+best_AP_epoch_1.pth", "+epoch_1.pth", "+last_checkpoint"),
        *("+epoch_2.pth", "+last_checkpoint", "-epoch_1.pth"),
        *("+best_AP_epoch_2.pth", "+epoch_2.pth", "+last_checkpoint", "-best_AP_epoch_1.pth"),
    ]


def test_best_written_anew_under_its_own_name_stands(tmp_path):
    hook = CheckpointHook(interval=1, save_best="AP", rule="greater")
    runner = train(tmp_path, hook, epochs=1, scores=[{"AP": 0.1}])

    hook.after_val_epoch(runner, {"AP": 0.2})  # the same epoch validated once more

    assert names(tmp_path) == ["best_AP_epoch_1.pth", "epoch_1.pth", "last_checkpoint"]


TWO_METRICS = [{"AP": 0.1, "loss_val": 3.0}, {"AP": 0.3, "loss_val": 4.0}, {"AP": 0.2, "loss_val": 2.0}]


@pytest.mark.parametrize(
    ("options", "by_epoch", "expected"),
    [
        ({}, True, ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]),
        ({"max_keep_ckpts": 2, "save_optimizer": False}, True, ["epoch_2.pth", "epoch_3.pth"]),
        ({"by_epoch": False, "max_keep_ckpts": 1}, False, ["iter_2.pth"]),
        ({"save_best": "AP", "rule": "greater", "interval": 3}, True, ["best_AP_epoch_2.pth", "epoch_3.pth"]),
        (
            {"save_best": ["AP", "loss_val"], "rule": ["greater", "less"], "max_keep_ckpts": 1},
            True,
            ["best_AP_epoch_2.pth", "best_loss_val_epoch_3.pth", "epoch_3.pth"],
        ),
        ({"filename_tmpl": "w_{}.pth", "save_begin": 2}, True, ["w_2.pth", "w_3.pth"]),
    ],
)
def test_same_files_with_the_same_content_as_mmengine(options, by_epoch, expected, tmp_path):
    scores = TWO_METRICS if "save_best" in options else ()
    folders = {}
    for kind in (EngineCheckpointHook, CheckpointHook):
        folders[kind] = tmp_path / kind.__module__
        train(folders[kind], kind(**{"interval": 1, **options}), by_epoch=by_epoch, scores=scores)

    ours, theirs = folders[CheckpointHook], folders[EngineCheckpointHook]
    assert names(ours) == names(theirs) == sorted([*expected, "last_checkpoint"])
    for name in expected:
        mine, other = (_load_checkpoint(str(folder / name)) for folder in (ours, theirs))
        assert set(mine) - set(other) == (set() if name.startswith("best") else OURS)
        assert mine["meta"].keys() - other["meta"].keys() == {SAVING_NUMBER}
        assert other["meta"].keys() <= mine["meta"].keys()
        assert mine["meta"]["epoch"] == other["meta"]["epoch"]
        assert mine["meta"]["iter"] == other["meta"]["iter"]
        assert ("optimizer" in mine) == ("optimizer" in other)
        known = [hub["message_hub"]["runtime_info"].keys() for hub in (mine, other)]
        assert known[0] == known[1]
        for key, weight in other["state_dict"].items():
            assert torch.equal(mine["state_dict"][key], weight)


def test_upstream_hook_resumes_what_ours_saved(tmp_path):
    train(tmp_path, epochs=2)
    assert train(tmp_path, EngineCheckpointHook(interval=1), epochs=3, resume=True).epoch == 3


def test_published_file_carries_its_own_hash(tmp_path):
    train(tmp_path, CheckpointHook(interval=1, published_keys=["meta", "state_dict"]), epochs=1)

    (published,) = tmp_path.glob("epoch_1-*.pth")
    assert published.stem.split("-")[1] == hashlib.sha256(published.read_bytes()).hexdigest()[:8]
    assert set(_load_checkpoint(str(published))) == {"meta", "state_dict"}


@pytest.fixture
def memory():
    """A storage that is no local folder, under the prefix mem://."""
    stored: dict[str, bytes] = {}

    class Memory(LocalBackend):
        def put(self, obj: bytes, filepath: str) -> None:
            stored[filepath] = obj

        def isfile(self, filepath: str) -> bool:
            return filepath in stored

        def remove(self, filepath: str) -> None:
            del stored[filepath]

    register_backend("memory", Memory, prefixes="mem")
    FileClient.register_backend("memory", Memory, prefixes="mem")
    yield stored
    del backends["memory"], prefix_to_backends["mem"]
    del FileClient._backends["memory"], FileClient._prefix_to_backends["mem"]


def test_other_storage_is_left_to_mmengine(tmp_path, memory):
    train(tmp_path / "toy", CheckpointHook(interval=1, out_dir="mem://bucket", max_keep_ckpts=2))

    assert sorted(memory) == ["mem://bucket/toy/epoch_2.pth", "mem://bucket/toy/epoch_3.pth"]
    assert names(tmp_path / "toy") == ["last_checkpoint"]
    assert find_latest_checkpoint(str(tmp_path / "toy")) == "mem://bucket/toy/epoch_3.pth"


def test_found_by_its_type_in_a_config(tmp_path):
    hook = ROOT_HOOKS.build({"type": "hrnet_plugin.CheckpointHook", "interval": 2})
    assert isinstance(hook, CheckpointHook)
    assert hook.interval == 2


if __name__ == "__main__":
    die_from_epoch_2_on(Path(sys.argv[1]), sys.argv[2])
