"""The images that int8 is calibrated with: whether they are there, and how they are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError, DataError

from .preflight import check_data

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor, nn


def check_calibration_data(cfg: Config, split: str, advice: str) -> None:
    """Check that one of the config's data sets can be calibrated with.

    Args:
        cfg: The config.
        split: `train`, `val` or `test`.
        advice: What to do where it cannot.

    Raises:
        ConfigError: the config has no such data set, or its files are not there.
    """
    what = "--precision int8 needs images to calibrate with"
    if not cfg.get(f"{split}_dataloader"):
        raise ConfigError(what, found=f"no `{split}_dataloader` in the config", do=advice)
    try:
        check_data(cfg, (f"{split}_dataloader",), ())
    except DataError as error:
        raise ConfigError(what, found=error.what, do=advice) from None  # the command line tells the innermost


def check_calibration_source(cfg: Config, source: str | None) -> None:
    """Check that what `--calibrate` names is there, before anything is built.

    Args:
        cfg: The config.
        source: A folder, or one of the config's data sets; None for that of its training.

    Raises:
        ConfigError: no such folder, or no such data.
    """
    from hrnet_plugin.deploy.images import SPLITS

    split = source or "train"
    if split in SPLITS:
        check_calibration_data(cfg, split, "Give --data-root DIR, or --calibrate with a folder of images")
    elif not Path(split).expanduser().is_dir():
        raise ConfigError("--calibrate", found=split, expected=f"a folder of images, or {', '.join(SPLITS)}")


def calibrating_images(cfg: Config, preprocessor: nn.Module, source: str | None, count: int) -> Iterator[Tensor]:
    """The images that `--calibrate` names, through the config's test pipeline.

    Args:
        cfg: The config.
        preprocessor: The model's `data_preprocessor`.
        source: As `check_calibration_source` takes it.
        count: How many at most; fewer of large ones.

    Yields:
        (1, C, H, W), normalised.
    """
    from hrnet_plugin.deploy.images import SPLITS, dataset_images, folder_images
    from hrnet_plugin.deploy.load import enough_of

    split = source or "train"
    taken = dataset_images if split in SPLITS else folder_images
    return enough_of(taken(cfg, preprocessor, split, count), count)
