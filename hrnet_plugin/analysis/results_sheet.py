"""What a test predicted on the generated data set, drawn beside the truth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ..data.dataset import annotation_file
from ..data.parts import CLASS_NAMES, PALETTE
from ..errors import DataError
from .contact_sheet import PoseSample, SegmentationSample, draw_pose_sheet, draw_segmentation_sheet
from .oks import best_oks


def draw_pose_results(root: Path, split: str, results: Path, path: Path, count: int) -> Path:
    """Draws the first `count` pictures of a split with the poses that a test predicted on them.

    Args:
        root: The generated data set.
        split: Its split that was tested.
        results: COCO results (`[{"image_id", "keypoints", ...}]`), as `CocoMetric(outfile_prefix=...)` writes them.
        path: The picture to write.
        count: Pictures on the sheet.

    Raises:
        DataError: if a file is missing, or the results belong to another split.
    """
    truth = _read_json(annotation_file(root, split))
    predicted = _by_image(_read_json(results))
    people = _by_image(truth["annotations"])
    chosen = truth["images"][:count]
    if not any(image["id"] in predicted for image in chosen):
        raise DataError(
            str(results), found=f"no prediction for the first {count} pictures", expected=f"those of {split}"
        )
    samples = []
    for image in tqdm(chosen, desc="drawing", unit="picture", disable=None):
        true = people.get(image["id"], [])
        guessed = [_pose(entry) for entry in predicted.get(image["id"], [])]
        poses = np.array([_pose(entry) for entry in true]).reshape(-1, 17, 3)
        samples.append(
            PoseSample(
                image=_read_image(root / split / image["file_name"]),
                truth=poses,
                predicted=np.array([pose[:, :2] for pose in guessed]).reshape(-1, 17, 2),
                scores=np.array([pose[:, 2] for pose in guessed]).reshape(-1, 17),
                oks=best_oks(np.array(guessed), poses, np.array([entry["area"] for entry in true])),
                boxes=np.array([entry["bbox"] for entry in true]).reshape(-1, 4),
                name=f"{split}/{image['file_name']}",
            )
        )
    return draw_pose_sheet(samples, path)


def draw_mask_results(root: Path, split: str, masks: Path, path: Path, count: int) -> Path:
    """Draws the first `count` pictures of a split with the label maps that a test predicted on them.

    Args:
        root: The generated data set.
        split: Its split that was tested.
        masks: Folder of index pictures, as `IoUMetric(output_dir=...)` writes them.
        path: The picture to write.
        count: Pictures on the sheet.

    Raises:
        DataError: if a file is missing.
    """
    samples = []
    for image in tqdm(sorted((root / split).glob("*.jpg"))[:count], desc="drawing", unit="picture", disable=None):
        name = image.with_suffix(".png").name
        samples.append(
            SegmentationSample(
                image=_read_image(image),
                truth=_read_image(root / "masks" / split / name, cv2.IMREAD_UNCHANGED),
                prediction=_read_image(masks / name, cv2.IMREAD_UNCHANGED),
                name=f"{split}/{image.name}",
            )
        )
    return draw_segmentation_sheet(samples, path, CLASS_NAMES, PALETTE)


def _by_image(entries: list[dict]) -> dict[int, list[dict]]:
    grouped: dict[int, list[dict]] = {}
    for entry in entries:
        grouped.setdefault(entry["image_id"], []).append(entry)
    return grouped


def _pose(entry: dict) -> np.ndarray:
    return np.array(entry["keypoints"], np.float64).reshape(17, 3)


def _read_json(path: Path) -> dict | list:
    if not path.is_file():
        raise DataError(str(path), found="no such file", expected="a file of the data set or of a test")
    return json.loads(path.read_text(encoding="utf-8"))


def _read_image(path: Path, how: int = cv2.IMREAD_COLOR) -> np.ndarray:
    image = cv2.imread(str(path), how)
    if image is None:
        raise DataError(str(path), found="no readable image", expected="a picture of the data set or of a test")
    return image[..., ::-1].copy() if image.ndim == 3 else image
