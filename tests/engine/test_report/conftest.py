"""Samples of the frameworks as a test hands them out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.structures import InstanceData

from hrnet_plugin.data.skeleton import FLIP_PAIRS, LIMBS, NAMES, SIGMAS


@pytest.fixture(scope="session")
def metainfo() -> dict:
    """That of COCO's persons, as a built data set has it."""
    mirror = list(range(17))
    for left, right in FLIP_PAIRS:
        mirror[left], mirror[right] = right, left
    return {
        "dataset_name": "coco",
        "num_keypoints": 17,
        "keypoint_id2name": dict(enumerate(NAMES)),
        "flip_indices": mirror,
        "sigmas": np.array(SIGMAS),
        "skeleton_links": list(LIMBS),
    }


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """Three images of 160x120: two persons that overlap; one person, an unlabelled one and a crowd; nobody."""
    rng = np.random.default_rng(3)

    def person(number: int, image: int, left: float, labelled: bool = True, crowd: int = 0) -> dict:
        places = rng.uniform((left, 10), (left + 50, 110), (17, 2)).round(1)
        seen = rng.choice([0, 1, 2], 17, p=[0.2, 0.3, 0.5]) * labelled
        return {
            "id": number, "image_id": image, "category_id": 1, "bbox": [left, 10, 50, 100], "area": 3100.0 + number,
            "iscrowd": crowd, "num_keypoints": int((seen > 0).sum()),
            "keypoints": np.column_stack([places * (seen > 0)[:, None], seen]).ravel().tolist(),
        }  # fmt: skip

    content = {
        "info": {},
        "images": [{"id": index, "file_name": f"{index}.png", "width": 160, "height": 120} for index in (1, 2, 3)],
        "annotations": [
            *(person(11, 1, 10), person(12, 1, 30), person(21, 2, 5)),
            *(person(22, 2, 60, labelled=False), person(23, 2, 100, crowd=1)),
        ],
        "categories": [{"id": 1, "name": "person"}],
    }
    path = tmp_path / "persons.json"
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="session")
def pose_sample() -> Callable[..., SimpleNamespace]:
    """`pose_sample(poses, scores, truth=..., **metainfo)`: what mmpose hands out for an image or a person."""

    def make(poses, scores, truth=None, boxes=None, box_scores=None, head_size=None, **info):
        poses, scores = np.asarray(poses, np.float32), np.asarray(scores, np.float32)
        given = {"bboxes": boxes, "bbox_scores": box_scores, "head_size": head_size}
        true = {name: np.asarray(value, np.float32) for name, value in given.items() if value is not None}
        if truth is not None:
            truth = np.asarray(truth, np.float32)
            true |= {"keypoints": truth[..., :2], "keypoints_visible": truth[..., 2].clip(0, 1)}
        predicted = InstanceData(keypoints=poses, keypoint_scores=scores)
        sample = SimpleNamespace(gt_instances=InstanceData(**true), pred_instances=predicted, metainfo=info)
        sample.to_dict = lambda: {"gt_instances": sample.gt_instances, "pred_instances": predicted, **info}
        return sample

    return make
