"""Images as a config's network takes them: from its own data, from a folder, or drawn."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DATASETS
from torch import Tensor, nn
from torch.nn import functional as F

from ..config_tree import leaf_datasets, type_name
from ..data import render_scene
from ..engine.image_files import IMAGE_SUFFIXES, check_image_file
from ..errors import ConfigError, DataError
from ..zoo.quiet import in_scope
from .describing import dataset_meta, describe, usual_size
from .exporting.shape import MULTIPLE, InputShape
from .preparing import cut_out, read_image, to_tensor
from .tensor_model import PixelScaling

if TYPE_CHECKING:
    from mmengine.config import Config

SPLITS = ("train", "val", "test")
#: Reads what a network is not given.
_LABELS = ("LoadAnnotations",)


def dataset_images(cfg: Config, preprocessor: nn.Module, split: str, count: int) -> Iterator[Tensor]:
    """Images of one of the config's data sets through its test pipeline, evenly spread over the data set.

    Pose takes the annotated boxes. Labels are not read, so that any split goes.

    Args:
        cfg: The config; the files are there.
        preprocessor: The model's `data_preprocessor`.
        split: One of `SPLITS`.
        count: How many at most.

    Yields:
        (1, C, H, W), normalised.

    Raises:
        ConfigError: the config has no such data set.
        DataError: it is empty.
    """
    config = next(iter(leaf_datasets(cfg.get(f"{split}_dataloader"))), None)
    if config is None:
        raise ConfigError("config", found=f"no `{split}_dataloader`", expected="data to take images from")
    config = {**copy.deepcopy(dict(config)), "pipeline": _pipeline(cfg), "test_mode": True}
    config.pop("bbox_file", None)
    with in_scope(cfg):
        dataset = DATASETS.build(config)
        if not len(dataset):
            raise DataError(f"data set of {split}_dataloader", found="no samples", expected="images")
        for index in _spread(len(dataset), count):
            yield _prepared(preprocessor, dataset[index])


def folder_images(cfg: Config, preprocessor: nn.Module, folder: str | Path, count: int) -> Iterator[Tensor]:
    """The image files below a folder through the config's test pipeline; for pose, each shows one body.

    Yields:
        (1, C, H, W), normalised.

    Raises:
        DataError: no such folder, no images in it, or one that cannot be read.
    """
    found = sorted(path for path in Path(folder).expanduser().rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(
            f"images in {folder}",
            found="none" if Path(folder).expanduser().is_dir() else "no such folder",
            expected=f"files ending with {', '.join(IMAGE_SUFFIXES)}",
        )
    return _through_pipeline(cfg, preprocessor, [found[index] for index in _spread(len(found), count)])


def file_image(cfg: Config, preprocessor: nn.Module, path: str | Path, box: Sequence[float] | None = None) -> Tensor:
    """One image file through the config's test pipeline.

    Args:
        cfg: The config.
        preprocessor: The model's `data_preprocessor`.
        path: The file.
        box: Pose: x1, y1, x2, y2 of a body in pixels; by default the whole image shows one.

    Returns:
        (1, C, H, W), normalised.

    Raises:
        DataError: the image cannot be read, or the box lies outside of it.
    """
    path = Path(path).expanduser()
    if cfg.get("test_dataloader") or cfg.get("val_dataloader"):
        return next(_through_pipeline(cfg, preprocessor, [path], box))
    return _as_described(cfg, path, box)


def drawn_images(cfg: Config, preprocessor: nn.Module, count: int) -> Iterator[Tensor]:
    """Pictures of people, drawn as `hrnet data make` draws them, through the config's test pipeline.

    Yields:
        (1, C, H, W), normalised.
    """
    with tempfile.TemporaryDirectory(prefix="hrnet-") as folder:
        for index in range(count):
            path = Path(folder, f"{index:06d}.png")
            cv2.imwrite(str(path), cv2.cvtColor(render_scene(0, "test", index).image, cv2.COLOR_RGB2BGR))
            yield from _through_pipeline(cfg, preprocessor, [path])


def fitted(images: Iterable[Tensor], shape: InputShape) -> Iterator[Tensor]:
    """Images in a size that an export takes: (N, C, H, W) as they are where they fit, else enlarged or shrunk."""
    for image in images:
        height, width = image.shape[2:]
        size = (_multiple(height), _multiple(width)) if shape.dynamic_size else shape.size[::-1]
        if size != (height, width):
            image = F.interpolate(image, size=size, mode="bilinear", align_corners=False, antialias=True)
        yield image


def as_pixels(images: Tensor, scaling: PixelScaling) -> Tensor:
    """Normalised images (N, C, H, W) as the pixels of 0 to 255 that they came from."""
    mean = torch.tensor(scaling.mean, device=images.device).view(1, -1, 1, 1)
    pixels = images * torch.tensor(scaling.std, device=images.device).view(1, -1, 1, 1) + mean
    return pixels.flip(1) if scaling.swap_channels else pixels


def _through_pipeline(
    cfg: Config, preprocessor: nn.Module, paths: Sequence[Path], box: Sequence[float] | None = None
) -> Iterator[Tensor]:
    with in_scope(cfg):
        known = dict(dataset_meta(cfg)) if cfg.get("default_scope") == "mmpose" else {}
        pipeline = Compose(_pipeline(cfg))
        for path in paths:
            yield _prepared(preprocessor, pipeline({**copy.deepcopy(known), **_sample(path, box)}))


def _as_described(cfg: Config, path: Path, box: Sequence[float] | None) -> Tensor:
    """An image for a config without a pipeline for single images, prepared as a predictor does."""
    sample = _sample(path, box)
    description = describe(cfg, size=usual_size(cfg))
    image = read_image(path)
    if description.task == "pose":
        image = cut_out(image, sample["bbox"][0], description).pixels
    else:
        image = cv2.resize(image, description.input_size)
    return to_tensor([image], description)


def _sample(path: Path, box: Sequence[float] | None) -> dict[str, Any]:
    check_image_file(path, do="Restore it, or leave it out")
    image = cv2.imread(str(path))
    if image is None:
        raise DataError(f"image {path}", found="nothing that can be read", expected="a whole image file")
    whole = (0, 0, image.shape[1], image.shape[0])
    if box is not None and not (box[0] < whole[2] and box[1] < whole[3] and box[2] > 0 and box[3] > 0):
        found = f"{','.join(f'{side:g}' for side in box)}, outside of {path}"
        raise DataError("box", found=found, expected=f"a box within {whole[2]}x{whole[3]} pixels")
    boxes = np.array([whole if box is None else box], np.float32)
    return {"img_path": str(path), "img_id": 0, "bbox": boxes, "bbox_score": np.ones(1, np.float32)}


def _pipeline(cfg: Config) -> list[dict]:
    """The test pipeline, less what reads labels."""
    loader = cfg.get("test_dataloader") or cfg.get("val_dataloader")
    if not loader:
        raise ConfigError("config", found="no `test_dataloader`", expected="a pipeline for single images")
    # Where data sets are joined, theirs only turn annotations into common ones.
    owners = [loader["dataset"], *leaf_datasets(loader)]
    found = next((owner["pipeline"] for owner in owners if owner.get("pipeline")), [])
    return [copy.deepcopy(entry) for entry in found if type_name(entry) not in _LABELS]


def _prepared(preprocessor: nn.Module, sample: dict) -> Tensor:
    with torch.no_grad():
        return preprocessor(pseudo_collate([sample]), False)["inputs"]


def _spread(total: int, count: int) -> list[int]:
    return sorted({index * total // count for index in range(count)}) if total > count else list(range(total))


def _multiple(length: int) -> int:
    return max(2 * MULTIPLE, round(length / MULTIPLE) * MULTIPLE)
