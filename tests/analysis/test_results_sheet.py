"""Results of a test are drawn from the files that the frameworks' metrics write."""

from __future__ import annotations

import json

import cv2
import pytest

from hrnet_plugin.analysis.results_sheet import draw_mask_results, draw_pose_results
from hrnet_plugin.data import make_dataset
from hrnet_plugin.errors import DataError


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A small data set."""
    return make_dataset(tmp_path_factory.mktemp("sheet") / "people", train=0, val=0, test=3, size=(160, 128), workers=1)


def test_perfect_poses_are_drawn_and_wrong_ones_look_different(people, tmp_path):
    truth = json.loads(people.annotation_file("test").read_text())["annotations"]
    rows = [{"image_id": row["image_id"], "keypoints": [float(v) for v in row["keypoints"]]} for row in truth]
    (tmp_path / "perfect.json").write_text(json.dumps(rows))
    shifted = [
        {**row, "keypoints": [value + 20 * (i % 3 == 0) for i, value in enumerate(row["keypoints"])]} for row in rows
    ]
    (tmp_path / "shifted.json").write_text(json.dumps(shifted))
    sheets = []
    for name in ("perfect", "shifted"):
        path = draw_pose_results(people.root, "test", tmp_path / f"{name}.json", tmp_path / f"{name}.png", 3)
        sheets.append(cv2.imread(str(path)))
    assert sheets[0].shape == sheets[1].shape
    assert (sheets[0] != sheets[1]).any()


def test_poses_of_another_split_are_refused(people, tmp_path):
    (tmp_path / "other.json").write_text(json.dumps([{"image_id": 1, "keypoints": [0.0] * 51}]))
    with pytest.raises(DataError, match="found no prediction for the first 3 pictures"):
        draw_pose_results(people.root, "test", tmp_path / "other.json", tmp_path / "sheet.png", 3)


def test_masks_are_drawn(people, tmp_path):
    path = draw_mask_results(people.root, "test", people.root / "masks" / "test", tmp_path / "sheet.png", 3)
    assert cv2.imread(str(path)).std() > 10


def test_a_missing_mask_is_named(people, tmp_path):
    with pytest.raises(DataError, match=r"000000\.png: found no readable image"):
        draw_mask_results(people.root, "test", tmp_path, tmp_path / "sheet.png", 3)
