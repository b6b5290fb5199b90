"""Samples of a config's data set, taken behind its pipeline and its preprocessing."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS
from tqdm import tqdm

from hrnet_plugin.engine.data_check import empty_data_set
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.zoo.forward import model_config
from hrnet_plugin.zoo.miniature.batch import seed_albumentations, seeded
from hrnet_plugin.zoo.quiet import in_scope

from .reading import read_sample
from .sample import Sample

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

__all__ = ["Sample", "browse_samples", "browsed_dataset"]


def browse_samples(
    cfg: Config, split: str, count: int, *, seed: int = 0, progress: bool = False
) -> tuple[list[Sample], dict[str, Any]]:
    """Samples as the network gets them.

    Args:
        cfg: A config whose data are there.
        split: `train`, `val` or `test`; its loader's own data set and pipeline are used, augmentation included.
        count: How many at most, drawn at random.
        seed: Of the choice and of the augmentation.
        progress: Show a progress bar, where stderr is a terminal.

    Returns:
        The samples, and the metainfo of the data set.

    Raises:
        ConfigError: the config has no such loader, or its pipeline packs nothing.
        DataError: the data set is empty.
    """
    if count < 1:
        raise ConfigError("--count", found=count, expected="1 or more")
    with in_scope(cfg), seeded(seed):
        dataset, preprocessor = browsed_dataset(cfg, split), _preprocessor(cfg)
        seed_albumentations(dataset, seed)
        chosen = np.random.default_rng(seed).permutation(len(dataset))[:count]
        bar = tqdm(sorted(chosen.tolist()), desc="samples", unit="sample", disable=None if progress else True)
        samples = [_sample(dataset[index], preprocessor, training=split == "train") for index in bar]
        return samples, dict(dataset.metainfo)


def browsed_dataset(cfg: Config, split: str) -> Any:
    """The data set of a loader, whose samples hold what their pipeline knew before it packed them.

    Raises:
        ConfigError: the config has no such loader, or its pipeline packs nothing.
        DataError: it is empty.
    """
    loader = cfg.get(f"{split}_dataloader")
    if not loader:
        raise ConfigError("config", found=f"no `{split}_dataloader`", expected="a data loader")
    dataset = DATASETS.build(copy.deepcopy(loader["dataset"]))
    if not len(dataset):
        raise empty_data_set(dataset)
    if not sum(_keep_in(pipeline) for pipeline in _pipelines(dataset)):
        raise ConfigError(
            f"pipeline of {split}_dataloader", found="no packing of inputs", expected="one such as PackPoseInputs"
        )
    return dataset


class _Kept:
    """Packs, and hands on what was packed."""

    def __init__(self, pack: Any):
        self.pack = pack

    def __call__(self, results: dict) -> dict[str, dict]:
        before = dict(results)
        return {"results": before, "packed": self.pack(results)}


def _keep_in(pipeline: Any) -> bool:
    for place, transform in enumerate(pipeline.transforms):
        if type(transform).__name__.startswith("Pack"):
            pipeline.transforms[place] = _Kept(transform)
            return True
    return False


def _pipelines(dataset: Any) -> Iterator[Any]:
    """Those of a data set and of those that it joins."""
    if hasattr(getattr(dataset, "pipeline", None), "transforms"):
        yield dataset.pipeline
    for inner in [getattr(dataset, "dataset", None), *(getattr(dataset, "datasets", None) or ())]:
        if inner is not None:
            yield from _pipelines(inner)


def _preprocessor(cfg: Config) -> nn.Module:
    config = model_config(cfg).get("data_preprocessor") or {"type": "BaseDataPreprocessor"}
    # mmpretrain's models name theirs themselves.
    return MODELS.build({"type": "ClsDataPreprocessor", **config})


def _sample(kept: dict[str, dict], preprocessor: nn.Module, *, training: bool) -> Sample:
    data = preprocessor(pseudo_collate([kept["packed"]]), training)
    samples = data.get("data_samples")
    return read_sample(kept["results"], data["inputs"][0], samples[0] if samples else None, preprocessor)
