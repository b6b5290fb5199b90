"""`hrnet browse` draws what the network of a config gets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.analysis.drawing import BOX


def test_poses(hrnet, data: Path, pose_config: Path):
    outcome = hrnet("browse", pose_config, "--data-root", data, "--count", 3)
    assert (outcome.status, outcome.err) == (0, "")
    told, path = outcome.out.splitlines()
    assert told.startswith("3 samples: 64x64, BGR, values -")
    assert told.endswith("; heatmaps 16x16")
    assert path == "browse.png"
    with Image.open("browse.png") as sheet:
        assert (sheet.width, sheet.height > 2 * 280) == (48 + 2 * 3 * 282 + 10, True)


def test_masks_and_a_page(hrnet, data: Path, seg_config: Path):
    outcome = hrnet("browse", seg_config, "--data-root", data, "--html", "new/page.html", "--count", 2)
    assert outcome.status == 0
    assert outcome.out.splitlines()[1:] == ["new/page.html"], "no sheet beside a page, unless asked for"
    assert not Path("browse.png").exists()
    page = Path("new/page.html").read_text()
    assert page.count("<img") == 2
    assert "train_" in page
    assert "person" in page
    outcome = hrnet("browse", seg_config, "--data-root", data, "--html", "page.html", "--out", "sheet.jpg")
    assert outcome.out.splitlines()[1:] == ["sheet.jpg", "page.html"]
    assert np.asarray(Image.open("sheet.jpg")).std() > 20


def test_the_seed_chooses(hrnet, data: Path, pose_config: Path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        assert (
            hrnet(
                "browse", pose_config, "--data-root", data, "--count", 1, "--seed", seed, "--out", f"{name}.png"
            ).status
            == 0
        )
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert Path("a.png").read_bytes() != Path("c.png").read_bytes()


def test_a_split_that_is_tested_has_no_heatmaps(hrnet, data: Path, pose_config: Path):
    outcome = hrnet("browse", pose_config, "--data-root", data, "--split", "val")
    assert outcome.status == 0
    assert outcome.out.startswith("2 samples: 64x64, ")
    assert "heatmaps" not in outcome.out


def test_a_list_of_test_images(hrnet, refused, data: Path, pose_config: Path):
    path = data / "annotations/person_keypoints_val2017.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: content[key] for key in ("images", "categories")}))
    tested = ("browse", pose_config, "--data-root", data, "--split", "test")
    assert refused(*tested).endswith(
        "found images without annotations (a list of test images), expected annotations, or a file of boxes of persons "
        "(`bbox_file` of the data set)"
    )
    boxes = data / "person_detection_results/val.json"
    boxes.parent.mkdir()
    boxes.write_text(json.dumps([{"image_id": 1, "category_id": 1, "bbox": [24, 16, 40, 64], "score": 0.9}]))
    outcome = hrnet(*tested)
    assert (outcome.status, outcome.out.startswith("1 sample: 64x64, ")) == (0, True)
    with Image.open("browse.png") as sheet:
        assert BOX in {colour for _, colour in sheet.convert("RGB").getcolors(1 << 20)}, "the detected box is drawn"


def test_any_number_of_keypoints(hrnet, data: Path, pose_config: Path):
    """The horses of the README."""
    for file in (data / "annotations").glob("*.json"):
        content = json.loads(file.read_text())
        for row in content["annotations"]:
            row["keypoints"] = row["keypoints"][:15]
        file.write_text(json.dumps(content))
    names = ["nose", "withers", "tail", "left_hoof", "right_hoof"]
    horses = Path("horses.py")
    horses.write_text(f"""
_base_ = ['{pose_config.name}']
names = {names}
points = {{i: dict(id=i, name=n, swap='', type='', color=[255, 128, 0]) for i, n in enumerate(names)}}
horses = dict(dataset_name='horses', keypoint_info=points, skeleton_info={{}}, joint_weights=[1.0] * 5,
              sigmas=[0.05] * 5)
train_dataloader = dict(dataset=dict(metainfo=horses))
""")
    outcome = hrnet("browse", horses, "--data-root", data, "--html", "page.html")
    assert (outcome.status, outcome.err) == (0, "")
    assert "5 of 5 count" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing",), "config 'nothing': found no such file"),
        (("POSE",), "data of CocoDataset: no folder data/coco/"),
        (("POSE", "--data-root", "DATA", "--split", "training"), "--split: found 'training', expected train or val or"),
        (("POSE", "--data-root", "DATA", "--count", "0"), "--count: found 0, expected 1 or more"),
        (("POSE", "--data-root", "DATA", "--cfg-options", "train_dataloader=None"), "no `train_dataloader`"),
        (("POSE", "--data-root", "DATA", "--out", "sheet.txt"), "expected a picture file that can be written"),
    ],
)
def test_wrong_input_is_one_line(refused, data: Path, pose_config: Path, arguments, words):
    names = {"POSE": pose_config, "DATA": data}
    assert words in refused("browse", *(names.get(argument, argument) for argument in arguments))


def test_broken_data_is_one_line(refused, data: Path, pose_config: Path, seg_config: Path):
    image = data / "train2017/train_1.jpg"
    whole = image.read_bytes()
    image.write_bytes(whole[:500])
    assert f"image {image}: found a truncated file" in refused("browse", pose_config, "--data-root", data)
    image.write_text("not an image")
    assert "train_1.jpg" in refused("browse", pose_config, "--data-root", data)
    image.write_bytes(whole)
    file = data / "annotations/person_keypoints_train2017.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "annotations": []}))
    assert "found no samples" in refused("browse", pose_config, "--data-root", data)
    file.write_text("{")
    assert "found broken JSON" in refused("browse", pose_config, "--data-root", data)
    (data / "masks/train2017/train_0.png").unlink()
    assert "train_0.png" in refused("browse", seg_config, "--data-root", data)


def test_no_window_is_opened(hrnet, data: Path, pose_config: Path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    for name in ("imshow", "namedWindow", "waitKey"):
        monkeypatch.setattr(f"cv2.{name}", lambda *arguments, **options: pytest.fail("a window"))
    assert hrnet("browse", pose_config, "--data-root", data).status == 0
