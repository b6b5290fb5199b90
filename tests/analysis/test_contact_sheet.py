from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.analysis.contact_sheet import (
    PoseSample,
    SegmentationSample,
    class_iou,
    draw_pose_sheet,
    draw_segmentation_sheet,
)
from hrnet_plugin.analysis.drawing import PAPER
from hrnet_plugin.data.parts import CLASS_NAMES, PALETTE
from hrnet_plugin.data.scene import render_scene
from hrnet_plugin.errors import DataError


def page(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def pose_samples(count: int, shift: float) -> list[PoseSample]:
    samples = []
    for index in range(count):
        scene = render_scene(0, "test", index, (128, 96))
        truth = np.stack([person.keypoints for person in scene.persons])
        boxes = np.array([person.bbox for person in scene.persons])
        predicted, scores = truth[..., :2] + shift, np.ones(truth.shape[:2])
        samples.append(PoseSample(scene.image, truth, predicted, scores, [0.5] * len(truth), boxes, f"{index:06d}"))
    return samples


def test_pose_sheet_has_the_size_of_its_tiles(tmp_path):
    path = draw_pose_sheet(pose_samples(5, 0.0), tmp_path / "new/sheet.png", columns=2, tile_width=200, title="Check")
    found = page(path)
    # Two pairs across, three rows of 200 x 150 pictures, margins and captions.
    assert found.shape[1] == 2 * 24 + 2 * 2 * 202 + 10
    assert found.shape[0] == 84 + 3 * (150 + 30 + 10) + 24
    assert (found != PAPER).any(2).mean() > 0.5
    assert (found[-150:, found.shape[1] // 2 + 10 :] == PAPER).all(), "the sixth place stays empty"


def test_truth_is_left_and_prediction_right(tmp_path):
    path = draw_pose_sheet(pose_samples(1, 25.0), tmp_path / "sheet.png", tile_width=256)
    plain = draw_pose_sheet(
        [PoseSample(sample.image, sample.truth[:0]) for sample in pose_samples(1, 0.0)],
        tmp_path / "plain.png",
        tile_width=256,
    )
    drawn, empty = page(path), page(plain)
    rows, left = slice(84, 84 + 192), (drawn.shape[1] - 48 - 2 * 258) // 2
    assert left == 0, "one pair fills the page"
    changed = (drawn[rows] != empty[rows]).any(2)
    truth, prediction = changed[:, 24 : 24 + 256], changed[:, 24 + 258 : 24 + 258 + 256]
    assert truth.mean() > 0.01
    assert prediction.mean() > 0.005
    assert not np.array_equal(truth, prediction)


def test_unsure_keypoints_are_left_out(tmp_path):
    samples = pose_samples(1, 0.0)
    samples[0].boxes = None
    sure = page(draw_pose_sheet(samples, tmp_path / "sure.png"))
    samples[0].scores = np.full(samples[0].predicted.shape[:2], 0.1)
    unsure = page(draw_pose_sheet(samples, tmp_path / "unsure.png"))
    samples[0].predicted, samples[0].scores = samples[0].predicted[:0], None
    none = page(draw_pose_sheet(samples, tmp_path / "none.png"))
    assert (sure != unsure).any()
    assert (unsure == none).all()


def test_segmentation_sheet(tmp_path):
    scenes = [render_scene(0, "test", index, (128, 96)) for index in range(3)]
    samples = [SegmentationSample(scene.image, scene.mask, np.zeros_like(scene.mask), "x") for scene in scenes]
    found = page(
        draw_segmentation_sheet(samples, tmp_path / "sheet.png", CLASS_NAMES, PALETTE, columns=1, tile_width=240)
    )
    assert found.shape[1] == max(2 * 24 + 3 * 242, found.shape[1])
    assert found.shape[0] >= 84 + 3 * (180 + 30 + 10) + 24
    picture, truth, prediction = (found[120:290, 24 + number * 242 :][:, :240] for number in range(3))
    assert np.abs(truth - prediction).mean() > 3
    assert np.abs(picture - truth).mean() > 10
    alone = [SegmentationSample(scene.image, scene.mask) for scene in scenes]
    narrow = page(
        draw_segmentation_sheet(alone, tmp_path / "alone.png", CLASS_NAMES, PALETTE, columns=3, tile_width=240)
    )
    assert narrow.shape[1] == 2 * 24 + 3 * 2 * 242 + 2 * 10


def test_class_iou():
    truth = np.array([[0, 0, 1, 1], [2, 2, 255, 255]])
    guess = np.array([[0, 1, 1, 1], [2, 2, 0, 1]])
    found = class_iou(truth, guess, 4)
    assert found[:3].tolist() == pytest.approx([1 / 2, 2 / 3, 1.0])
    assert np.isnan(found[3])


def test_sheets_need_samples(tmp_path):
    with pytest.raises(DataError, match="no samples"):
        draw_pose_sheet([], tmp_path / "sheet.png")
    with pytest.raises(DataError, match="no samples"):
        draw_segmentation_sheet([], tmp_path / "sheet.png", CLASS_NAMES, PALETTE)
