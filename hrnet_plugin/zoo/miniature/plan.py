"""What is to be written for one data set of a config, and where."""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.registry import DATASETS

from hrnet_plugin.config_tree import type_name

#: Raise it when the written files change: those of another generation are not used again.
_GENERATION = 1
#: What has no bearing on the files of a data set.
_IRRELEVANT = frozenset(
    {"pipeline", "data_mode", "test_mode", "bbox_file", "filter_cfg", "indices", "max_refetch"}
    | {"backend_args", "serialize_data", "lazy_init"}
)


@dataclass(frozen=True)
class Plan:
    """One data set to be written.

    Args:
        dataset: Its config, with paths below `root`.
        root: The folder that stands for its `data_root`.
        seed: What its pictures are drawn from.
    """

    dataset: Mapping[str, Any]
    root: Path
    seed: int

    @cached_property
    def built(self) -> Any:
        """The data set without its samples: class names, keypoints and file endings as it knows them itself."""
        config = {**copy.deepcopy(dict(self.dataset)), "data_root": str(self.root), "pipeline": [], "lazy_init": True}
        config.pop("bbox_file", None)
        return DATASETS.build(config)

    @property
    def metainfo(self) -> Mapping[str, Any]:
        """Class names, keypoints and the like."""
        return self.built.metainfo

    @property
    def annotations(self) -> Path:
        """The annotation file."""
        return self.root / self.dataset["ann_file"]

    def folder(self, key: str) -> Path:
        """The folder of a kind of file, by its name in `data_prefix`."""
        return self.root / (self.dataset.get("data_prefix") or {}).get(key, "")

    def generator(self, index: int) -> np.random.Generator:
        """The random numbers of picture `index`."""
        return np.random.default_rng((self.seed, index))


def describe(dataset: Mapping[str, Any]) -> str:
    """A name for the files that a data set reads: the same for all data sets that may share them."""
    relevant = {key: value for key, value in dataset.items() if key not in _IRRELEVANT}
    text = json.dumps([_GENERATION, relevant], sort_keys=True, default=str)
    return f"{type_name(dataset)}-{zlib.crc32(text.encode()):08x}"


def below(path: str) -> str:
    """A path as one below another folder.

    >>> below("/data/coco/")
    'data/coco'
    """
    return str(Path(path)).lstrip("/").replace("../", "")


def write_json(path: Path, content: object) -> None:
    """Write a JSON file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
