"""What a generated data set is: its options, its folder, its summary."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError
from .parts import CLASS_NAMES, IGNORE, PALETTE
from .scene import SPLITS

# Raise it whenever the pictures or labels of the same seed change: a set of another version is not reused.
GENERATOR_VERSION = 1
SUMMARY = "dataset.json"
_KIND = "hrnet_plugin generated people"
_MIN_SIDE, _MAX_SIDE, _MAX_IMAGES = 64, 2048, 1_000_000


@dataclass(frozen=True)
class Options:
    """What determines every byte of a data set: images per split, size (width, height), seed."""

    train: int
    val: int
    test: int
    size: tuple[int, int]
    seed: int

    def __post_init__(self) -> None:
        for split in SPLITS:
            _check_number(f"number of {split} images", getattr(self, split), 0, _MAX_IMAGES)
        if self.train + self.val + self.test == 0:
            raise ConfigError("number of images", found="0", expected="at least 1 in train, val or test")
        if len(self.size) != 2:
            raise ConfigError("size", found=self.size, expected="width and height")
        for name, side in zip(("width", "height"), self.size, strict=True):
            _check_number(name, side, _MIN_SIDE, _MAX_SIDE)
        _check_number("seed", self.seed, 0, 2**63 - 1)

    def count(self, split: str) -> int:
        """Images of a split."""
        return int(getattr(self, split))


def _check_number(name: str, value: object, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(name, found=value, expected=f"a whole number from {low} to {high}")


@dataclass(frozen=True)
class DatasetInfo:
    """A data set on disk.

    Args:
        root: Its folder.
        options: What it was made with.
        statistics: By split and over `all`: images, persons, persons_per_image, labelled_keypoints, occluded_share
            (of the labelled), outside_share (of all).
        checksums: SHA-256 of each annotation file, by split.
        reused: True if it was there already.
    """

    root: Path
    options: Options
    statistics: dict[str, dict[str, float]] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)
    reused: bool = False

    def annotation_file(self, split: str) -> Path:
        """The COCO keypoint file of a split."""
        return annotation_file(self.root, split)


def annotation_file(root: Path, split: str) -> Path:
    """The COCO keypoint file of a split in the data set at `root`."""
    return root / "annotations" / f"person_keypoints_{split}.json"


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_summary(info: DatasetInfo) -> None:
    """Write `dataset.json` into the data set's folder."""
    content = {
        "kind": _KIND,
        "generator_version": GENERATOR_VERSION,
        "options": asdict(info.options),
        "statistics": info.statistics,
        "classes": list(CLASS_NAMES),
        "palette": [list(colour) for colour in PALETTE],
        "ignore_index": IGNORE,
        "annotation_sha256": info.checksums,
    }
    (info.root / SUMMARY).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _summary_of(root: Path) -> dict[str, Any]:
    path = root / SUMMARY
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            str(root), found=f"no readable {SUMMARY}", expected="a data set made by `hrnet data make`",
            do="Name another folder, or make one with `hrnet data make --out DIR`",
        ) from error  # fmt: skip
    if not isinstance(content, dict) or content.get("kind") != _KIND:
        raise DataError(str(path), found="a summary of something else", expected="one of `hrnet data make`")
    return content


def read_dataset(root: str | Path) -> DatasetInfo:
    """Read the summary of the data set in a folder.

    Raises:
        DataError: if the folder holds none, or one made by another version of the generator.
    """
    root = Path(root)
    content = _summary_of(root)
    version = content.get("generator_version")
    if version != GENERATOR_VERSION:
        raise DataError(
            str(root), found=f"generator version {version}", expected=GENERATOR_VERSION,
            do="Make it anew with `hrnet data make --force`, or name another folder",
        )  # fmt: skip
    try:
        options = dict(content["options"])
        options["size"] = tuple(options["size"])
        return DatasetInfo(root, Options(**options), content["statistics"], content["annotation_sha256"], reused=True)
    except (KeyError, TypeError) as error:
        raise DataError(
            str(root / SUMMARY), found=f"no valid entry {error}", expected="options, statistics and checksums",
            do="Make it anew with `hrnet data make --force`",
        ) from error  # fmt: skip


def is_generated(root: Path) -> bool:
    """True if the folder holds a generated data set, of whatever version and options."""
    try:
        _summary_of(root)
    except DataError:
        return False
    return True


def missing_part(info: DatasetInfo) -> str | None:
    """The first thing that a data set on disk lacks or that was changed, in words; None if it is whole."""
    for split in SPLITS:
        path = info.annotation_file(split)
        if not path.is_file():
            return f"{path.name} is missing"
        if checksum(path) != info.checksums.get(split):
            return f"{path.name} was changed"
        for folder in (info.root / split, info.root / "masks" / split):
            found = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
            if found != info.options.count(split):
                return f"{folder} holds {found} files instead of {info.options.count(split)}"
    return None
