"""The first batch of a config's loader."""

from __future__ import annotations

import contextlib
import copy
import io
from collections.abc import Iterator

from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, set_random_seed
from torch.utils.data import DataLoader

from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams
from hrnet_plugin.engine.data_check import albumentations_missing
from hrnet_plugin.errors import ConfigError

_SEED = 0


def first_batch(cfg: Config, loader: str) -> dict:
    """The first collated batch of a loader, the same at each call.

    Args:
        cfg: A config whose data are there.
        loader: `train_dataloader`, `val_dataloader` or `test_dataloader`.

    Raises:
        ConfigError: the config has no such loader.
        MissingDependency: its pipeline needs albumentations, which is not installed.
    """
    if not cfg.get(loader):
        raise ConfigError("config", found=f"no `{loader}`", expected="a data loader")
    quietly = contextlib.redirect_stdout(io.StringIO())  # COCO's reader prints what it does
    with DefaultScope.overwrite_default_scope(cfg.default_scope), seeded(_SEED), quietly:
        built = _build(cfg[loader])
        seed_albumentations(built.dataset, _SEED)
        return next(iter(built))


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers from a seed inside, and those of before again afterwards."""
    before = capture_random_streams()
    set_random_seed(seed)
    try:
        yield
    finally:
        restore_random_streams(before)


def _build(loader: dict) -> DataLoader:
    try:
        return Runner.build_dataloader(copy.deepcopy(loader), seed=_SEED)
    except RuntimeError as error:
        if "albumentations is not installed" not in str(error):
            raise
        raise albumentations_missing() from error


def seed_albumentations(dataset: object, seed: int) -> None:
    """Seeds the augmentations of a data set that albumentations makes: no global seed reaches its generators."""
    for transform in getattr(getattr(dataset, "pipeline", None), "transforms", ()):
        set_seed = getattr(getattr(transform, "aug", None), "set_random_seed", None)
        if set_seed is not None:
            set_seed(seed)
