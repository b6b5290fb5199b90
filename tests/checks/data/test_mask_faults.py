"""Masks that are broken in one way: that is found, told by the file, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.checks.data import check_masks
from hrnet_plugin.findings import ERROR, NOTE

PLANTED: list[Planted] = []


@dataclass(frozen=True)
class Planted:
    """A fault, and how it must be told."""

    check: str
    level: str
    example: str
    count: int
    classes: int
    plant: Callable[[Any], None]


def planted(check: str, example: str, level: str = ERROR, count: int = 1, classes: int = 4):
    """Puts the function that plants a fault into the list."""

    def listed(plant: Callable[[Any], None]) -> Callable[[Any], None]:
        PLANTED.append(Planted(check, level, example, count, classes, plant))
        return plant

    return listed


@planted("mask-missing", "001.png")
def a_missing_mask(sample):
    (sample.root / "masks/001.png").unlink()


@planted("mask-truncated", "001.png: a truncated file")
def a_truncated_mask(sample):
    path = sample.root / "masks/001.png"
    path.write_bytes(path.read_bytes()[:-20])


@planted("mask-unreadable", "001.png: UnidentifiedImageError")
def a_text_as_a_mask(sample):
    (sample.root / "masks/001.png").write_text("not found")


@planted("image-truncated", "002.jpg: a truncated file")
def a_truncated_image(sample):
    path = sample.root / "images/002.jpg"
    path.write_bytes(path.read_bytes()[:600])


@planted("image-unreadable", "002.jpg: UnidentifiedImageError")
def a_text_as_an_image(sample):
    (sample.root / "images/002.jpg").write_text("not found")


@planted("mask-size", "001.png: 48x64, the image 96x64")
def a_mask_of_another_size(sample):
    sample.write("001", sample.labels["001"][:, ::2])


@planted("mask-mode", "001.png: RGB, ")
def a_mask_of_colours(sample):
    colours = np.random.default_rng(0).integers(0, 255, (256, 3), np.uint8)
    sample.write("001", colours[sample.labels["001"]])


@planted("mask-mode", "001.png: RGB, 5 colours")
def indices_written_thrice(sample):
    sample.write("001", np.stack([sample.labels["001"]] * 3, axis=2))


@planted("mask-mode", "001.png: RGBA, ")
def a_mask_with_transparency(sample):
    labels = sample.labels["001"]
    sample.write("001", np.stack([labels] * 3 + [np.full_like(labels, 255)], axis=2))


@planted("mask-range", "001.png: 4 (")
def a_value_beyond_the_classes(sample):
    labels = sample.labels["001"].copy()
    labels[20:30, 20:30] = 4
    sample.write("001", labels)


@planted("mask-range", "000.png: 7 (100 pixels), 128 (50 pixels)")
def two_values_beyond_the_classes(sample):
    labels = sample.labels["000"].copy()
    labels[20:30, 20:30], labels[20:25, 40:50] = 7, 128
    sample.write("000", labels)


@planted("mask-range", "002.png: 300 (")
def a_value_of_sixteen_bits(sample):
    labels = sample.labels["002"].astype(np.uint16)
    labels[10:20, 10:20] = 300
    sample.write("002", labels)


@planted("mask-lossy", "003.png")
def a_mask_written_as_jpeg(sample):
    Image.fromarray(sample.labels["003"]).save(sample.root / "masks/003.png", "JPEG")


@planted("mask-foreground", "000.png", count=4, classes=2)
def a_foreground_of_255(sample):
    for name, labels in sample.labels.items():
        sample.write(name, np.where(labels > 0, 255, 0).astype(np.uint8))


@planted("mask-ignored", "002.png", NOTE)
def a_mask_of_nothing_that_counts(sample):
    sample.write("002", np.full_like(sample.labels["002"], 255))


@planted("mask-without-image", "spare.png", NOTE)
def a_mask_without_an_image(sample):
    sample.write("spare", sample.labels["002"])


@planted("class-never-occurs", "class 4", NOTE, classes=5)
def a_class_that_never_occurs(sample):
    for name, labels in sample.labels.items():
        sample.write(name, np.where(labels == 4, 0, labels))


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.plant.__name__)
def test_one_fault_is_found_and_named(scenes, fault: Planted):
    sample = scenes(fault.classes)
    fault.plant(sample)
    report = check_masks(sample.root / "images", sample.root / "masks", fault.classes)
    found = [finding for finding in report.findings if finding.check == fault.check]
    assert [finding.level for finding in found] == [fault.level], report.findings
    assert found[0].count == fault.count
    assert fault.example in found[0].examples[0]
    assert [finding.check for finding in report.errors] == [fault.check] * (fault.level == ERROR)


def test_masks_without_a_fault_have_none(scenes):
    sample = scenes(4)
    report = check_masks(sample.root / "images", sample.root / "masks", ["sky", "sea", "sand", "stone"])
    assert report.findings == []
    assert report.counts == {"images": 4, "masks": 4}
    (table,) = report.frequencies
    pixels = np.concatenate([labels.ravel() for labels in sample.labels.values()])
    counts = np.bincount(pixels[pixels != 255])
    assert table.head == ["class", "pixels", "of pixels", "in masks"]
    assert [(row.name, row.count) for row in table.rows] == list(
        zip(["sky", "sea", "sand", "stone"], counts.tolist(), strict=True)
    )
    assert sum(row.shares["of pixels"] for row in table.rows) == pytest.approx(1)


def test_palettes_are_indices_unless_they_are_read_as_colours(scenes):
    from hrnet_plugin.checks.data.labels import Labels
    from hrnet_plugin.checks.data.mask_files import pair_folders
    from hrnet_plugin.checks.data.masks import check_pairs

    sample = scenes(4)
    mask = Image.fromarray(sample.labels["001"])
    mask.putpalette(np.random.default_rng(0).integers(0, 255, 768, np.uint8).tolist())
    mask.save(sample.root / "masks/001.png")
    assert Image.open(sample.root / "masks/001.png").mode == "P"
    pairs = pair_folders(sample.root / "images", sample.root / "masks")
    names = tuple("abcd")
    assert check_pairs(pairs, Labels(names), "").findings == []
    (error,) = check_pairs(pairs, Labels(names, palettes=False), "").errors
    assert (error.check, error.examples) == ("mask-palette", ("001.png",))


def test_zero_for_no_class(scenes):
    sample = scenes(4)
    folders = sample.root / "images", sample.root / "masks"
    report = check_masks(*folders, 3, zero_is_none=True)
    assert report.findings == []
    (error,) = check_masks(*folders, 3).errors
    assert (error.check, error.count) == ("mask-range", 4)
    assert error.expected == "0 to 2, 255 for what is not learnt"
    assert error.do.startswith("If 0 stands for no class, set reduce_zero_label=True")


def test_another_value_may_be_what_is_not_learnt(scenes):
    sample = scenes(4)
    folders = sample.root / "images", sample.root / "masks"
    for name, labels in sample.labels.items():
        sample.write(name, np.where(labels == 255, 9, labels))
    assert check_masks(*folders, 4, ignored=9).findings == []
    assert [error.check for error in check_masks(*folders, 4).errors] == ["mask-range"]


def test_names_with_endings_of_their_own(scenes):
    sample = scenes(4)
    (sample.root / "images/deep").mkdir()
    (sample.root / "masks/deep").mkdir()
    for path in sorted((sample.root / "images").glob("*.jpg")):
        path.rename(sample.root / "images/deep" / f"{path.stem}_photo.jpg")
        (sample.root / f"masks/{path.stem}.png").rename(sample.root / f"masks/deep/{path.stem}_labels.png")
    report = check_masks(
        sample.root / "images", sample.root / "masks", 4, image_suffix="_photo.jpg", mask_suffix="_labels.png"
    )
    assert report.findings == []
    (error,) = check_masks(sample.root / "images", sample.root / "masks", 4).errors
    assert (error.check, error.count) == ("mask-missing", 4)
