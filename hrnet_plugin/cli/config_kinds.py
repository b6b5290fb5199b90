"""Values of a config that are of another kind than every run takes: one line, before anything reads them.

`--cfg-options` puts any word and number anywhere, and what reads it much later tells nothing of the key.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hrnet_plugin.config_tree import leaf_datasets
from hrnet_plugin.errors import ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config

#: A kind in words, by what it is. None is told apart: most keys may hold it.
_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "a dict": lambda value: isinstance(value, dict),
    "a dict or a list": lambda value: isinstance(value, (dict, list, tuple)),
    "a list": lambda value: isinstance(value, (list, tuple)),
    "a text": lambda value: isinstance(value, (str, os.PathLike)),
    "a whole number above 0": lambda value: isinstance(value, int) and not isinstance(value, bool) and value > 0,
}
_NOTHING = " or None"
#: What stands under a key, wherever it is there; `*` stands for each key of a dict.
_KEYS: Mapping[str, str] = {
    "model": "a dict",
    "model.backbone": "a dict",
    "model.data_preprocessor": "a dict or None",
    "preprocess_cfg": "a dict or None",
    "train_cfg": "a dict or None",
    "val_cfg": "a dict or None",
    "test_cfg": "a dict or None",
    "optim_wrapper": "a dict or None",
    "optim_wrapper.accumulative_counts": "a whole number above 0",
    "model_wrapper_cfg": "a dict or None",
    "auto_scale_lr": "a dict or None",
    "param_scheduler": "a dict or a list or None",
    "env_cfg": "a dict or None",
    "env_cfg.dist_cfg": "a dict or None",
    "default_hooks": "a dict or None",
    "default_hooks.*": "a dict or None",
    "custom_hooks": "a list or None",
    "randomness": "a dict or None",
    "visualizer": "a dict or None",
    "default_scope": "a text or None",
    "load_from": "a text or None",
    "work_dir": "a text or None",
    **{f"{split}_dataloader": "a dict or a list or None" for split in ("train", "val", "test")},
    **{f"{split}_dataloader.dataset": "a dict" for split in ("train", "val", "test")},
    **{f"{split}_evaluator": "a dict or a list or None" for split in ("val", "test")},
}
#: The same in each data set that reads files.
_OF_DATA_SETS: Mapping[str, str] = {
    "data_root": "a text or None",
    "ann_file": "a text or None",
    "bbox_file": "a text or None",
    "pipeline": "a list",
}


def check_kinds(cfg: Config) -> None:
    """Check that what stands under the keys that every run reads is of the right kind.

    Raises:
        ConfigError: it is not; names the key.
    """
    for key, kind in _KEYS.items():
        for name, value in _found(cfg, key):
            _check(name, value, kind)
    for split in ("train", "val", "test"):
        loader = f"{split}_dataloader"
        for dataset in leaf_datasets(cfg.get(loader)):
            for key in _OF_DATA_SETS.keys() & dataset.keys():
                _check(f"{key} of a data set of {loader}", dataset[key], _OF_DATA_SETS[key])


def _found(cfg: Config, key: str) -> Iterator[tuple[str, Any]]:
    """Name and value of all that a key of the table stands for, where it is there."""
    found: list[tuple[str, Any]] = [("", cfg)]
    for part in key.split("."):
        found = [
            (f"{name}.{inner}".lstrip("."), node[inner])
            for name, node in found
            if hasattr(node, "keys")
            for inner in (list(node.keys()) if part == "*" else [part])
            if inner in node
        ]
    yield from found


def _check(name: str, value: Any, kind: str) -> None:
    if value is None and kind.endswith(_NOTHING):
        return
    if not _KINDS[kind.removesuffix(_NOTHING)](value):
        raise ConfigError(f"config: {name}", found=repr(value), expected=kind)
