"""The demo from its pictures to its contact sheet, with few pictures and few steps."""

from __future__ import annotations

import json

import cv2
import pytest

from hrnet_plugin.cli import demo
from hrnet_plugin.cli.main import main

SHORT = {
    "pose": ("train_cfg.max_epochs=1", "train_cfg.val_interval=1", "train_dataloader.batch_size=8"),
    "seg": ("train_cfg.max_iters=2", "train_cfg.val_interval=2", "train_dataloader.batch_size=4"),
}
FIGURES = {"pose": ("coco/AP", "AP50", 1), "seg": ("mIoU", "pixel accuracy", 100)}


@pytest.mark.parametrize("task", ["pose", "seg"])
def test_it_trains_tests_and_draws(task, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(demo, "SPLITS", {"train": 16, "val": 4, "test": 4})
    monkeypatch.setattr(demo, "DRAWN", 4)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    arguments = ["demo", task, "--data", tmp_path / "people", "--out", tmp_path / "out", "--cfg-options", *SHORT[task]]
    assert main([str(argument) for argument in arguments]) == 0
    metric, known, whole = FIGURES[task]
    measured = json.loads((tmp_path / "out/test/metrics.json").read_text())
    last_lines = capfd.readouterr().out.splitlines()[-4:]
    assert f"{measured[metric] / whole:.3f}" in last_lines[0]
    assert known in last_lines[0]
    assert str(tmp_path / "out/predictions.png") in last_lines[2]
    sheet = cv2.imread(str(tmp_path / "out/predictions.png"))
    assert sheet.shape[0] > 200
    assert sheet.std() > 10


def test_a_step_that_fails_ends_the_demo_in_one_line(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(demo, "SPLITS", {"train": 2, "val": 1, "test": 1})
    arguments = ["demo", "pose", "--data", tmp_path / "people", "--out", tmp_path / "out", "--cfg-options", "nonsense"]
    assert main([str(argument) for argument in arguments]) == 2
    assert "tools/train.py: found exit status 2, expected 0" in capfd.readouterr().err.splitlines()[-1]
