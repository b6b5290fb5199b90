"""From which checkpoint `hrnet train` goes on, and with which loop and hook."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.checkpoints.atomic import serialise
from hrnet_plugin.checkpoints.newest import NUMBER
from hrnet_plugin.checkpoints.sums import write_with_sum
from hrnet_plugin.cli.train_resuming import add_resume_arguments, apply_resuming, find_resume_point
from hrnet_plugin.errors import CheckpointError, ConfigError


@pytest.fixture(autouse=True)
def _not_restarted(monkeypatch) -> None:
    for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT", "HRNET_ELASTIC"):
        monkeypatch.delenv(name, raising=False)


def save(folder: Path, iteration: int, number: int = 0, name: str = "") -> Path:
    meta = {"iter": iteration} | ({NUMBER: number} if number else {})
    content = {"meta": meta, "state_dict": {"w": torch.zeros(999)}, "optimizer": {}, "message_hub": {}}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"iter_{iteration}.pth")
    write_with_sum(serialise(content), path)
    return path


def save_best(folder: Path) -> Path:
    path = folder / "best_AP_iter_10.pth"
    write_with_sum(serialise({"meta": {"iter": 10}, "state_dict": {"w": torch.zeros(9)}}), path)
    return path


def applied(cfg: dict, *flags: str) -> tuple[Config, list[str]]:
    parser = argparse.ArgumentParser()
    add_resume_arguments(parser)
    cfg = Config(cfg)
    return cfg, apply_resuming(cfg, parser.parse_args(flags))


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def test_the_newest_that_is_sound_and_what_was_passed_over(tmp_path):
    first, second = save(tmp_path, 10), save(tmp_path, 20)
    assert find_resume_point("auto", str(tmp_path)) == (second, [])
    damage(second)
    path, (notice,) = find_resume_point("auto", str(tmp_path))
    assert path == first
    assert notice.startswith(f"--resume passes over {second}: ")
    damage(first)
    with pytest.raises(CheckpointError, match=r"no checkpoint in .*: found iter_10\.pth: .*; iter_20"):
        find_resume_point("auto", str(tmp_path))


def test_nothing_there(tmp_path):
    with pytest.raises(ConfigError, match=r"--resume: nothing to resume in .*found no checkpoint of a training there"):
        find_resume_point("auto", str(tmp_path))


def test_a_path_is_taken_as_given_but_checked(tmp_path):
    path = save(tmp_path, 10)
    assert find_resume_point(str(path), "elsewhere") == (path, [])
    assert find_resume_point("other.pth", "elsewhere") == (Path("other.pth"), [])
    damage(path)
    with pytest.raises(CheckpointError, match=r"--resume: checkpoint .*iter_10\.pth: found SHA-256 "):
        find_resume_point(str(path), "elsewhere")


def test_the_note_leads_nowhere_by_itself(tmp_path):
    """A copied work dir has the note of the one that it was copied from."""
    there = save(tmp_path / "there", 20)
    here = save(tmp_path / "here", 10)
    (tmp_path / "here/last_checkpoint").write_text(str(there))
    assert find_resume_point("auto", str(tmp_path / "here"))[0] == here


def test_where_the_hook_saves(tmp_path):
    work_dir, out_dir = tmp_path / "work", tmp_path / "out"
    hook = {"type": "CheckpointHook", "out_dir": str(out_dir)}
    work_dir.mkdir()
    cfg = {"work_dir": str(work_dir), "default_hooks": {"checkpoint": hook}}
    with pytest.raises(ConfigError, match="nothing to resume"):
        applied(cfg, "--resume")
    save(out_dir, 30)  # not of this work dir
    last = save(out_dir / "work", 20)
    for note in (last, "/removed/iter_30.pth"):
        (work_dir / "last_checkpoint").write_text(str(note))
        assert applied(cfg, "--resume")[0].load_from == str(last)
    work_dir.rename(tmp_path / "renamed")
    (tmp_path / "renamed/last_checkpoint").write_text(str(last))
    assert applied({**cfg, "work_dir": str(tmp_path / "renamed")}, "--resume")[0].load_from == str(last)


def test_names_of_the_config(tmp_path):
    last = save(tmp_path, 20, name="e20.pt")
    hook = {"type": "CheckpointHook", "filename_tmpl": "e{}.pt"}
    assert applied({"work_dir": str(tmp_path), "default_hooks": {"checkpoint": hook}}, "--resume")[0].load_from == str(
        last
    )


def test_nothing_there_but_set_aside(tmp_path):
    save(tmp_path / "earlier_1", 20)
    with pytest.raises(ConfigError, match=r"those of the training before are in .*earlier_1"):
        find_resume_point("auto", str(tmp_path))


def test_a_restart_with_nothing_but_a_best_one_begins_anew(tmp_path, monkeypatch):
    save_best(tmp_path)
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    assert applied({"work_dir": str(tmp_path)})[0].get("load_from") is None
    monkeypatch.delenv("SLURM_RESTART_COUNT")
    assert applied({"work_dir": str(tmp_path), "resume": True})[0].get("load_from") is None


@pytest.mark.parametrize("by_flag", [True, False])
def test_a_restart_goes_on_from_what_was_saved_since(tmp_path, monkeypatch, by_flag):
    first = save(tmp_path / "other", 10, number=10)
    cfg = {"work_dir": str(tmp_path / "work")} | ({} if by_flag else {"resume": True, "load_from": str(first)})
    flags = ("--resume", str(first)) if by_flag else ()
    later = save(tmp_path / "work", 12, number=11)
    assert applied(cfg, *flags)[0].load_from == str(first)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    cfg_now, (notice,) = applied(cfg, *flags)
    assert cfg_now.load_from == str(later)
    assert notice == f"started anew: goes on from {later}, which was saved later than {first}"
    later.unlink()
    save(tmp_path / "work", 90, number=9)
    assert applied(cfg, *flags)[0].load_from == str(first)
    first.unlink()  # saved for a stop alone, and removed when the next was saved
    assert applied(cfg, *flags)[0].load_from == str(tmp_path / "work/iter_90.pth")


def test_a_restart_does_not_go_on_from_the_weights_that_it_began_with(tmp_path, monkeypatch):
    start = save(tmp_path, 30, number=3)
    (tmp_path / "earlier_1").mkdir()
    (tmp_path / "earlier_1" / start.name).hardlink_to(start)  # as the checkpoint hook leaves it
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    cfg = {"work_dir": str(tmp_path), "load_from": str(start)}
    assert applied(cfg)[0].get("resume") is None
    own = save(tmp_path, 10, number=4)
    assert applied(cfg)[0].load_from == str(own)
    own.unlink()
    save(tmp_path, 30, number=6)  # its own by that name
    assert applied(cfg)[0].resume


@pytest.mark.parametrize("variable", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT", "HRNET_ELASTIC"])
def test_a_restart_goes_on_by_itself(tmp_path, monkeypatch, variable):
    empty = {"work_dir": str(tmp_path)}
    monkeypatch.setenv(variable, "1")
    assert applied(empty)[0].get("load_from") is None  # nothing has been saved: it begins anew
    path = save(tmp_path, 10)
    cfg, notices = applied(empty)
    assert (cfg.resume, cfg.load_from) == (True, str(path))
    assert notices == [f"started anew: goes on from {path}"]
    monkeypatch.setenv(variable, "0")
    assert applied(empty)[0].get("load_from") is None


def test_resume_in_the_config(tmp_path):
    wanted = {"work_dir": str(tmp_path), "resume": True}
    assert applied(wanted)[0].get("load_from") is None
    path = save(tmp_path, 10)
    assert applied(wanted)[0].load_from == str(path)
    assert applied({**wanted, "load_from": "mine.pth"})[0].load_from == "mine.pth"


@pytest.mark.parametrize(
    ("train_cfg", "expected"),
    [
        ({"by_epoch": True, "max_epochs": 2}, {"type": "hrnet_plugin.EpochBasedTrainLoop", "max_epochs": 2}),
        ({"by_epoch": False, "max_iters": 2}, {"type": "hrnet_plugin.IterBasedTrainLoop", "max_iters": 2}),
        ({"type": "EpochBasedTrainLoop"}, {"type": "hrnet_plugin.EpochBasedTrainLoop"}),
        ({"type": "mmengine.IterBasedTrainLoop"}, {"type": "hrnet_plugin.IterBasedTrainLoop"}),
        ({"type": "MyLoop", "max_epochs": 2}, {"type": "MyLoop", "max_epochs": 2}),
    ],
)
def test_our_loops_in_the_place_of_mmengines(tmp_path, train_cfg, expected):
    assert applied({"work_dir": str(tmp_path), "train_cfg": train_cfg})[0].train_cfg == expected


def test_what_to_do_with_another_batch(tmp_path):
    cfg = {"work_dir": str(tmp_path), "train_cfg": {"by_epoch": True, "max_epochs": 2}}
    assert applied(cfg, "--on-batch-change", "rescale")[0].train_cfg["on_batch_change"] == "rescale"
    with pytest.raises(ConfigError, match="--on-batch-change: found a loop of type MyLoop"):
        applied({**cfg, "train_cfg": {"type": "MyLoop"}}, "--on-batch-change", "keep")


def test_saving_in_the_background(tmp_path):
    cfg = {"work_dir": str(tmp_path), "default_hooks": {"checkpoint": {"type": "CheckpointHook", "interval": 5}}}
    hook = applied(cfg, "--save-in-background")[0].default_hooks["checkpoint"]
    assert hook == {"type": "hrnet_plugin.CheckpointHook", "interval": 5, "background": True}
    assert "background" not in applied(cfg)[0].default_hooks["checkpoint"]
    for other, found in (({"type": "MyHook"}, "MyHook"), (None, "none")):
        with pytest.raises(ConfigError, match=f"checkpoint: found {found}, expected CheckpointHook"):
            applied({**cfg, "default_hooks": {"checkpoint": other}}, "--save-in-background")
