"""Sections that are missing, that nothing reads, and variables that were copied before they changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.config_files import load_config
from hrnet_plugin.findings import ERROR, NOTE, errors_in

POSE, SEG = "quickstart_pose", "quickstart_seg"


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"val_evaluator": None}, "missing-section", "val_evaluator"),
        (POSE, {"val_dataloader": "(gone)"}, "missing-section", "val_dataloader"),
        (SEG, {"test_cfg": None}, "missing-section", "test_cfg"),
        (SEG, {"optim_wrapper": "(gone)", "param_scheduler": None}, "missing-section", "optim_wrapper"),
        (POSE, {"train_cfg.by_epoch": "(gone)"}, "missing-section", "train_cfg.by_epoch"),
        (SEG, {"train_cfg.by_epoch": False}, "missing-section", "train_cfg.by_epoch"),
        (POSE, {"train_dataloder": {"batch_size": 3}, "train_dataloader": "(gone)"}, "unread-key", "train_dataloder"),
        (SEG, {"val_dataloader.dataset.data_prefix": {"img": "val"}}, "unread-key",
         "val_dataloader.dataset.data_prefix.img"),
        (POSE, {"randomness.sed": 3}, "unread-key", "randomness.sed"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "where", "level"),
    [
        (POSE, {"optim_wraper": {"optimizer": {"type": "SGD", "lr": 0.1}}}, "optim_wraper", ERROR),
        (POSE, {"custom_hook": [{"type": "EMAHook"}], "custom_hooks": "(gone)"}, "custom_hook", ERROR),
        (SEG, {"lr_config": {"policy": "poly"}}, "lr_config", ERROR),
        (SEG, {"evaluation": {"interval": 10, "metric": "mIoU"}}, "evaluation", ERROR),
        (POSE, {"auto_scale_lr": {"base_batchsize": 32}}, "auto_scale_lr.base_batchsize", ERROR),
        (POSE, {"model.test_cfg.fliptest": True}, "model.test_cfg.fliptest", ERROR),
        (POSE, {"env_cfg.cudnn_bench": True}, "env_cfg.cudnn_bench", ERROR),
        (POSE, {"seed": 3}, "seed", NOTE),
        (POSE, {"val_interval": 2}, "val_interval", NOTE),
        (SEG, {"resume_from": "a.pth"}, "resume_from", NOTE),
    ],
)
def test_the_frameworks_say_nothing_of(planted, base, change, where, level):
    assert planted(base, change, "unread-key", where).level == level


def test_our_own_section(planted):
    """`hrnet train` stops at it; the frameworks do not read it."""
    assert planted(POSE, {"speed.channel_last": True}, "unread-key", "speed.channel_last").level == ERROR


def test_a_variable_that_is_copied_to_its_place_is_no_fault(changed):
    cfg = changed(POSE, {"seed": 5, "randomness.seed": 5, "lr": 5e-3, "my_own": {"type": "X"}, "num_keypoints": 17})
    assert [finding for finding in check_config(cfg) if finding.check == "unread-key"] == []


def test_a_config_for_tests_alone_is_sound(changed):
    gone = ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler", "val_dataloader", "val_cfg",
            "val_evaluator")  # fmt: skip
    cfg = changed(POSE, {**dict.fromkeys(gone, None), "default_hooks.checkpoint.save_best": "(gone)"})
    assert check_config(cfg) == []


def test_a_variable_changed_in_ones_own_file_alone(project_root: Path, tmp_path: Path):
    """The pitfall of text configs: `codec` was copied into head and pipelines when the base was read."""
    path = tmp_path / "mine.py"
    base = project_root / "configs/quickstart_pose.py"
    path.write_text(f"_base_ = [{str(base)!r}]\ncodec = dict(sigma=2)\n")
    (finding,) = check_config(load_config(path))
    assert (finding.level, finding.check, finding.where) == (NOTE, "stale-copy", "codec")
    assert finding.found == "a variable with sigma=2, where the run has 1"
    assert "copied to model.head.decoder" in finding.examples


def test_a_place_changed_without_its_variable_is_as_it_should_be(project_root: Path, tmp_path: Path):
    path = tmp_path / "mine.py"
    base = project_root / "configs/quickstart_seg.py"
    path.write_text(f"_base_ = [{str(base)!r}]\ntrain_cfg = dict(max_iters=2400)\n")
    assert [finding for finding in check_config(load_config(path)) if finding.check == "stale-copy"] == []


def test_an_option_for_a_variable_changes_nothing(project_root: Path):
    options = ["codec.sigma=3", "model.head.loss.loss_weight=2"]
    cfg = load_config(project_root / "configs/quickstart_pose.py", options)
    findings = check_config(cfg, options)
    assert [(finding.check, finding.where) for finding in findings] == [("option-without-effect", "codec.sigma")]
    assert errors_in(findings) == []
