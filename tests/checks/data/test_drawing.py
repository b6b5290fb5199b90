from __future__ import annotations

import numpy as np
from PIL import Image

from hrnet_plugin.checks.data import check_coco, check_masks
from hrnet_plugin.checks.data.drawing import draw_worst, write_sheet


def test_errors_come_before_notes_and_one_of_each_before_a_second(people):
    people.annotations[0]["keypoints"][0] = 200
    people.annotations[2]["keypoints"][0] = 200
    people.annotations[4]["bbox"] = [100, 10, 20, 20]
    people.annotations[6].update(iscrowd=1, keypoints=[0] * 51, num_keypoints=0)
    report = check_coco(people.write(), people.images)
    drawn = draw_worst([report])
    assert [one.check for one in drawn][:4] == [
        "error: box-outside",
        "error: keypoint-outside",
        "error: keypoint-outside",
        "note: crowd",
    ]
    assert drawn[1].name == "annotation 10010 (000101.jpg)"
    assert all(tile.shape == drawn[0].tiles[0].shape for one in drawn for tile in one.tiles)
    assert len(draw_worst([report], count=2)) == 2


def test_the_annotation_is_drawn_into_the_picture(people):
    people.annotations[0]["keypoints"][0] = 200
    file = people.write()
    black = np.zeros((people.height, people.width, 3), np.uint8)
    people.save("000101.jpg", black, quality=95)
    whole, near = draw_worst([check_coco(file, people.images)])[0].tiles
    for tile in (whole, near):
        colours = np.unique(tile.reshape(-1, 3), axis=0).tolist()
        assert [196, 198, 194] in colours, "grey outside of the picture"
        assert len(colours) > 20, "skeleton and box"


def test_what_cannot_be_read_is_told_on_its_tile(people):
    (people.images / "000101.jpg").write_text("nothing")
    (drawn,) = draw_worst([check_coco(people.write(), people.images)])
    assert drawn.check == "error: image-unreadable"
    (people.images / "000101.jpg").unlink()
    assert draw_worst([check_coco(people.write(), people.images)]) == [], "nothing to see"


def test_masks_are_drawn_in_colours(scenes, tmp_path):
    sample = scenes(4)
    labels = sample.labels["001"].copy()
    labels[20:40, 20:40] = 9
    sample.write("001", labels)
    report = check_masks(sample.root / "images", sample.root / "masks", 4)
    (drawn,) = draw_worst([report])
    assert drawn.name == "001.png"
    colours, counts = np.unique(drawn.tiles[1].reshape(-1, 3), axis=0, return_counts=True)
    assert len(colours) == 4 + 2, "four classes, what is none, the paper"
    assert counts.sum() == drawn.tiles[1].shape[0] * drawn.tiles[1].shape[1]
    with Image.open(write_sheet([drawn], [report], tmp_path / "sheet.png")) as sheet:
        assert sheet.width > 2 * drawn.tiles[0].shape[1]
