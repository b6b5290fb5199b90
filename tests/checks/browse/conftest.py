"""A few generated people, and configs that augment them as published ones do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmengine.config import Config

from hrnet_plugin.data.writer import make_dataset

_CODEC = {"type": "MSRAHeatmap", "input_size": (48, 64), "heatmap_size": (12, 16), "sigma": 1}


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight training and two other pictures of 128x96."""
    return make_dataset(
        tmp_path_factory.mktemp("browse") / "people", train=8, val=2, test=1, size=(128, 96), workers=1
    ).root


@pytest.fixture
def pose_config(people: Path):
    """`pose_config(*augmentation)`: top-down pose with these transforms in front of the crop."""

    def make(*augmentation: dict[str, Any]) -> Config:
        pipeline = [
            {"type": "LoadImage"},
            {"type": "GetBBoxCenterScale"},
            *augmentation,
            {"type": "TopdownAffine", "input_size": _CODEC["input_size"]},
            {"type": "GenerateTarget", "encoder": _CODEC},
            {"type": "PackPoseInputs"},
        ]
        dataset = {
            "type": "CocoDataset",
            "data_root": str(people),
            "ann_file": "annotations/person_keypoints_train.json",
            "data_prefix": {"img": "train/"},
            "pipeline": pipeline,
        }
        preprocessor = {"type": "PoseDataPreprocessor", "mean": [123.675, 116.28, 103.53], "std": [58.4, 57.1, 57.4]}
        return Config(
            {
                "default_scope": "mmpose",
                "model": {"type": "TopdownPoseEstimator", "data_preprocessor": {**preprocessor, "bgr_to_rgb": True}},
                "train_dataloader": {"dataset": dataset},
            }
        )

    return make


@pytest.fixture
def seg_config(people: Path) -> Config:
    """Segmentation of flipped crops, padded to 64x80."""
    pipeline = [
        {"type": "LoadImageFromFile"},
        {"type": "LoadAnnotations"},
        {"type": "RandomCrop", "crop_size": (64, 64)},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "PackSegInputs"},
    ]
    classes = ("background", "head", "torso", "arms", "legs", "object")
    dataset = {
        "type": "BaseSegDataset",
        "data_root": str(people),
        "data_prefix": {"img_path": "train", "seg_map_path": "masks/train"},
        "metainfo": {"classes": classes, "palette": [[40 * index] * 3 for index in range(6)]},
        "pipeline": pipeline,
    }
    preprocessor = {"type": "SegDataPreProcessor", "mean": [120.0] * 3, "std": [60.0] * 3, "size": (64, 80)}
    return Config(
        {
            "default_scope": "mmseg",
            "model": {"type": "EncoderDecoder", "data_preprocessor": {**preprocessor, "seg_pad_val": 255}},
            "train_dataloader": {"dataset": dataset},
        }
    )
