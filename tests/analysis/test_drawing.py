"""Drawing holds whatever annotations say."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.analysis.drawing import draw_box, draw_pose


@pytest.mark.parametrize("far", [3e9, -3e9, 1e300])
def test_places_far_outside_are_drawn_as_far_as_they_go(far):
    image = np.zeros((40, 60, 3), np.uint8)
    draw_box(image, (5, 5, far, far))
    keypoints = np.full((17, 3), 20.0)
    keypoints[5] = far
    draw_pose(image, keypoints, np.ones(17, bool))
    assert image.any()
