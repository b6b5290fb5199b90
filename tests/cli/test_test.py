"""`hrnet test`: metrics, files, drawings and test-time augmentation of both frameworks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.fixture
def checkpoint_of(workplace: Path) -> Callable[[Path], Path]:
    """A checkpoint with the fresh weights of a config's network."""

    def save(config: Path) -> Path:
        from mmengine.config import Config
        from mmengine.registry import MODELS, init_default_scope

        cfg = Config.fromfile(config)
        init_default_scope(cfg.default_scope)
        cfg.model.backbone.pop("init_cfg", None)
        torch.manual_seed(0)
        torch.save({"state_dict": MODELS.build(cfg.model).state_dict(), "meta": {}}, workplace / "fresh.pth")
        return workplace / "fresh.pth"

    return save


def test_pose_metrics_predictions_and_pictures(hrnet, data: Path, pose_config: Path, checkpoint_of):
    outcome = hrnet(
        "test", pose_config, checkpoint_of(pose_config), "--data-root", data, "--tta", "--out", "results/metrics.json",
        "--dump", "results/all.pkl", "--show-dir", "drawn",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    metrics = json.loads(Path("results/metrics.json").read_text())
    assert 0 <= metrics["coco/AP"] <= 1
    summary = outcome.out.partition("test finished")[2]
    assert f"coco/AP      {metrics['coco/AP']:.4f}" in summary
    assert "flip_test" in summary
    assert "ground-truth" in summary
    assert "not found" not in outcome.out
    predictions = pickle.loads(Path("results/all.pkl").read_bytes())
    assert [item["pred_instances"]["keypoints"].shape for item in predictions] == [(1, 17, 2)] * 2
    assert len(list(Path("drawn").glob("*.jpg"))) == 2


def test_flip_test_changes_the_prediction(hrnet, data: Path, pose_config: Path, checkpoint_of):
    checkpoint = checkpoint_of(pose_config)
    scores = []
    for extra in ((), ("--tta",)):
        command = ("test", pose_config, checkpoint, "--data-root", data, "--dump", "all.pkl")
        assert hrnet(*command, *extra).status == 0
        predictions = pickle.loads(Path("all.pkl").read_bytes())
        scores.append(np.array([item["pred_instances"]["keypoint_scores"] for item in predictions]))
    assert np.abs(scores[0] - scores[1]).max() > 1e-4


def test_detections_at_hand_are_used_unless_told_otherwise(hrnet, data: Path, pose_config: Path, checkpoint_of):
    checkpoint = checkpoint_of(pose_config)
    boxes = [
        {"image_id": image, "category_id": 1, "bbox": [10 + shift, 10, 60, 70], "score": 0.9}
        for image in (0, 1)
        for shift in (0, 5, 10)
    ]
    (data / "person_detection_results").mkdir()
    (data / "person_detection_results" / "val.json").write_text(json.dumps(boxes))
    counts = []
    for extra in ((), ("--gt-boxes",)):
        outcome = hrnet("test", pose_config, checkpoint, "--data-root", data, "--dump", "all.pkl", *extra)
        assert outcome.status == 0, outcome.err
        counts.append(len(pickle.loads(Path("all.pkl").read_bytes())))
        assert ("--gt-boxes: evaluating with the annotated" in outcome.out) == bool(extra)
    assert counts == [6, 2]


def test_segmentation_writes_label_maps_with_augmentation(hrnet, data: Path, seg_config: Path, checkpoint_of):
    outcome = hrnet(
        "test", seg_config, checkpoint_of(seg_config), "--data-root", data, "--tta", "--out", "labels",
        "--show-dir", "drawn", "--work-dir", "run",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert "mIoU" in outcome.out.partition("test finished")[2]
    assert "SegTTAModel" in Path("run", seg_config.name).read_text()
    labels = {path.name: np.array(Image.open(path)) for path in Path("labels").iterdir()}
    assert set(labels) == {"val_0.png", "val_1.png"}
    assert all(label.shape == (96, 96) and set(np.unique(label)) <= {0, 1} for label in labels.values())
    assert len(list(Path("drawn").rglob("*.png"))) == 2


def test_segmentation_writes_metrics_to_a_json_file(hrnet, data: Path, seg_config: Path, checkpoint_of):
    outcome = hrnet("test", seg_config, checkpoint_of(seg_config), "--data-root", data, "--out", "metrics.json")
    assert outcome.status == 0, outcome.err
    assert set(json.loads(Path("metrics.json").read_text())) == {"aAcc", "mIoU", "mAcc"}
