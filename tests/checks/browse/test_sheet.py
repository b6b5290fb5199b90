from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.checks.browse.sample import PoseTargets, Sample
from hrnet_plugin.checks.browse.sheet import draw_samples, samples_page, write_samples

METAINFO = {
    "keypoint_id2name": {0: "nose", 1: "left_hoof", 2: "right_hoof"},
    "skeleton_links": [(0, 1)],
    "keypoint_colors": [[10, 10, 250], [10, 250, 10], [250, 130, 10]],
    "skeleton_link_colors": [[90, 90, 90]],
}


def heat(place: int) -> np.ndarray:
    maps = np.zeros((3, 16, 20))
    maps[0, 8, place] = 1.0
    return maps


def sample(**changes) -> Sample:
    """A grey input of 80x64 with three keypoints, the second labelled outside of it."""
    pose = {
        "keypoints": np.array([[[40.0, 32.0], [200.0, 32.0], [0.0, 0.0]]]),
        "visible": np.array([[True, True, False]]),
        "weights": np.array([[1.0, 0.0, 0.0]]),
        "heatmaps": heat(10),
        "levels": 1,
    }
    pixels = np.full((64, 80, 3), 128, np.uint8)
    return Sample("", pixels, -1.5, 2.0, "RGB", pose=PoseTargets(**{**pose, **changes}))


def has(tile: np.ndarray, colour, near: int = 12) -> bool:
    return bool((np.abs(tile.astype(int) - colour).max(2) <= near).any())


def test_a_pose_of_three_keypoints():
    drawn = draw_samples([sample()], METAINFO)
    assert drawn.heads == ("image", "input", "target heatmaps")
    assert drawn.captions == [("", "80x64, 1 of 3 count")]
    assert drawn.note == "80x64, RGB, values -1.50 to 2.00; heatmaps 20x16"
    assert [name for name, _ in drawn.legend] == ["left", "right", "middle", "counts nothing"]
    _, given, target = drawn.rows[0]
    assert has(given, (10, 10, 250)), "the nose"
    assert not has(given, (10, 250, 10)), "the hoof does not count"
    assert has(given, (255, 45, 45)), "it is marked at the border"
    assert not has(given, (250, 130, 10)), "what is not labelled is nowhere"
    middle = target[target.shape[0] // 2, :].astype(int)
    assert middle.max(1).argmax() == pytest.approx(target.shape[1] / 2, abs=25)


def test_several_resolutions_and_places_that_do_not_count():
    counted = np.ones((16, 20), bool)
    counted[:, 15:] = False
    drawn = draw_samples([sample(levels=2, counted=counted)], METAINFO)
    assert drawn.note.endswith("heatmaps 20x16, the finest of 2")
    row = drawn.rows[0][2][150].astype(int)
    assert np.abs(row[260] - row[30]).max() > 20, "grey at the right"


def test_without_heatmaps_or_annotations():
    drawn = draw_samples([sample(heatmaps=None, levels=0)], METAINFO)
    assert drawn.heads == ("image", "input")
    assert drawn.note == "80x64, RGB, values -1.50 to 2.00"
    alone = Sample("", np.zeros((64, 80, 3), np.uint8), 0.0, 1.0, "RGB")
    drawn = draw_samples([sample(), alone], METAINFO)
    assert drawn.captions[1] == ("", "80x64")


def test_maps_of_another_number_than_keypoints():
    """DEKR adds one for the middle of a body, UDP has two offsets beside each."""
    for channels in (1, 4, 9):
        drawn = draw_samples([sample(heatmaps=np.random.default_rng(0).random((channels, 16, 20)))], METAINFO)
        assert len(drawn.rows[0]) == 3


def test_classes():
    labels = np.zeros((64, 80), np.int64)
    labels[:, 40:], labels[:8] = 2, 255
    one = Sample("", np.zeros((64, 80, 3), np.uint8), 0.0, 1.0, "BGR", labels=labels)
    metainfo = {"classes": ["sky", "sea", "sand"], "palette": [[250, 0, 0], [0, 250, 0], [0, 0, 250]]}
    drawn = draw_samples([one], metainfo)
    assert [name for name, _ in drawn.legend] == ["sky", "sand", "not learnt"]
    tile = drawn.rows[0][2].astype(int)
    assert tile[150, 60].argmax() == 0
    assert tile[150, 220].argmax() == 2
    assert drawn.captions == [("", "80x64")]
    halved = Sample("", np.zeros((32, 40, 3), np.uint8), 0.0, 1.0, "BGR", labels=labels)
    tile = draw_samples([halved], metainfo).rows[0][2].astype(int)
    assert (tile[150, 60].argmax(), tile[150, 220].argmax()) == (0, 2), "masks of the image's own size"


def test_boxes_and_labels():
    box = np.array([[10.0, 10.0, 20.0, 20.0]])
    one = Sample("", np.zeros((64, 80, 3), np.uint8), 0.0, 1.0, "BGR", input_boxes=box, classes=(1, 1, 0))
    drawn = draw_samples([one], {"classes": ["cat", "dog"]})
    assert has(drawn.rows[0][1], (255, 226, 90), 60)
    assert drawn.captions == [("", "dog, cat  80x64")]


def test_sheet_and_page(tmp_path):
    drawn = draw_samples([sample()] * 3, METAINFO)
    assert write_samples(drawn, tmp_path / "a.png", "horses: train").stat().st_size > 1000
    page = samples_page(drawn, "horses: train", {"config": "horses.py"}).html().decode()
    assert page.count("<img") == 3
    assert "80x64, 1 of 3 count" in page
    assert "values -1.50 to 2.00" in page
