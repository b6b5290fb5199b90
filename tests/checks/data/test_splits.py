from __future__ import annotations

import shutil

from hrnet_plugin.checks.data.report import DataReport
from hrnet_plugin.checks.data.splits import check_splits


def reports(folder, train: list[str], val: list[str]) -> list[tuple[tuple[str, ...], DataReport]]:
    return [
        (("train",), DataReport("one", files=[folder / name for name in train])),
        (("val", "test"), DataReport("other", files=[folder / name for name in val])),
    ]


def test_the_same_file_in_two_splits(people):
    (report,) = check_splits(reports(people.images, ["000101.jpg", "000102.jpg"], ["000102.jpg", "000103.jpg"]))
    (finding,) = report.findings
    assert (finding.level, finding.check, finding.examples) == ("note", "splits-overlap", ("000102.jpg",))
    assert report.title == "train and val, test"


def test_a_copy_in_another_folder_is_the_same_image(people):
    for folder in ("train", "val"):
        (people.images / folder).mkdir()
    shutil.copy(people.images / "000101.jpg", people.images / "train/a.jpg")
    shutil.copy(people.images / "000101.jpg", people.images / "val/a.jpg")
    found = reports(people.images, ["train/a.jpg"], ["val/a.jpg"])
    assert len(check_splits(found)) == 1
    assert check_splits(found, images=False) == [], "nothing is opened"
    shutil.copy(people.images / "000102.jpg", people.images / "val/a.jpg")
    assert check_splits(found) == [], "numbered names are often the same"


def test_sources_of_one_split_may_share_images(people):
    both = reports(people.images, ["000101.jpg"], ["000101.jpg"])
    assert check_splits([(("train",), report) for _, report in both]) == []


def test_a_missing_file_is_told_elsewhere(people):
    assert check_splits(reports(people.images, ["no/1.jpg"], ["nor/1.jpg"])) == []
