"""Schedules and intervals against the length of the training, and learning rates."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
BEST = "default_hooks.checkpoint"
SECOND = "param_scheduler.1"
RATE = "optim_wrapper.optimizer.lr"


def steps(**values: object) -> dict[str, object]:
    """The second scheduler as one of steps."""
    return {SECOND: {"type": "MultiStepLR", "milestones": [4, 6], **values}}


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (SEG, {f"{SECOND}.convert_to_iter_based": True}, "schedule", f"{SECOND}.convert_to_iter_based"),
        (POSE, {RATE: "1e-3"}, "learning-rate", RATE),
        (POSE, {"train_cfg.max_epochs": "8"}, "schedule", "train_cfg.max_epochs"),
    ],
)
def test_the_frameworks_stop_at(changed, base, change, check, where):
    assert (check, where) in {(finding.check, finding.where) for finding in check_config(changed(base, change))}


@pytest.mark.parametrize(
    ("base", "change", "check", "where", "level"),
    [
        (SEG, {"param_scheduler.0.end": 5000}, "schedule", "param_scheduler.0.end", ERROR),
        (SEG, {f"{SECOND}.by_epoch": True}, "schedule", f"{SECOND}.by_epoch", ERROR),
        (SEG, {f"{SECOND}.by_epoch": "(gone)"}, "schedule", f"{SECOND}.by_epoch", ERROR),
        (POSE, steps(milestones=[170, 200]), "schedule", f"{SECOND}.milestones", ERROR),
        (POSE, steps(milestones=[4, 200]), "schedule", f"{SECOND}.milestones", NOTE),
        (POSE, steps(by_epoch=False), "schedule", f"{SECOND}.by_epoch", ERROR),
        (SEG, {f"{SECOND}.begin": 2200, f"{SECOND}.end": 4000}, "schedule", f"{SECOND}.begin", NOTE),
        (POSE, {f"{SECOND}.end": 20, f"{SECOND}.T_max": 20}, "schedule", f"{SECOND}.end", NOTE),
        (POSE, {f"{SECOND}.T_max": 4}, "schedule", f"{SECOND}.T_max", NOTE),
        (POSE, {"train_cfg.val_interval": 10}, "intervals", "train_cfg.val_interval", ERROR),
        (POSE, {"train_cfg.val_interval": 10, f"{BEST}.save_best": "(gone)"}, "intervals", "train_cfg.val_interval",
         NOTE),
        (SEG, {f"{BEST}.by_epoch": True}, "intervals", f"{BEST}.by_epoch", ERROR),
        (POSE, {f"{BEST}.by_epoch": False}, "intervals", f"{BEST}.by_epoch", NOTE),
        (POSE, {f"{BEST}.interval": 20, f"{BEST}.save_last": False}, "intervals", f"{BEST}.interval", ERROR),
        (POSE, {f"{BEST}.interval": 20}, "intervals", f"{BEST}.interval", NOTE),
        (SEG, {"default_hooks.logger.log_metric_by_epoch": True}, "intervals",
         "default_hooks.logger.log_metric_by_epoch", NOTE),
        (SEG, {"log_processor": {}}, "intervals", "log_processor.by_epoch", NOTE),
        (SEG, {"train_cfg.max_iters": 0}, "schedule", "train_cfg.max_iters", ERROR),
        (POSE, {RATE: 0.5}, "learning-rate", RATE, ERROR),
        (POSE, {RATE: 0.0}, "learning-rate", RATE, ERROR),
        (POSE, {"optim_wrapper.optimizer": {"type": "SGD", "lr": 10.0}}, "learning-rate", RATE, ERROR),
    ],
)  # fmt: skip
def test_the_frameworks_say_nothing_of(planted, base, change, check, where, level):
    assert planted(base, change, check, where).level == level


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (POSE, steps()),
        (POSE, {"optim_wrapper.optimizer": {"type": "SGD", "lr": 1.0}}),
        (POSE, {"train_cfg.max_epochs": 8.0}),
        (POSE, {"train_cfg": {"by_epoch": False, "max_iters": 900, "val_interval": 900}, SECOND: "(gone)",
                f"{BEST}.by_epoch": False, f"{BEST}.interval": 300, "log_processor.by_epoch": False}),
    ],
)  # fmt: skip
def test_sound_schedules(changed, base, change):
    assert check_config(changed(base, change)) == []
