"""Released weights on real people: the AP that mmpose's own test gives."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.cli.main import main

#: With annotated boxes and without a flip test, as the README of the weights has it from mmpose.
AVERAGE_PRECISION = 0.627


@pytest.fixture
def inferred(shared_dir: Path, project_root: Path, tmp_path: Path) -> Callable[..., Path]:
    """`inferred(...)`: the folder of results of the validation images with their annotated boxes."""
    weights = shared_dir / "weights/litehrnet_wider_naive_coco_256x192.pth"
    data = shared_dir / "data/coco_open"
    network = (project_root / "configs/litehrnet_wider_naive_coco.py", weights, data / "val2017")
    boxes = ("--boxes", data / "annotations/person_keypoints_val2017.json")
    threads = torch.get_num_threads()

    def run(name: str, *flags: object) -> Path:
        torch.set_num_threads(1)
        command = ("infer", *network, *boxes, "--out", tmp_path / name, "--no-pictures", *flags)
        assert main([str(part) for part in command]) == 0
        return tmp_path / name

    yield run
    torch.set_num_threads(threads)


def average_precision(out: Path, shared_dir: Path) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(shared_dir / "data/coco_open/annotations/person_keypoints_val2017.json"))
        found = COCOeval(truth, truth.loadRes(str(out / "keypoint_results.json")), "keypoints")
        found.evaluate()
        found.accumulate()
        found.summarize()
    return float(found.stats[0])


def keypoints(out: Path) -> np.ndarray:
    return np.array([one["keypoints"] for one in json.loads((out / "keypoint_results.json").read_text())])


def test_average_precision_with_annotated_boxes(inferred, shared_dir):
    out = inferred("eight")
    assert round(average_precision(out, shared_dir), 3) == AVERAGE_PRECISION
    with contextlib.redirect_stdout(io.StringIO()):
        own = COCO(str(out / "results.json"))
    assert len(own.anns) == len(keypoints(out)) >= 19
    # Crops of several images in one batch are what they are one image at a time.
    alone = keypoints(inferred("one", "--batch-size", 1))
    assert np.abs(alone - keypoints(out)).max() < 0.02


@pytest.mark.slow
def test_average_precision_in_another_runtime(inferred, shared_dir):
    pytest.importorskip("onnxruntime")
    out = inferred("other", "--runtime", "onnxruntime", "--threads", 1)
    assert average_precision(out, shared_dir) == pytest.approx(AVERAGE_PRECISION, abs=0.01)
