"""From which checkpoint `hrnet train` goes on, and with which loop and hook."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.checkpoints.atomic import serialise
from hrnet_plugin.checkpoints.sums import write_with_sum
from hrnet_plugin.cli.train_resuming import add_resume_arguments, apply_resuming, find_resume_point
from hrnet_plugin.errors import CheckpointError, ConfigError


@pytest.fixture(autouse=True)
def _not_restarted(monkeypatch) -> None:
    for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"):
        monkeypatch.delenv(name, raising=False)


def save(folder: Path, iteration: int) -> Path:
    content = {"meta": {"iter": iteration}, "state_dict": {"w": torch.zeros(999)}, "optimizer": {}}
    write_with_sum(serialise(content), folder / f"iter_{iteration}.pth")
    return folder / f"iter_{iteration}.pth"


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


def test_checkpoints_that_the_note_says_are_elsewhere(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "out").mkdir()
    path = save(tmp_path / "out", 10)
    (tmp_path / "work/last_checkpoint").write_text(str(path))
    assert find_resume_point("auto", str(tmp_path / "work"))[0] == path
    (tmp_path / "work/last_checkpoint").write_text("/moved/away/iter_10.pth")
    newer = save(tmp_path / "work", 5)
    assert find_resume_point("auto", str(tmp_path / "work"))[0] == newer


@pytest.mark.parametrize("variable", ["TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"])
def test_a_restart_goes_on_by_itself(tmp_path, monkeypatch, variable):
    empty = {"work_dir": str(tmp_path)}
    monkeypatch.setenv(variable, "1")
    assert applied(empty)[0].get("load_from") is None  # nothing has been saved: it begins anew
    path = save(tmp_path, 10)
    cfg, _ = applied(empty)
    assert (cfg.resume, cfg.load_from) == (True, str(path))
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
