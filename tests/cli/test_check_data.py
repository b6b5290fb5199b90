"""`hrnet check-data` finds what is wrong in the data of a config, in a file, in a folder of masks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image


def change(path: Path, alter) -> None:
    content = json.loads(path.read_text())
    alter(content)
    path.write_text(json.dumps(content))


@pytest.fixture
def keypoints(data: Path) -> Path:
    """The annotations of the training split."""
    return data / "annotations/person_keypoints_train2017.json"


def test_sound_data_of_a_config(hrnet, data: Path, pose_config: Path):
    outcome = hrnet("check-data", pose_config, "--data-root", data)
    assert (outcome.status, outcome.err) == (0, "")
    assert "train: elsewhere/coco/annotations/person_keypoints_train2017.json" in outcome.out.replace(
        f"{data.parent}/", "elsewhere/"
    )
    assert "val, test: " in outcome.out
    assert "images 4, annotations 4, with keypoints 4, crowds 0" in " ".join(outcome.out.split())
    assert "right_ankle" in outcome.out, "frequencies"
    assert outcome.out.endswith("2 notes\n"), "the category names no keypoints"


def test_one_error_and_the_exit_status(hrnet, data: Path, pose_config: Path, keypoints: Path):
    change(keypoints, lambda content: content["annotations"][1]["keypoints"].__setitem__(0, 300))
    outcome = hrnet("check-data", pose_config, "--data-root", data)
    assert (outcome.status, outcome.err) == (1, "")
    told = " ".join(outcome.out.split())
    assert "error keypoint-outside 1 1 annotation with a labelled keypoint" in told
    assert "annotation 2 (train_1.jpg): nose at (300," in told
    assert "1 error, " in told
    assert hrnet("check-data", pose_config, "--data-root", data, "--split", "val").status == 0


def test_json_alone(hrnet, data: Path, pose_config: Path, keypoints: Path):
    change(keypoints, lambda content: content["annotations"][1].update(area=0))
    outcome = hrnet("check-data", pose_config, "--data-root", data, "--json", "--split", "train", "val")
    assert outcome.status == 1
    found = json.loads(outcome.out)
    train, val = found["reports"]
    assert [finding["check"] for finding in train["findings"]] == ["area-zero", "category-without-keypoints"]
    assert train["findings"][0]["examples"] == ["annotation 2 (train_1.jpg)"]
    assert train["counts"] == {"images": 4, "annotations": 4, "with keypoints": 4, "crowds": 0}
    assert len(train["frequencies"][0]["rows"]) == 17
    assert set(train["seconds"]) == {"reading", "annotations", "images"}
    assert val["title"].startswith("val: ")
    assert found["found"] == "1 error, 2 notes"


def test_splits_that_share_an_image(hrnet, data: Path, pose_config: Path):
    shutil.copy(data / "train2017/train_0.jpg", data / "val2017/train_0.jpg")
    change(
        data / "annotations/person_keypoints_val2017.json",
        lambda content: content["images"][0].update(file_name="train_0.jpg"),
    )
    outcome = hrnet("check-data", pose_config, "--data-root", data)
    assert outcome.status == 0
    assert "splits-overlap" in outcome.out
    assert "train and val, test" in outcome.out


def test_sheet_and_page(hrnet, data: Path, pose_config: Path, keypoints: Path):
    change(keypoints, lambda content: content["annotations"][1]["keypoints"].__setitem__(0, 300))
    outcome = hrnet(
        "check-data", pose_config, "--data-root", data, "--sheet", "new/sheet.jpg", "--html", "new/page.html"
    )
    assert outcome.status == 1
    assert outcome.out.splitlines()[-2:] == ["drawn: new/sheet.jpg", "written: new/page.html"]
    with Image.open("new/sheet.jpg") as sheet:
        assert sheet.width > 600
    page = Path("new/page.html").read_text()
    assert "keypoint-outside: annotation 2 (train_1.jpg)" in page
    assert "nose at (300," in page
    assert "<svg" not in page
    assert "right_ankle" in page
    (data / "new").mkdir()
    masks = ("check-data", "--masks", data / "masks/val2017", "--images", data / "val2017", "--classes", "2")
    assert hrnet(*masks, "--sheet", "none.png").out.endswith("nothing to draw, no sheet written\n")
    assert not Path("none.png").exists()


def test_no_image_is_opened(hrnet, data: Path, pose_config: Path):
    for path in (data / "train2017").iterdir():
        path.unlink()
    assert hrnet("check-data", pose_config, "--data-root", data, "--no-images").status == 0
    outcome = hrnet("check-data", pose_config, "--data-root", data)
    assert outcome.status == 1
    assert "image-missing" in outcome.out


def test_files_without_a_config(hrnet, data: Path, keypoints: Path):
    files = ("check-data", "--ann", keypoints, "--images", data / "train2017")
    assert hrnet(*files).status == 0
    assert hrnet("check-data", "--ann", keypoints, "--no-images").status == 0
    (data / "train2017/train_2.jpg").write_bytes(b"")
    outcome = hrnet(*files, "--decode")
    assert outcome.status == 1
    assert "image-truncated" in outcome.out


def test_masks_of_a_config(hrnet, data: Path, seg_config: Path):
    outcome = hrnet("check-data", seg_config, "--data-root", data)
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "no findings")
    assert "ground" in outcome.out
    mask = data / "masks/train2017/train_3.png"
    Image.open(mask).point(lambda value: value * 255).save(mask)
    outcome = hrnet("check-data", seg_config, "--data-root", data)
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "no findings"), "255 may be ignored here and there"
    for path in (data / "masks/train2017").iterdir():
        Image.open(path).point(lambda value: 255 * (value > 0)).save(path)
    outcome = hrnet("check-data", seg_config, "--data-root", data)
    assert outcome.status == 1
    assert "mask-foreground" in outcome.out


def test_masks_without_a_config(hrnet, data: Path):
    folders = ("check-data", "--masks", data / "masks/train2017", "--images", data / "train2017")
    assert hrnet(*folders, "--classes", "2").status == 0
    outcome = hrnet(*folders, "--classes", "ground")
    assert outcome.status == 1
    assert "mask-range" in outcome.out
    assert hrnet(*folders, "--classes", "ground, person", "--no-images", "--json").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "check-data: found nothing to check, expected a config, --ann or --masks"),
        (("POSE", "--ann", "a.json"), "check-data: found config and ann, expected"),
        (("--ann", "a.json"), "--ann: found no --images, expected the folder of the images"),
        (("--masks", "masks", "--images", "images"), "--masks: found no --classes"),
        (("--masks", "masks", "--images", "images", "--classes", "0"), "--classes: found 0, expected a number"),
        (("--masks", "masks", "--images", "images", "--classes", "2"), "images images: found no such folder"),
        (("--ann", "a.json", "--images", "images", "--split", "val"), "--split: found no config"),
        (("--ann", "a.json", "--no-images"), "annotation file a.json: found no such file"),
        (("POSE", "--split", "training"), "--split: found 'training', expected train or val or test"),
        (("POSE",), "data of CocoDataset: no folder data/coco/"),
        (("POSE", "--data-root", "nowhere"), "--data-root nowhere: found no such folder"),
        (("nothing.py",), "config 'nothing.py': found no such file"),
    ],
)
def test_wrong_input_is_one_line(refused, pose_config: Path, arguments, words):
    arguments = [pose_config if argument == "POSE" else argument for argument in arguments]
    assert words in refused("check-data", *arguments)


def test_wrong_files_of_a_config_are_one_line(
    refused, data: Path, pose_config: Path, seg_config: Path, keypoints: Path
):
    train = ("check-data", pose_config, "--data-root", data, "--split", "train")
    change(keypoints, lambda content: [row.pop("keypoints") for row in content["annotations"]])
    assert "boxes for detection" in refused(*train)
    keypoints.write_text("[]")
    assert "found a JSON list" in refused(*train)
    assert "no `test_dataloader`" in refused(
        "check-data", pose_config, "--data-root", data, "--split", "test", "--cfg-options", "test_dataloader=None"
    )
    for path in (data / "train2017").iterdir():
        path.unlink()
    assert "found no samples" in refused("check-data", seg_config, "--data-root", data, "--split", "train")


@pytest.mark.parametrize(
    ("content", "title", "words"),
    [
        ("{", "val, test: annotation file ", "broken JSON"),
        ("[]", "val, test: annotation file ", "a JSON list, expected COCO's keys"),
        (None, "val, test: annotations of CocoDataset", "no file "),
    ],
)
def test_what_cannot_be_read_hides_no_other_split(hrnet, data: Path, pose_config: Path, content, title, words):
    path = data / "annotations/person_keypoints_val2017.json"
    path.unlink() if content is None else path.write_text(content)
    outcome = hrnet("check-data", pose_config, "--data-root", data, "--json")
    assert (outcome.status, outcome.err) == (1, "")
    train, tested = json.loads(outcome.out)["reports"]
    assert (train["title"].partition(":")[0], train["counts"]["images"]) == ("train", 4)
    assert tested["title"].startswith(title)
    (finding,) = tested["findings"]
    assert (finding["level"], finding["check"]) == ("error", "not-checked")
    assert words in finding["found"] + ", expected " + finding["expected"]
    outcome = hrnet("check-data", pose_config, "--data-root", data, "--html", "page.html")
    assert outcome.status == 1
    assert "not-checked" in outcome.out
    assert title in Path("page.html").read_text()


def test_a_missing_area_is_an_error_where_the_metric_divides_by_it(hrnet, data: Path, pose_config: Path):
    for path in (data / "annotations").iterdir():
        change(path, lambda content: content["annotations"][0].pop("area"))
    outcome = hrnet("check-data", pose_config, "--data-root", data, "--json")
    levels = [
        [finding["level"] for finding in report["findings"] if finding["check"] == "area-missing"]
        for report in json.loads(outcome.out)["reports"]
    ]
    assert levels == [["note"], ["error"]]
    options = ("--cfg-options", "val_evaluator.use_area=False", "test_evaluator.use_area=False")
    assert hrnet("check-data", pose_config, "--data-root", data, *options).status == 0


def test_a_list_of_test_images(hrnet, refused, data: Path, pose_config: Path):
    path = data / "annotations/person_keypoints_val2017.json"
    change(path, lambda content: content.pop("annotations"))
    boxes = data / "person_detection_results/val.json"
    boxes.parent.mkdir()
    boxes.write_text("[]")
    tested = ("check-data", pose_config, "--data-root", data, "--split", "test")
    outcome = hrnet(*tested)
    assert (outcome.status, outcome.out.splitlines()[-1]) == (1, "1 error"), "the test would stop"
    assert "CocoMetric of the config compares with them" in " ".join(outcome.out.split())
    tested = (*tested, "--cfg-options", "test_evaluator.format_only=True")
    outcome = hrnet(*tested)
    assert (outcome.status, outcome.out.splitlines()[-1]) == (0, "1 note")
    assert "no-annotations" in outcome.out
    boxes.unlink()
    outcome = hrnet(*tested)
    assert (outcome.status, outcome.out.splitlines()[-1]) == (1, "1 error")
    assert "bbox_file" in outcome.out
    (data / "val2017/val_1.jpg").unlink()
    assert "image-missing" in hrnet("check-data", "--ann", path, "--images", data / "val2017").out


def test_folders_that_are_not_the_classes(refused, data: Path):
    config = Path("animals.py")
    dataset = {"type": "CustomDataset", "data_prefix": str(data), "classes": ["cat", "dog"], "pipeline": []}
    config.write_text(f"default_scope = 'mmpretrain'\nmodel = dict()\ntrain_dataloader = dict(dataset={dataset})\n")
    assert "The number of subfolders (4) doesn't match the number of specified classes (2)" in refused(
        "check-data", config
    )


def test_a_sheet_that_cannot_be_written(refused, data: Path, keypoints: Path):
    change(keypoints, lambda content: content["annotations"][1]["keypoints"].__setitem__(0, 300))
    Path("file").write_text("")
    files = ("check-data", "--ann", keypoints, "--images", data / "train2017")
    assert "expected a picture file that can be written" in refused(*files, "--sheet", "file/sheet.png")
    assert "expected a picture file that can be written" in refused(*files, "--sheet", "sheet.txt")
    assert "page file/page.html" in refused(*files, "--html", "file/page.html")
