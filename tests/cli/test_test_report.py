"""`hrnet test --report` writes a page and its numbers, which are the evaluator's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def checkpoint_of(saved):
    """The weights of a config's network, as a checkpoint."""
    return lambda config: saved(config, Path("weights.pth"))


@pytest.fixture
def reported(hrnet, data: Path, checkpoint_of):
    """Run `hrnet test` with `--report`; returns what it printed, the page, and the numbers."""

    def run(config: Path, *more: object):
        outcome = hrnet("test", config, checkpoint_of(config), "--data-root", data, "--report", "out", *more)
        assert outcome.status == 0, outcome.err
        return (
            outcome,
            Path("out/index.html").read_text(encoding="utf-8"),
            json.loads(Path("out/report.json").read_text()),
        )

    return run


def test_poses(reported, pose_config: Path):
    outcome, html, numbers = reported(pose_config, "--out", "metrics.json")
    assert outcome.out.rstrip().endswith(f"report  {Path('out/index.html')}")
    measured = json.loads(Path("metrics.json").read_text())
    assert numbers["metrics"] == {name: pytest.approx(value) for name, value in measured.items()}
    result = numbers["result"]
    assert (result["persons"], result["predictions"], result["unpaired"]) == (2, 2, 0)
    assert result["sizes"][-1]["ap"] == pytest.approx(measured["coco/AP"])
    assert [row["labelled"] for row in result["keypoints"]] == [2] * 17
    assert result["oks"] + sum(result["lost"].values()) == pytest.approx(1)
    assert len(result["worst"]) == len(result["best"]) == 1
    assert html.count("data:image/jpeg") == 2
    assert numbers["missing"] == []
    assert numbers["about"]["checkpoint"] == "weights.pth"
    assert "framework" not in numbers["about"]["network"]


def test_poses_by_detected_boxes(reported, data: Path, pose_config: Path):
    boxes = [
        {"image_id": image, "category_id": 1, "bbox": [10 + shift, 10, 60, 70], "score": 0.9}
        for image in (0, 1)
        for shift in (0, 5, 10)
    ]
    (data / "person_detection_results").mkdir()
    (data / "person_detection_results" / "val.json").write_text(json.dumps(boxes))
    result = reported(pose_config)[2]["result"]
    assert "COCO's evaluation" in result["pairing"]
    assert result["persons"] == 2
    scores = result["scores"][0]
    assert sum(scores["right"]) + sum(scores["wrong"]) == result["predictions"]


def test_masks(reported, seg_config: Path):
    _, html, numbers = reported(seg_config)
    result = numbers["result"]
    assert 100 * result["miou"] == pytest.approx(numbers["metrics"]["mIoU"], abs=0.006)
    assert 100 * np.mean([row["accuracy"] for row in result["classes"]]) == pytest.approx(
        numbers["metrics"]["mAcc"], abs=0.006
    )
    assert [row["name"] for row in result["classes"]] == ["ground", "person"]
    assert result["pixels"] == 2 * 96 * 96
    assert result["confidence"]["of"] == "pixels"
    assert html.count("data:image/jpeg") == 4
    assert numbers["missing"] == []


def test_masks_with_augmentation_and_the_modules_as_trained_beside_other_files(reported, seg_config: Path):
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    _, html, numbers = reported(seg_config, "--tta", "--runtime", "framework")
    assert sorted(path.name for path in Path("out").iterdir()) == ["index.html", "mine.txt", "report.json"]
    assert numbers["result"]["confidence"] is None
    assert "test-time augmentation" in numbers["missing"][0]
    assert numbers["about"]["augmentation"] == "test-time augmentation (--tta)"
    assert "framework fp32" in html
    assert 100 * numbers["result"]["miou"] == pytest.approx(numbers["metrics"]["mIoU"], abs=0.006)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["pose", "seg"])
def test_two_ranks_give_the_numbers_of_one(
    task, reported, data: Path, project_root: Path, request: pytest.FixtureRequest
):
    config = request.getfixturevalue(f"{task}_config")
    alone = reported(config, "--cfg-options", "test_dataloader.batch_size=1")[2]
    command = ["bash", project_root / "tools/dist_test.sh", config, "weights.pth", "2", "--data-root", data]
    environment = {**os.environ, "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    subprocess.run([*map(str, command), "--report", "both"], env=environment, check=True, timeout=300)
    both = json.loads(Path("both/report.json").read_text())
    assert both["metrics"] == pytest.approx(alone["metrics"], abs=1e-6)
    for name in ("images", "persons", "pixels", "oks", "miou", "oks_bins", "miou_bins"):
        assert both["result"].get(name) == pytest.approx(alone["result"].get(name), abs=1e-5)


def test_the_metrics_stand_before_a_page_that_cannot_be_written(
    hrnet, data: Path, seg_config: Path, checkpoint_of, monkeypatch
):
    def full(data, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hrnet_plugin.reports.page.write_whole", full)
    outcome = hrnet("test", seg_config, checkpoint_of(seg_config), "--data-root", data, "--report", "out")
    assert outcome.status == 2
    assert "mIoU" in outcome.out.partition("test finished")[2]
    assert "found No space left on device, expected a file that can be written" in outcome.errors[0]


def test_a_task_without_a_report_is_refused(refused, pose_config: Path, checkpoint_of):
    pose_config.write_text(pose_config.read_text() + "default_scope = 'mmdet'\n")
    line = refused("test", pose_config, "absent.pth", "--report", "out")
    assert "--report: found a config of mmdet, expected one of pose (mmpose), segmentation (mmseg), classif" in line
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda: Path("out").write_text(""), "--report out: found"),
        (lambda: (Path("out").mkdir(), Path("out/index.html").write_text("mine")), "a index.html that is not of an"),
    ],
    ids=["a file", "another page"],
)
def test_folders_that_cannot_be_used_are_refused_before_the_test(
    refused, data: Path, seg_config: Path, checkpoint_of, prepare, words
):
    prepare()
    assert words in refused("test", seg_config, checkpoint_of(seg_config), "--data-root", data, "--report", "out")
