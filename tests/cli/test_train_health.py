"""`hrnet train --health`, as a user runs it."""

from __future__ import annotations

import argparse
import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.cli import train
from hrnet_plugin.cli.train_health import apply_health

HOOK = {"type": "hrnet_plugin.TrainingHealthHook", "on_fault": "stop"}


def flags(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(["config.py", *given])


def test_the_flag_becomes_a_hook():
    cfg = Config({"model": {}})
    apply_health(cfg, flags())
    assert "custom_hooks" not in cfg
    apply_health(cfg, flags("--health"))
    assert cfg.custom_hooks == [HOOK]
    cfg = Config({"custom_hooks": [{"type": "SyncBuffersHook"}]})
    apply_health(cfg, flags("--health", "skip"))
    assert cfg.custom_hooks == [{"type": "SyncBuffersHook"}, {**HOOK, "on_fault": "skip"}]


def test_the_flag_wins_over_the_config():
    cfg = Config({"custom_hooks": [{**HOOK, "interval": 7}]})
    apply_health(cfg, flags("--health", "skip"))
    assert cfg.custom_hooks == [{**HOOK, "interval": 7, "on_fault": "skip"}]


@pytest.fixture
def breaking(pose_config: Path) -> Iterator[Path]:
    """The config of a training whose pipeline makes one image NaN."""
    from mmpose.registry import TRANSFORMS

    class BreakImage:
        def __call__(self, results: dict) -> dict:
            if results["img_path"].endswith("train_2.jpg"):
                results["img"] = results["img"].astype("float32")
                results["img"][10, 10, 0] = float("nan")
            return results

    TRANSFORMS.register_module(module=BreakImage)
    sys.modules["transforms_of_a_user"] = types.ModuleType("transforms_of_a_user")
    text = pose_config.read_text().replace(
        "pipeline=[*pipeline, dict(type='GenerateTarget'",
        "pipeline=[*pipeline, dict(type='BreakImage'), dict(type='GenerateTarget'",
    )
    pose_config.write_text(f"{text}\ncustom_imports = dict(imports=['transforms_of_a_user'])\n")
    yield pose_config
    TRANSFORMS.module_dict.pop("BreakImage")
    del sys.modules["transforms_of_a_user"]


def test_a_broken_image_stops_the_run(refused, breaking: Path, data: Path):
    line = refused(
        "train", breaking, "--data-root", data, "--no-validate", "--work-dir", "run", "--health", "--seed", 0
    )
    found = re.search(r"training, iteration (\d): found a loss that is not finite; first not finite: the images", line)
    assert found, line
    assert str(data / "train2017/train_2.jpg") in line
    assert "train_1.jpg" not in line
    folder = Path("run", "health", f"iter_{found[1]}")
    assert str(folder / "report.txt") in line
    saved = torch.load(folder / "batch.pth", weights_only=True)
    assert str(data / "train2017/train_2.jpg") in saved["images"]
    assert "gt_fields" in saved["batch"]["data_samples"][0]
    assert list(Path("run").glob("*.pth")) == []


def test_a_broken_image_is_skipped(hrnet, breaking: Path, data: Path):
    arguments = ("--data-root", data, "--no-validate", "--work-dir", "run", "--health", "skip")
    outcome = hrnet("train", breaking, *arguments, "--seed", 0)
    assert outcome.status == 0, outcome.err
    assert "batch skipped, a loss that is not finite" in outcome.out
    (report,) = Path("run", "health").glob("*/report.json")
    assert [Path(image).name for image in json.loads(report.read_text())["images"]] == ["train_2.jpg"]
    saved = torch.load("run/epoch_1.pth", weights_only=False)["state_dict"]
    assert all(torch.isfinite(value).all() for value in saved.values())
    # The weights of before the batch are ones to start from.
    again = hrnet(
        "train", breaking, *arguments, "--cfg-options", f"load_from={report.parent / 'weights.pth'}", "--seed", 0
    )
    assert again.status == 0, again.err


def test_segmentation_is_measured(hrnet, data: Path, seg_config: Path):
    seg_config.write_text(
        seg_config.read_text() + "\ncustom_hooks = [dict(type='hrnet_plugin.TrainingHealthHook', interval=1)]\n"
    )
    outcome = hrnet("train", seg_config, "--data-root", data, "--no-validate", "--work-dir", "run", "--amp")
    assert outcome.status == 0, outcome.err
    rows = [json.loads(line) for line in next(Path("run").glob("*/vis_data/scalars.json")).read_text().splitlines()]
    rows = [row for row in rows if "train/health/lr" in row]
    assert [row["step"] for row in rows] == [1, 2]
    parts = {key.rpartition("/")[2] for key in rows[0] if "activation_max" in key}
    stages = {f"{part}_{number}" for part in ("stage", "transition") for number in (1, 2, 3, 4)} - {"transition_4"}
    assert parts == {"stem", "head", *stages}


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("on_fault='go'", "TrainingHealthHook: found on_fault='go', expected 'stop' or 'skip'"),
        ("interval=0", "TrainingHealthHook: found interval=0, expected a whole number of at least 1"),
        ("most_skips=1.5", "TrainingHealthHook: found most_skips=1.5, expected a whole number of at least 1"),
    ],
)
def test_options_that_make_no_sense(refused, data: Path, pose_config: Path, options, line):
    pose_config.write_text(
        pose_config.read_text() + f"\ncustom_hooks = [dict(type='hrnet_plugin.TrainingHealthHook', {options})]\n"
    )
    assert line in refused("train", pose_config, "--data-root", data)


def test_a_training_step_compiled_as_a_whole_is_refused(refused, data: Path, pose_config: Path):
    pose_config.write_text(pose_config.read_text() + "\ncompile = True\n")
    line = refused("train", pose_config, "--data-root", data, "--health")
    assert "TrainingHealthHook: found compile in the config, which hides the training step" in line
    assert "--compile" in line
