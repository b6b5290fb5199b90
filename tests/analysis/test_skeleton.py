from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.analysis.drawing import draw_pose
from hrnet_plugin.analysis.skeleton import COCO, SIDE_COLOURS, Skeleton
from hrnet_plugin.errors import DataError

HORSE = {
    "dataset_name": "horses",
    "keypoint_info": {
        0: {"name": "nose", "id": 0, "color": [1, 2, 3], "type": "", "swap": ""},
        1: {"name": "left_hoof", "id": 1, "color": [10, 20, 30], "type": "", "swap": "right_hoof"},
        2: {"name": "right_hoof", "id": 2, "color": [11, 21, 31], "type": "", "swap": "left_hoof"},
    },
    "skeleton_info": {0: {"link": ("left_hoof", "nose"), "id": 0, "color": [200, 100, 50]}},
    "joint_weights": [1.0] * 3,
    "sigmas": [0.05] * 3,
}


def test_coco_is_coloured_by_side():
    assert len(COCO) == 17
    counts = [COCO.limb_colours.count(SIDE_COLOURS[side]) for side in ("left", "right", "centre")]
    assert counts == [8, 8, 3]
    assert [name for name, _ in COCO.legend()] == ["left", "right", "middle"]


def test_metainfo_of_a_config_and_of_a_built_data_set_say_the_same():
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    stated = Skeleton.from_metainfo(HORSE)
    assert stated == Skeleton.from_metainfo(parse_pose_metainfo(HORSE))
    assert stated.names == ("nose", "left_hoof", "right_hoof")
    assert (stated.limbs, stated.limb_colours) == (((1, 0),), ((200, 100, 50),))
    assert stated.legend() == [("left", (10, 20, 30)), ("right", (11, 21, 31)), ("middle", (1, 2, 3))]


def test_metainfo_from_a_file_of_mmpose():
    with pytest.warns(UserWarning, match="A matched config file"):
        face = Skeleton.from_metainfo({"from_file": "configs/_base_/datasets/wflw.py"})
    assert len(face) == 98
    assert face.limbs == ()
    assert face.legend() == [], "one colour tells no sides"


def test_colours_of_sides_where_the_metainfo_has_none():
    found = Skeleton.from_metainfo(
        {"keypoint_id2name": {0: "head", 1: "L_Paw", 2: "r_paw"}, "skeleton_links": [(0, 1)]}
    )
    assert found.colours == tuple(SIDE_COLOURS[side] for side in ("centre", "left", "right"))
    assert found.limb_colours == (SIDE_COLOURS["left"],)


@pytest.mark.parametrize(
    ("metainfo", "words"),
    [
        ({}, "metainfo of the data set: found AssertionError"),
        ({"from_file": "nowhere.py"}, "nowhere.py"),
        ({"keypoint_id2name": {1: "nose"}}, "KeyError"),
        ({"keypoint_id2name": {0: "a", 1: "b"}, "skeleton_links": [(0, 2)]}, "limb (0, 2), expected keypoints 0 to 1"),
        ({"keypoint_id2name": {0: "a"}, "keypoint_colors": [[0, 0, 0]] * 2}, "found 2 colours of keypoints"),
    ],
)
def test_wrong_metainfo_is_one_line(metainfo, words):
    with pytest.raises(DataError) as error:
        Skeleton.from_metainfo(metainfo)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_pose_is_drawn_in_the_colours_of_its_skeleton():
    image = np.zeros((60, 80, 3), np.uint8)
    points = np.array([[10.0, 10.0], [60.0, 10.0], [30.0, 50.0]])
    shown = np.array([True, True, False])
    draw_pose(image, points, shown, skeleton=Skeleton.from_metainfo(HORSE))
    assert image[10, 10].tolist() == [1, 2, 3]
    assert image[10, 60].tolist() == [10, 20, 30]
    assert np.abs(image[10, 35].astype(int) - (200, 100, 50)).max() < 25, "smoothed at its edges"
    assert not image[30:].any()


def test_what_is_not_finite_is_not_drawn():
    drawn, plain = np.zeros((60, 80, 3), np.uint8), np.zeros((60, 80, 3), np.uint8)
    points = np.array([[10.0, 10.0], [np.nan, 10.0], [np.inf, 50.0]])
    skeleton = Skeleton.from_metainfo(HORSE)
    draw_pose(drawn, points, np.ones(3, bool), skeleton=skeleton)
    draw_pose(plain, points[:1].repeat(3, axis=0), np.array([True, False, False]), skeleton=skeleton)
    assert drawn.any()
    assert np.array_equal(drawn, plain)
