"""A config turned to miniature data: its loaders, its evaluators and its sizes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DefaultScope

from hrnet_plugin.config_tree import dicts_in, leaf_datasets
from hrnet_plugin.data.atomic_folder import publish, unfinished
from hrnet_plugin.errors import ConfigError

from .boxes import write_boxes
from .class_maps import write_class_maps
from .keypoint_files import write_keypoints
from .labelled_pictures import write_labelled_pictures
from .plan import Plan, below, describe
from .sizes import shrink_pipelines, with_small_sizes

_WRITERS: Mapping[str, Callable[[Plan], None]] = {
    "mmpose": write_keypoints,
    "mmseg": write_class_maps,
    "mmdet": write_boxes,
    "mmpretrain": write_labelled_pictures,
}
_SPLITS = ("train", "val", "test")
#: What several processes and a large memory are for.
_FOR_SPEED = ("prefetch_factor", "pin_memory")


def with_miniature_data(cfg: Config, folder: Path) -> Config:
    """A copy of a config that trains and tests on a few generated pictures, with sizes to match.

    Every data set of its loaders finds its own annotations, pictures and maps below `folder`; configs whose data sets
    read the same files share them. Sizes are small in the pipelines and in the model. Person detections give way to
    annotated boxes. Loaders take at most two samples at a time, in order,
    in this process.

    Args:
        cfg: Any config of the four frameworks; not changed.
        folder: Where the data are written, or were written by an earlier call.

    Raises:
        ConfigError: the config names no framework, or an evaluator reads a file that its loader does not.
        OSError: the folder cannot be written.
    """
    scope = cfg.get("default_scope")
    if scope not in _WRITERS:
        raise ConfigError("default_scope of the config", found=repr(scope), expected=" or ".join(_WRITERS))
    small = copy.deepcopy(cfg)
    with DefaultScope.overwrite_default_scope(scope):
        for split in _SPLITS:
            if small.get(f"{split}_dataloader"):
                loader = copy.deepcopy(small[f"{split}_dataloader"])
                moved = _small_loader(loader, scope, Path(folder).resolve())
                small[f"{split}_dataloader"] = loader
                if small.get(f"{split}_evaluator"):
                    small[f"{split}_evaluator"] = _moved_evaluator(small[f"{split}_evaluator"], moved, split)
    if small.get("model"):
        small.model = with_small_sizes(small.model)
    return small


def _small_loader(loader: dict, scope: str, folder: Path) -> dict[str, str]:
    """Change a loader's config; returns its annotation files, by the name that they had."""
    moved: dict[str, str] = {}
    for dataset in leaf_datasets(loader):
        before = _path(dataset.get("data_root"), dataset.get("ann_file"))
        _place(dataset, scope, folder)
        if before:
            moved[before] = _path(dataset["data_root"], dataset["ann_file"])
    shrink_pipelines(loader, scope)
    for key in _FOR_SPEED:
        loader.pop(key, None)
    # Some heads predict for one picture at a time, and their configs say so.
    loader.update(batch_size=min(2, loader.get("batch_size", 2)), num_workers=0, persistent_workers=False)
    loader["sampler"]["shuffle"] = False
    return moved


def _place(dataset: dict, scope: str, folder: Path) -> None:
    """Write a data set's files, unless they are there, and make its config read them."""
    root = folder / describe(dataset)
    seed = int(root.name.rpartition("-")[2], 16)
    for key in ("ann_file", "headbox_file"):
        if dataset.get(key):
            dataset[key] = below(dataset[key])
    prefixes = dataset.get("data_prefix")
    if isinstance(prefixes, dict):
        prefixes.update({key: below(prefix) for key, prefix in prefixes.items()})
    if not root.is_dir():
        with unfinished(root) as fresh:
            _WRITERS[scope](Plan(dataset, fresh, seed))
            publish(fresh, root)
    dataset.update(data_root=str(root), serialize_data=False)  # packing the samples costs more than all the rest
    dataset.pop("bbox_file", None)
    if dataset.get("headbox_file"):  # the one path that mmpose does not look for below `data_root`
        dataset["headbox_file"] = str(root / dataset["headbox_file"])


def _moved_evaluator(evaluator: Any, moved: Mapping[str, str], split: str) -> Any:
    """A copy of an evaluator's config that reads the annotation file of its loader."""
    evaluator = copy.deepcopy(evaluator)
    for node in dicts_in(evaluator):
        if node.get("ann_file"):
            before = _path(None, node["ann_file"])
            if before not in moved:
                raise ConfigError(
                    f"{split}_evaluator.ann_file", found=before, expected=f"{split}_dataloader's: {', '.join(moved)}"
                )
            node["ann_file"] = moved[before]
    return evaluator


def _path(root: str | None, path: str | None) -> str:
    return str(Path(root or "", path)) if path else ""
