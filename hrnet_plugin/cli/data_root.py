"""Pointing a config at data elsewhere, and at ground-truth person boxes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.config_tree import leaf_datasets, rebuilt
from hrnet_plugin.errors import ConfigError, DataError

if TYPE_CHECKING:
    from mmengine.config import Config

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
_WITH_PATHS = (*LOADERS, "val_evaluator", "test_evaluator", "tta_pipeline")


def point_at(cfg: Config, folder: str) -> None:
    """Let every data set and every evaluator of the config read below `folder`.

    The config's own data root is replaced wherever a path begins with it: in data sets, however deeply they are
    wrapped, in annotation files of evaluators, in person-detection files. A config with several roots keeps what
    stands below their common folder (`data/coco` and `data/aic` become `<folder>/coco` and `<folder>/aic`).

    Raises:
        DataError: there is no such folder.
        ConfigError: the config names no data root, or several without a common folder.
    """
    if not Path(folder).expanduser().is_dir():
        raise DataError(f"--data-root {folder}", found="no such folder", expected="a folder with the data")
    new, old = str(Path(folder).expanduser()), _own_root(cfg)  # neither ends with a slash

    def moved(value: Any) -> Any:
        if isinstance(value, str):
            path = value.removeprefix("./")
            if path == old or path.startswith(f"{old}/"):
                return new + path[len(old) :]
        return value

    for key in _WITH_PATHS:
        if cfg.get(key) is not None:
            cfg[key] = rebuilt(cfg[key], moved)
    if isinstance(cfg.get("data_root"), str):
        cfg.data_root = moved(cfg.data_root)


def use_ground_truth_boxes(cfg: Config, loader: str, *, always: bool) -> list[str]:
    """Evaluate on annotated person boxes where the file of detected ones is absent, or always.

    Args:
        loader: The loader that will evaluate; all loaders are changed, what happens to this one is told.

    Returns:
        What the user should be told.
    """
    told = []
    for key in LOADERS:
        for dataset in leaf_datasets(cfg.get(key)):
            boxes = dataset.get("bbox_file")
            if not boxes or not (always or _is_absent(boxes)):
                continue
            dataset["bbox_file"] = None
            if key == loader:
                why = "--gt-boxes" if always else f"no person detections at {boxes}"
                told.append(
                    f"{why}: evaluating with the annotated (ground-truth) person boxes, with which AP comes out "
                    "higher than with detected ones"
                )
    return list(dict.fromkeys(told))


def _own_root(cfg: Config) -> str:
    roots = {
        _plain(dataset["data_root"])
        for key in LOADERS
        for dataset in leaf_datasets(cfg.get(key))
        if isinstance(dataset.get("data_root"), str)
    }
    roots = sorted((roots or {_plain(cfg.get("data_root") or "")}) - {""})
    if not roots:
        raise ConfigError(
            "--data-root",
            found="no data_root in the config",
            do="Set ann_file and data_prefix of its data sets with --cfg-options",
        )
    try:
        common = os.path.commonpath(roots)
    except ValueError:  # absolute and relative ones mixed
        common = ""
    if common in ("", "/"):
        raise ConfigError(
            "--data-root",
            found=f"several roots without a common folder in the config: {', '.join(roots)}",
            do="Set data_root of each data set with --cfg-options",
        )
    return common


def _plain(path: str) -> str:
    return path.removeprefix("./").rstrip("/")


def _is_absent(path: str) -> bool:
    return "://" not in path and not Path(path).is_file()
