"""Cut-outs hold what they should, where the drawing expects it."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.analysis.drawing import PAPER
from hrnet_plugin.engine.test_report.pictures import cut_out, jpeg, read_rgb, side_by_side, window_around


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_a_place_is_where_the_scale_puts_it(scale):
    image = np.zeros((80, 100, 3), np.uint8)
    image[36:44, 46:54] = 255  # its middle at 49.5, 39.5
    tile = cut_out(image, 20, 10, scale, (round(60 * scale), round(60 * scale)))
    rows, columns = np.nonzero(tile[..., 0] > 127)
    expected = (np.array((49.5 - 20, 39.5 - 10)) + 0.5) * scale - 0.5
    np.testing.assert_allclose((columns.mean(), rows.mean()), expected, atol=0.51)


def test_beyond_the_image_is_paper():
    tile = cut_out(np.zeros((20, 20, 3), np.uint8), -10, 0, 1.0, (20, 20))
    assert tuple(tile[10, 2]) == PAPER
    assert tuple(tile[10, 15]) == (0, 0, 0)


@pytest.mark.parametrize("corner", [(0, 0), (70, 50), (30, 20)])
def test_windows_stay_inside_the_image_and_hold_all_points(corner):
    points = np.add(corner, [(0, 0), (20.0, 25.0)])
    left, top, unit = window_around(points, (33, 40), (100, 80))
    assert left >= 0
    assert top >= 0
    assert left + 33 * unit <= 100 + 1e-9
    assert top + 40 * unit <= 80 + 1e-9
    assert (points >= (left, top)).all()
    assert (points <= (left + 33 * unit, top + 40 * unit)).all()


def test_a_window_larger_than_the_image_has_it_in_the_middle():
    left, top, unit = window_around(np.array([[0, 0], [99, 10]], float), (33, 40), (100, 12))
    assert top < 0
    assert top + 40 * unit > 12
    assert left + 33 * unit / 2 == pytest.approx(50)


def test_files_that_cannot_be_read_are_none(tmp_path):
    (tmp_path / "text.png").write_text("no image")
    (tmp_path / "empty.png").write_text("")
    for path in (tmp_path / "text.png", tmp_path / "empty.png", tmp_path / "absent.png", tmp_path, "s3://a/b.png", ""):
        assert read_rgb(str(path)) is None


def test_colours_survive(tmp_path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    (tmp_path / "red.jpg").write_bytes(jpeg(side_by_side([red, red])))
    back = read_rgb(str(tmp_path / "red.jpg"))
    assert back.shape == (16, 36, 3)
    assert np.abs(back[8, 4].astype(int) - (200, 0, 0)).max() < 6
