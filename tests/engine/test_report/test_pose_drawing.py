"""Each chosen person is drawn with truth, prediction and the errors between them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.analysis.pose_figures import PosePicture, pair_poses
from hrnet_plugin.analysis.skeleton import COCO
from hrnet_plugin.data.skeleton import SIGMAS
from hrnet_plugin.engine.test_report.pose_drawing import draw_cases
from hrnet_plugin.reports.test_report.charts import rgb

MISSED = 9


@pytest.fixture
def picture(tmp_path: Path) -> PosePicture:
    """One person on black, with one keypoint far off and one unlabelled."""
    Image.new("RGB", (200, 240)).save(tmp_path / "one.png")
    rng = np.random.default_rng(1)
    truth = np.concatenate([rng.uniform(60, 140, (1, 17, 2)), np.full((1, 17, 1), 2.0)], 2)
    truth[0, 0, 2] = 0
    predicted = truth.copy()
    predicted[0, MISSED, :2] += (45, 60)
    return PosePicture(
        str(tmp_path / "one.png"), predicted, np.ones(1), truth, np.array([4000.0]), np.array([[60, 60, 80, 80.0]]),
        np.zeros(1, bool), ["7"], own=np.zeros(1, int),
    )  # fmt: skip


def test_the_prediction_has_a_line_to_the_true_place(picture, metainfo):
    pairs = pair_poses([picture], metainfo["flip_indices"], SIGMAS, 17)
    examples, missing = draw_cases([picture], pairs, {"worst": np.array([0])}, COCO)
    (example,) = examples["worst"]
    assert missing == []
    assert example.caption == f"OKS {pairs.oks[0]:.3f} · 1 miss · one.png, no. 7"
    drawn = np.asarray(Image.open(io.BytesIO(example.picture))).astype(int)
    halves = drawn[:, : drawn.shape[1] // 2], drawn[:, drawn.shape[1] // 2 :]
    reds = [int((np.abs(half - rgb("miss")).max(2) < 40).sum()) for half in halves]
    assert reds[0] < 20 < 200 < reds[1]
    assert all((half.max(2) > 100).sum() > 500 for half in halves)  # a skeleton on either side


def test_predictions_far_outside_do_not_shrink_the_person_away(picture, metainfo):
    picture.predicted[0, MISSED, :2] = 1e5
    pairs = pair_poses([picture], metainfo["flip_indices"], SIGMAS, 17)
    examples, _ = draw_cases([picture], pairs, {"worst": np.array([0])}, COCO)
    drawn = np.asarray(Image.open(io.BytesIO(examples["worst"][0].picture)))
    rows = np.flatnonzero((drawn[:, : drawn.shape[1] // 2].max(2) > 100).any(1))
    assert np.ptp(rows) > drawn.shape[0] / 4


def test_an_image_that_is_gone_is_told_once(picture, metainfo):
    Path(picture.path).unlink()
    pairs = pair_poses([picture], metainfo["flip_indices"], SIGMAS, 17)
    examples, missing = draw_cases([picture], pairs, {"worst": np.array([0]), "best": np.array([0])}, COCO)
    assert examples == {"worst": [], "best": []}
    assert missing == ["Pictures: one.png could not be read again."]
