"""Before anything is built: the images that int8 is calibrated with are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError, DataError

from .preflight import check_data

if TYPE_CHECKING:
    from mmengine.config import Config


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
