"""A run resumed from the middle equals the one that ran through, augmentation included.

The checkpoint of the middle is the straight run's own; tests/tools/test_real_data.py stops and resumes one as well.
"""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def train(run, project_root):
    """Train a config with tools/train.py and the given config options."""

    def start(config, work_dir, *flags, options=()):
        command = (sys.executable, project_root / "tools/train.py", config, "--no-validate", "--work-dir", work_dir)
        return run(*command, *flags, *(("--cfg-options", *options) if options else ()))

    return start


def check_second_half(straight: list[float], resumed: list[float], steps: int) -> None:
    assert len(straight) == steps
    assert len(resumed) == steps / 2
    assert resumed == pytest.approx(straight[steps // 2 :], rel=0, abs=1e-6)
    assert len({round(loss, 6) for loss in resumed}) > 1


def test_epochs_three_and_four(train, short_pose_config, tmp_path, logged):
    options = (
        *("model.backbone.arch=w18_small_v2", "model.head.in_channels=18"),
        *("param_scheduler=[]", "train_cfg.max_epochs=4"),
    )
    train(short_pose_config, tmp_path / "straight", options=options)
    middle = tmp_path / "straight/epoch_2.pth"
    done = train(short_pose_config, tmp_path / "resumed", "--resume", middle, options=options)

    assert "resumed epoch: 2, iter: 8" in done.stdout
    check_second_half(logged(tmp_path / "straight", "loss"), logged(tmp_path / "resumed", "loss"), steps=16)


def test_iterations_three_and_four(train, short_seg_config, tmp_path, logged):
    options = ("train_cfg.max_iters=4",)
    train(short_seg_config, tmp_path / "straight", options=options)
    middle = tmp_path / "straight/iter_2.pth"
    done = train(short_seg_config, tmp_path / "resumed", "--resume", middle, options=options)

    assert "resumed epoch: 0, iter: 2" in done.stdout
    check_second_half(logged(tmp_path / "straight", "loss"), logged(tmp_path / "resumed", "loss"), steps=4)
