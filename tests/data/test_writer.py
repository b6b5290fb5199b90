from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from hrnet_plugin.data.dataset import DatasetInfo, checksum, read_dataset
from hrnet_plugin.data.parts import CLASS_NAMES
from hrnet_plugin.data.scene import render_scene
from hrnet_plugin.data.writer import make_dataset
from hrnet_plugin.errors import ConfigError, DataError

SPLITS = {"train": 20, "val": 12, "test": 5}
SMALL = {"train": 3, "val": 2, "test": 1, "size": (96, 64), "seed": 1, "workers": 1}


def contents(root: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert found
    return found


def siblings(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_layout(dataset: DatasetInfo):
    expected = {"dataset.json", *(f"annotations/person_keypoints_{split}.json" for split in SPLITS)}
    for split, count in SPLITS.items():
        expected |= {f"{split}/{index:06d}.jpg" for index in range(count)}
        expected |= {f"masks/{split}/{index:06d}.png" for index in range(count)}
    assert set(contents(dataset.root)) == expected


def test_bytes_do_not_depend_on_workers(dataset: DatasetInfo, tmp_path):
    again = make_dataset(tmp_path / "again", **SPLITS, seed=3, workers=1)
    assert contents(again.root) == contents(dataset.root)
    assert again.statistics == dataset.statistics


def test_an_image_does_not_depend_on_the_size_of_its_split(tmp_path):
    few = make_dataset(tmp_path / "few", **SMALL)
    more = make_dataset(tmp_path / "more", **(SMALL | {"train": 5}))
    for name in ("train/000002.jpg", "masks/train/000002.png", "annotations/person_keypoints_val.json"):
        assert (few.root / name).read_bytes() == (more.root / name).read_bytes()


def test_images_and_masks_are_those_of_the_scene(dataset: DatasetInfo):
    for split, index in (("train", 0), ("train", 19), ("val", 11), ("test", 4)):
        scene = render_scene(3, split, index)
        image = cv2.imread(str(dataset.root / split / f"{index:06d}.jpg"))[..., ::-1]
        mask = cv2.imread(str(dataset.root / "masks" / split / f"{index:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.abs(image.astype(int) - scene.image).mean() < 6
        assert np.array_equal(mask, scene.mask)


def test_annotations_are_those_of_the_scene(dataset: DatasetInfo):
    for split, count in SPLITS.items():
        content = json.loads(dataset.annotation_file(split).read_text())
        assert [row["file_name"] for row in content["images"]] == [f"{index:06d}.jpg" for index in range(count)]
        for index, row in enumerate(content["images"]):
            people = [person for person in content["annotations"] if person["image_id"] == row["id"]]
            truth = render_scene(3, split, index).persons
            assert len(people) == len(truth)
            for found, person in zip(people, truth, strict=True):
                assert np.allclose(np.reshape(found["keypoints"], (17, 3)), person.keypoints, atol=0.006)
                assert (found["area"], found["bbox"]) == (person.area, list(person.bbox))


def test_ids_are_unique_over_the_splits(dataset: DatasetInfo):
    files = [json.loads(dataset.annotation_file(split).read_text()) for split in SPLITS]
    for kind in ("images", "annotations"):
        ids = [row["id"] for content in files for row in content[kind]]
        assert len(ids) >= 37
        assert len(set(ids)) == len(ids)


def test_summary(dataset: DatasetInfo):
    content = json.loads((dataset.root / "dataset.json").read_text())
    assert content["options"] == {**SPLITS, "size": [256, 192], "seed": 3}
    assert content["classes"] == list(CLASS_NAMES)
    assert len(content["palette"]) == len(CLASS_NAMES)
    assert content["statistics"]["all"]["images"] == 37
    persons = sum(len(json.loads(dataset.annotation_file(split).read_text())["annotations"]) for split in SPLITS)
    assert content["statistics"]["all"]["persons"] == persons
    for split, digest in content["annotation_sha256"].items():
        assert digest == checksum(dataset.annotation_file(split))
    info = read_dataset(dataset.root)
    assert (info.options, info.statistics, info.reused) == (dataset.options, dataset.statistics, True)


def test_a_complete_set_is_reused(tmp_path):
    first = make_dataset(tmp_path / "set", **SMALL)
    stamps = {path: path.stat().st_mtime_ns for path in first.root.rglob("*")}
    second = make_dataset(tmp_path / "set", **SMALL)
    assert (first.reused, second.reused) == (False, True)
    assert stamps == {path: path.stat().st_mtime_ns for path in first.root.rglob("*")}


def test_another_set_is_replaced_only_by_force(tmp_path):
    make_dataset(tmp_path / "set", **SMALL)
    before = contents(tmp_path / "set")
    with pytest.raises(DataError, match=r"seed 1, expected .* seed 2\. .*--force"):
        make_dataset(tmp_path / "set", **(SMALL | {"seed": 2}))
    assert contents(tmp_path / "set") == before
    make_dataset(tmp_path / "set", **(SMALL | {"seed": 2}), force=True)
    assert contents(tmp_path / "set") != before
    assert siblings(tmp_path) == ["set"]


def test_a_damaged_set_is_named_and_made_anew_by_force(tmp_path):
    make_dataset(tmp_path / "set", **SMALL)
    whole = contents(tmp_path / "set")
    (tmp_path / "set/train/000001.jpg").unlink()
    with pytest.raises(DataError, match="holds 2 files instead of 3"):
        make_dataset(tmp_path / "set", **SMALL)
    make_dataset(tmp_path / "set", **SMALL, force=True)
    assert contents(tmp_path / "set") == whole
    path = tmp_path / "set/annotations/person_keypoints_val.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(DataError, match=r"person_keypoints_val\.json was changed"):
        make_dataset(tmp_path / "set", **SMALL)
    path.unlink()
    with pytest.raises(DataError, match=r"person_keypoints_val\.json is missing"):
        make_dataset(tmp_path / "set", **SMALL)


@pytest.mark.parametrize("force", [False, True])
def test_a_foreign_folder_is_never_touched(tmp_path, force):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("precious")
    (tmp_path / "mine/dataset.json").write_text("{}")
    with pytest.raises(DataError, match="did not write"):
        make_dataset(tmp_path / "mine", **SMALL, force=force)
    assert (tmp_path / "mine/thesis.txt").read_text() == "precious"
    assert siblings(tmp_path) == ["mine"]


def test_an_interrupted_run_leaves_nothing_and_is_cleared(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("hrnet_plugin.data.jobs.annotation", stop)
        with pytest.raises(KeyboardInterrupt):
            make_dataset(tmp_path / "set", **SMALL)
    assert siblings(tmp_path) == []
    killed = tmp_path / ".set.partial-999999999"
    killed.mkdir()
    (killed / "half").write_text("")
    running = tmp_path / f".set.partial-{os.getppid()}"
    running.mkdir()
    assert not make_dataset(tmp_path / "set", **SMALL).reused
    assert siblings(tmp_path) == [running.name, "set"]


def test_a_set_of_another_version_is_named(tmp_path):
    make_dataset(tmp_path / "set", **SMALL)
    path = tmp_path / "set/dataset.json"
    path.write_text(path.read_text().replace('"generator_version": 1', '"generator_version": 0'))
    with pytest.raises(DataError, match="generator version 0, expected 1"):
        make_dataset(tmp_path / "set", **SMALL)
    assert not make_dataset(tmp_path / "set", **SMALL, force=True).reused


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected a folder that can be written"):
        make_dataset(tmp_path / "file/set", **SMALL)
    with pytest.raises(DataError, match="did not write"):
        make_dataset(tmp_path / "file", **SMALL)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"train": -1}, "number of train images: found -1"),
        ({"train": 0, "val": 0, "test": 0}, "at least 1"),
        ({"size": (63, 64)}, "width: found 63"),
        ({"size": (96, 4000)}, "height: found 4000"),
        ({"seed": -1}, "seed: found -1"),
        ({"workers": 0}, "workers: found 0"),
    ],
)
def test_wrong_options_are_named(tmp_path, change, words):
    with pytest.raises(ConfigError, match=words):
        make_dataset(tmp_path / "set", **(SMALL | change))
    assert siblings(tmp_path) == []
