"""Pictures with a class each: their labels, their classes and what the model's head tells apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from hrnet_plugin.checks.data.report import DataReport
from hrnet_plugin.checks.data.sources import data_sources

NAMES = ("cat", "dog", "fox")


@pytest.fixture
def animals(tmp_path: Path) -> Path:
    """Two pictures in a folder each of three classes."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(tmp_path / name / f"{name}{number}.png")
    return tmp_path


def check(root: Path, outputs: int | None = 3, **dataset: object) -> DataReport:
    dataset = {"type": "CustomDataset", "data_prefix": str(root), "pipeline": [], **dataset}
    head = {"type": "LinearClsHead", **({"num_classes": outputs} if outputs else {})}
    loader = {"dataset": dataset}
    cfg = Config({"default_scope": "mmpretrain", "model": {"head": head}, "train_dataloader": loader})
    (source,) = data_sources(cfg, ("train",))
    return source.check(images=True, decode=True, progress=False)


def listed(root: Path, *labels: int) -> dict[str, str]:
    """The pictures with these labels, in a file."""
    pictures = [f"{name}/{name}{number}.png" for name in NAMES for number in range(2)]
    path = root / "list.txt"
    path.write_text("".join(f"{picture} {label}\n" for picture, label in zip(pictures, labels, strict=False)))
    return {"ann_file": str(path)}


def test_sound(animals):
    for dataset in ({}, {"classes": NAMES}, {**listed(animals, 0, 0, 1, 1, 2, 2), "metainfo": {"classes": NAMES}}):
        report = check(animals, **dataset)
        assert report.findings == []
        assert [(row.name, row.count) for row in report.frequencies[0].rows] == [(name, 2) for name in NAMES]


@pytest.mark.parametrize("named", ["folders", "list", "tuple", "file", "metainfo"])
def test_classes_that_the_head_does_not_tell_apart(animals, tmp_path, named):
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    labels = listed(animals, 0, 0, 1, 1, 2, 2)
    dataset = {
        "folders": {},
        "list": {"classes": list(NAMES)},
        "tuple": {"classes": NAMES, **labels},
        "file": {"classes": str(tmp_path / "names.txt"), **labels},
        "metainfo": {"metainfo": {"classes": NAMES}, **labels},
    }[named]
    count, labels = check(animals, 2, **dataset).errors
    assert count.check == "class-count"
    assert count.line().endswith(
        "found 3 classes in the data, expected 2, as many as the model's head tells apart (num_classes)"
    )
    assert (labels.check, labels.count, labels.examples) == ("label-range", 2, ("fox0.png: 2", "fox1.png: 2"))
    assert labels.expected == "0 to 1 (num_classes of the model's head is 2)"
    (count,) = check(animals, 5, **dataset).errors
    assert (count.check, count.expected[0]) == ("class-count", "5")
    assert check(animals, None, **dataset).errors == [], "nothing is known of the head"


def test_labels_without_names(animals):
    dataset = listed(animals, 0, 0, 1, 1, 5, -1)
    (error,) = check(animals, 4, **dataset).errors
    assert (error.check, error.examples) == ("label-range", ("fox0.png: 5", "fox1.png: -1"))
    (error,) = check(animals, None, **dataset).errors
    assert error.examples == ("fox1.png: -1",), "any number may be a class"
    report = check(animals, 6, **listed(animals, 0, 0, 1, 1, 5, 5))
    assert report.errors == []
    (note,) = report.findings
    assert (note.check, note.examples) == ("class-never-occurs", ("2", "3", "4"))


def test_several_classes_an_image(animals):
    rows = [{"img_path": "cat/cat0.png", "gt_label": [0, 1]}, {"img_path": "dog/dog0.png", "gt_label": [1, 7, 8]}]
    path = animals / "many.json"
    path.write_text(json.dumps({"metainfo": {"classes": list(NAMES)}, "data_list": rows}))
    report = check(animals, type="MultiLabelDataset", ann_file=str(path))
    (error,) = report.errors
    assert (error.count, error.examples) == (1, ("dog0.png: 7", "dog0.png: 8"))
    assert [row.count for row in report.frequencies[0].rows] == [1, 2, 0]
