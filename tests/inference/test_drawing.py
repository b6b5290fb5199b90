"""What is drawn lies where it was found."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import hrnet_plugin
from hrnet_plugin.analysis.skeleton import COCO
from hrnet_plugin.deploy.predictions import ClassPrediction, PosePrediction, SegmentationPrediction
from hrnet_plugin.errors import DataError
from hrnet_plugin.inference.drawing import draw, encoded, palette_of


@pytest.fixture
def grey() -> np.ndarray:
    return np.full((120, 160, 3), 128, np.uint8)


def one_person(keypoints: list, scores: list, **more: object) -> PosePrediction:
    boxes = np.array([more.pop("box", [0, 0, 160, 120])], np.float32)
    found = np.array([keypoints], np.float32), np.array([scores], np.float32)
    return PosePrediction(*found, boxes, ("",) * len(scores), **more)


def changed(drawn: np.ndarray) -> np.ndarray:
    return (drawn != 128).any(2)


def test_keypoints_are_drawn_from_their_score_on(grey):
    prediction = one_person([[30, 40], [100, 90]], [0.9, 0.2])
    drawn = changed(draw(grey, prediction))
    assert drawn[40, 30]
    assert not drawn[60:].any()
    assert changed(draw(grey, prediction, score_thr=0.1))[90, 100]
    assert not changed(draw(grey, prediction, score_thr=0.95)).any()
    assert (grey == 128).all()


def test_what_was_not_found_is_not_drawn(grey):
    assert not changed(draw(grey, one_person([[30, 40]], [-0.5]), score_thr=0)).any()


def test_limbs_have_the_colours_of_the_skeleton(grey):
    places = np.stack([np.linspace(10, 150, 17), np.full(17, 60)], 1)
    places[5], places[7] = (20, 20), (140, 20)  # left shoulder and elbow
    scores = np.zeros(17)
    scores[[5, 7]] = 1
    drawn = draw(grey, one_person(places.tolist(), scores.tolist(), skeleton=COCO))
    limb = COCO.limbs.index((5, 7))
    assert drawn[20, 80].tolist() == pytest.approx(COCO.limb_colours[limb][::-1], abs=30)  # its edge is soft
    plain = draw(grey, one_person(places.tolist(), scores.tolist()))
    assert not changed(plain)[20, 80]
    assert changed(plain)[20, 20]


def test_a_given_box_is_drawn_and_a_whole_image_is_none(grey):
    assert not changed(draw(grey, one_person([[30, 40]], [0.0]))).any()
    drawn = changed(draw(grey, one_person([[30, 40]], [0.0], box=[20, 10, 100, 110])))
    assert drawn[10, 50]
    assert drawn[60, 20]
    assert not drawn[60, 50]


def test_classes_tint_their_pixels(grey):
    labels = np.zeros((120, 160), np.uint8)
    labels[:, 80:] = 1
    drawn = draw(grey, SegmentationPrediction(labels, ("a", "b"), ((255, 0, 0), (0, 0, 255))))
    assert drawn[50, 10, 2] > 180 > 100 > drawn[50, 10, 0]
    assert drawn[50, 150, 0] > 180 > 100 > drawn[50, 150, 2]
    many = np.arange(300, dtype=np.uint16).repeat(64).reshape(120, 160)
    assert draw(grey, SegmentationPrediction(many, (), ())).shape == (120, 160, 3)


def test_colours_that_the_data_set_has_not():
    palette = palette_of([(1, 2, 3)], 40)
    assert palette[0].tolist() == [1, 2, 3]
    assert len({tuple(colour) for colour in palette.tolist()}) == 40


def test_classes_are_written_below(grey):
    scores = np.array([0.1, 0.7, 0.2], np.float32)
    drawn = draw(grey, ClassPrediction(scores, ("cat", "dog", "cow")))
    assert (drawn[:120] == 128).all()
    assert drawn.shape[0] > 150
    assert drawn[120:].min() < 100


def test_three_lines_of_python(posing, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8))
    predictions = posing(["a.png"], [[[5, 5, 40, 55]]])
    drawn = hrnet_plugin.inference.draw("a.png", predictions[0], "drawn/a.png", score_thr=0)
    assert np.array_equal(cv2.imread("drawn/a.png"), drawn)
    assert (drawn != cv2.imread("a.png")).any()


@pytest.mark.parametrize("name", ["drawn", "drawn.xyz", "drawn.txt"])
def test_a_picture_of_no_kind_is_one_line(name, grey, tmp_path):
    with pytest.raises(DataError, match=r"a 160x120 picture as .*: expected \.jpg or \.png"):
        draw(grey, one_person([[3, 4]], [1.0]), tmp_path / name)


def test_a_picture_that_cannot_be_written_is_one_line(grey, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"picture .*file/a\.jpg: found .*, expected a file to write"):
        draw(grey, one_person([[3, 4]], [1.0]), tmp_path / "file/a.jpg")


def test_masks_keep_their_indices(tmp_path):
    for kind in (np.uint8, np.uint16):
        mask = np.arange(200, dtype=kind).reshape(10, 20) * (1 if kind is np.uint8 else 3)
        (tmp_path / "m.png").write_bytes(encoded(mask, ".png"))
        assert np.array_equal(cv2.imread(str(Path(tmp_path, "m.png")), cv2.IMREAD_UNCHANGED), mask)
