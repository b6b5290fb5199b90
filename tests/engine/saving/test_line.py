"""A folder holds the checkpoints of one line of trainings: others are set aside, and nothing of others is removed."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint

from hrnet_plugin.checkpoints.newest import NUMBER, find_newest
from hrnet_plugin.checkpoints.sums import fault_of
from hrnet_plugin.engine import PreemptionHook
from hrnet_plugin.errors import CheckpointError, Preempted

BEST = {"interval": 1, "save_best": "AP", "rule": "greater"}
EPOCH = 6  # iterations


class Ask(Hook):
    """Asks the training to make room in an iteration, or in the validation behind it."""

    def __init__(self, iteration: int, validates: bool = False):
        self.iteration, self.validates = iteration, validates

    def before_train_iter(self, runner: Runner, *_, **__) -> None:
        if not self.validates and runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGTERM)

    def before_val_iter(self, runner: Runner, batch_idx: int, *_, **__) -> None:
        if self.validates and runner.iter == self.iteration and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def goes_on(small, monkeypatch):
    """Trains on from a named checkpoint, or from weights, as `hrnet train` has it."""
    real = Runner.load_or_resume

    def run(source: Path, work_dir: Path, *, resume: bool = True, **options) -> Runner:
        def load(runner: Runner) -> None:
            runner._load_from, runner._resume = str(source), resume
            real(runner)

        with monkeypatch.context() as patch:
            patch.setattr(Runner, "load_or_resume", load)
            return small.run(work_dir, **{"save": {"interval": 1}, **options})

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pth"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.pth*")}


def number(path: Path) -> int:
    return _load_checkpoint(str(path))["meta"][NUMBER]


def newest(folder: Path) -> str:
    return find_newest(folder.glob("*.pth")).path.name


def test_savings_are_numbered_across_stops(tmp_path, small):
    small.run(tmp_path, save={"interval": 1}, hooks=[small.StopAfter(2 * EPOCH + 1)])
    small.run(tmp_path, save={"interval": 1}, resume=True)
    assert [number(tmp_path / name) for name in names(tmp_path)] == [1, 2, 3]


def test_the_last_after_a_change_of_the_batch(tmp_path, small):
    """Iterations are counted anew: epoch 3 has seen fewer than epoch 2."""
    small.run(tmp_path, save={"interval": 1}, hooks=[small.StopAfter(2 * EPOCH + 1)])
    larger = {"batch": 6, "on_batch_change": "rescale"}
    small.run(tmp_path, save={"interval": 1}, resume=True, length=4, hooks=[small.StopAfter(10)], **larger)
    assert newest(tmp_path) == "epoch_3.pth"
    assert _load_checkpoint(str(tmp_path / "epoch_3.pth"))["meta"]["iter"] < 2 * EPOCH


def test_a_new_training_sets_an_earlier_one_aside(tmp_path, small):
    small.run(tmp_path, save={**BEST, "published_keys": ["meta", "state_dict"]})
    mine = tmp_path / "td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40.pth"
    shutil.copy(tmp_path / "epoch_1.pth", mine)  # no name that a training gives
    mine_too = tmp_path / "notes.txt"
    mine_too.touch()
    before = contents(tmp_path)
    for attempt in (1, 2):
        small.run(tmp_path, save={"interval": 1}, seed=9, hooks=[small.StopAfter(EPOCH + 1)])
        assert names(tmp_path) == ["epoch_1.pth", mine.name]
        assert newest(tmp_path) == "epoch_1.pth"
        assert mine_too.exists()
        aside = tmp_path / "earlier_1"
        assert contents(aside) == {name: data for name, data in before.items() if name != mine.name}
        assert (aside / "last_checkpoint").read_text() == str(aside / "epoch_3.pth")
        assert (tmp_path / "last_checkpoint").read_text() == str(tmp_path / "epoch_1.pth")
        assert (tmp_path / "earlier_2").exists() == (attempt == 2)
    log = max(tmp_path.glob("*/*.log")).read_text()
    assert log.count(f"Checkpoints of another training in {tmp_path} are now in earlier_2/ there") == 1


def test_a_damaged_one_is_set_aside_too(tmp_path, small):
    small.run(tmp_path, save={"interval": 1})
    (tmp_path / "epoch_3.pth").write_bytes(b"half")
    small.run(tmp_path, save={"interval": 1}, hooks=[small.StopAfter(1)])
    assert names(tmp_path) == []
    assert names(tmp_path / "earlier_1") == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]


def test_a_branch_that_is_left_is_set_aside(tmp_path, small, goes_on):
    small.run(tmp_path, save=BEST, scores={1: 0.1, 2: 0.2, 3: 0.3})
    goes_on(tmp_path / "epoch_1.pth", tmp_path, hooks=[small.StopAfter(EPOCH + 1)])
    assert newest(tmp_path) == "epoch_1.pth"
    aside = ["best_AP_epoch_3.pth", "epoch_2.pth", "epoch_3.pth"]
    assert names(tmp_path / "earlier_1") == aside
    goes_on(tmp_path / "epoch_1.pth", tmp_path)
    assert number(tmp_path / "epoch_2.pth") > 3
    assert newest(tmp_path) == "epoch_3.pth"
    assert names(tmp_path / "earlier_1") == aside
    assert not (tmp_path / "earlier_2").exists()
    goes_on(tmp_path / "epoch_3.pth", tmp_path, length=4)  # the last: nothing is left
    assert names(tmp_path) == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth", "epoch_4.pth"]


def test_weights_to_begin_with_stay_and_are_not_lost(tmp_path, small, goes_on):
    small.run(tmp_path, save={"interval": 1})
    start = tmp_path / "epoch_2.pth"
    before = start.read_bytes()
    goes_on(start, tmp_path, resume=False, hooks=[small.StopAfter(EPOCH + 1)])
    assert names(tmp_path) == ["epoch_1.pth", "epoch_2.pth"]
    assert start.read_bytes() == before
    assert newest(tmp_path) == "epoch_1.pth"  # of this training
    goes_on(start, tmp_path, resume=False, hooks=[small.StopAfter(2 * EPOCH + 1)])
    assert start.read_bytes() != before
    assert (tmp_path / "earlier_1/epoch_2.pth").read_bytes() == before


def test_what_cannot_be_moved_ends_the_training(tmp_path, small, monkeypatch):
    small.run(tmp_path, save={"interval": 1})

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CheckpointError, match=r"earlier training in .*'Permission denied' when they were to be moved"):
        small.run(tmp_path, save={"interval": 1})
    assert len(names(tmp_path)) == 3


def test_nothing_is_removed_in_another_folder(tmp_path, small, goes_on):
    first, second = tmp_path / "a", tmp_path / "b"
    with pytest.raises(Preempted):
        small.run(first, save={**BEST, "max_keep_ckpts": 2}, scores={1: 0.5}, hooks=[PreemptionHook(), Ask(10)])
    small.run(second, save={"interval": 1})  # of another training
    before = contents(first)
    assert {"iter_10.pth", "best_AP_epoch_1.pth"} < before.keys()
    goes_on(first / "iter_10.pth", second, save={**BEST, "max_keep_ckpts": 2}, scores={2: 0.6, 3: 0.7})
    assert contents(first) == before
    assert names(second) == ["best_AP_epoch_3.pth", "epoch_2.pth", "epoch_3.pth"]
    assert names(second / "earlier_1") == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]


def test_a_due_one_is_no_passing_one(tmp_path, small):
    """Stopped twice in the same validation."""
    save = {"interval": EPOCH, "by_epoch": False}
    for resume in (False, True):
        with pytest.raises(Preempted, match=r"iter_6\.pth is written"):
            small.run(tmp_path, "iterations", save=save, resume=resume, hooks=[PreemptionHook(), Ask(EPOCH, True)])
    small.run(tmp_path, "iterations", save=save, resume=True)
    assert names(tmp_path) == ["iter_12.pth", "iter_18.pth", "iter_6.pth"]


def test_a_passing_one_goes_when_the_next_stands(tmp_path, small):
    for resume in (False, True):
        hooks = [PreemptionHook(), Ask(8 + 5 * resume)]
        with pytest.raises(Preempted):
            small.run(tmp_path, save={"interval": 1}, resume=resume, hooks=hooks)
    assert names(tmp_path) == ["epoch_1.pth", "epoch_2.pth", "iter_13.pth"]
    small.run(tmp_path, save={"interval": 1}, resume=True)
    assert names(tmp_path) == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]


def test_a_renamed_folder_goes_on_with_its_best_one(tmp_path, small, goes_on):
    before, now = tmp_path / "before", tmp_path / "now"
    save = {**BEST, "published_keys": ["meta", "state_dict"]}
    small.run(before, save=save, scores={1: 0.5}, hooks=[small.StopAfter(EPOCH + 2)])
    before.rename(now)
    goes_on(now / "epoch_1.pth", now, save=save, scores={2: 0.1, 3: 0.1})
    assert len([name for name in names(now) if name.startswith("best_AP_epoch_1-")]) == 1
    (now / "best_AP_epoch_1.pth").unlink()
    goes_on(now / "epoch_3.pth", now, save=save, scores={3: 0.1, 4: 0.1}, length=4)  # not there any more: told
    assert "Not published, since it is not there any more: " in max(now.glob("*/*.log")).read_text()


def test_a_copied_folder_supersedes_its_own_best_one(tmp_path, small, goes_on):
    one, copy = tmp_path / "one", tmp_path / "copy"
    small.run(one, save=BEST, scores={1: 0.5}, hooks=[small.StopAfter(EPOCH + 2)])
    shutil.copytree(one, copy)
    goes_on(copy / "epoch_1.pth", copy, save=BEST, scores={2: 0.6, 3: 0.1})
    assert names(one) == ["best_AP_epoch_1.pth", "epoch_1.pth"]
    assert names(copy) == ["best_AP_epoch_2.pth", "epoch_1.pth", "epoch_2.pth", "epoch_3.pth"]


def test_fewer_to_keep_leave_no_sums(tmp_path, small):
    small.run(tmp_path, save={"interval": 1, "max_keep_ckpts": 3})
    small.run(tmp_path, save={"interval": 1, "max_keep_ckpts": 1}, resume=True, length=4)
    assert sorted(path.name for path in tmp_path.glob("*.pth*")) == ["epoch_4.pth", "epoch_4.pth.sha256"]


@pytest.fixture
def no_room(monkeypatch):
    """A disk that has no room for a file of some name, as often as is said."""
    real, left = os.replace, {}

    def replace(source: Path, target: Path) -> None:
        if left.get(Path(target).name, 0) > 0:
            left[Path(target).name] -= 1
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    return left


def test_a_best_one_that_found_room_stays_the_best(tmp_path, small, no_room):
    """Its epoch's own did not: the best one is remembered all the same, and goes when a better one stands."""
    no_room["epoch_2.pth"] = 9
    save = {**BEST, "max_keep_ckpts": 1}
    small.run(tmp_path, save=save, scores={1: 0.1, 2: 0.5, 3: 0.4})
    assert names(tmp_path) == ["best_AP_epoch_2.pth", "epoch_3.pth"]
    small.run(tmp_path, save=save, scores={3: 0.4, 4: 0.6}, resume=True, length=4)
    assert names(tmp_path) == ["best_AP_epoch_4.pth", "epoch_4.pth"]


@pytest.mark.parametrize("kind", ["epochs", "iterations"])
def test_what_is_tried_once_more_has_the_name_of_today(tmp_path, small, no_room, kind):
    by_epoch = kind == "epochs"
    no_room.update({"epoch_2.pth": 1, "iter_12.pth": 1})
    save = {"interval": 2 if by_epoch else 12, "by_epoch": by_epoch, "save_last": False}
    small.run(tmp_path, kind, save=save)
    (name,) = names(tmp_path)
    assert name == ("epoch_3.pth" if by_epoch else "iter_18.pth")
    found = _load_checkpoint(str(tmp_path / name))
    assert fault_of(tmp_path / name) == ""
    assert found["meta"]["iter"] == int(found["optimizer"]["state"][0]["step"]) == 3 * EPOCH
