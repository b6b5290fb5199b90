"""Samples of a generated data set on one page: picture, skeletons and boxes, masks."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from hrnet_plugin.data.dataset import annotation_file, read_dataset
from hrnet_plugin.data.parts import CLASS_NAMES, PALETTE
from hrnet_plugin.data.scene import SPLITS
from hrnet_plugin.errors import ConfigError, DataError

from .contact_sheet import compose_page
from .drawing import blend_classes, draw_box, draw_pose, enlarge, enlarge_classes
from .skeleton import COCO


def draw_dataset_sheet(
    root: str | Path, path: str | Path, split: str = "train", count: int = 12, tile_width: int = 320
) -> Path:
    """Draw the first samples of a split.

    Args:
        root: Folder of a generated data set.
        path: A .png or .jpg file.
        split: `train`, `val` or `test`.
        count: Number of samples.
        tile_width: Width of one picture on the page, in pixels.

    Raises:
        ConfigError: for an unknown split or a count below 1.
        DataError: if the folder holds no data set, or the split is empty.
    """
    root = Path(root)
    if split not in SPLITS:
        raise ConfigError("--split", found=repr(split), expected=" or ".join(SPLITS))
    if count < 1:
        raise ConfigError("--count", found=count, expected="1 or more")
    info = read_dataset(root)
    if not info.options.count(split):
        raise DataError(f"split {split} of {root}", found="no images", expected="at least one")
    content = json.loads(annotation_file(root, split).read_text(encoding="utf-8"))
    people: dict[int, list[dict]] = {}
    for person in content["annotations"]:
        people.setdefault(person["image_id"], []).append(person)
    rows, captions = [], []
    for image in content["images"][:count]:
        rows.append(_tiles(root, split, image["file_name"], people.get(image["id"], []), tile_width))
        captions.append((f"{split}/{image['file_name']}", ""))
    entries = [*COCO.legend(), *list(zip(CLASS_NAMES, PALETTE, strict=True))[1:]]
    title = f"Generated people, seed {info.options.seed}"
    return compose_page(rows, captions, ("picture", "keypoints", "classes"), path, 2, title, entries)


def _tiles(root: Path, split: str, name: str, people: list[dict], width: int) -> list[np.ndarray]:
    picture = _read(root / split / name, cv2.IMREAD_COLOR)[..., ::-1]
    mask = _read((root / "masks" / split / name).with_suffix(".png"), cv2.IMREAD_UNCHANGED)
    plain, scale = enlarge(picture, width), width / picture.shape[1]
    posed = plain.copy()
    for person in people:
        keypoints = np.array(person["keypoints"], np.float64).reshape(17, 3)
        draw_box(posed, person["bbox"], scale)
        draw_pose(posed, keypoints, keypoints[:, 2] > 0, keypoints[:, 2] == 1, scale)
    return [plain, posed, blend_classes(plain, enlarge_classes(mask, width), PALETTE, 0.72)]


def _read(path: Path, how: int) -> np.ndarray:
    image = cv2.imread(str(path), how)
    if image is None:
        raise DataError(
            str(path), found="no readable image", expected="a file of the data set",
            do="Make the data set anew with `hrnet data make`",
        )  # fmt: skip
    return image
