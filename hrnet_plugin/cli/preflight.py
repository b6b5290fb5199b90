"""Checks before anything is built: what a run needs to read and to write."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.compat.safetensors_files import check_safetensors, is_safetensors
from hrnet_plugin.config_tree import dicts_in, leaf_datasets, type_name
from hrnet_plugin.disk import is_full
from hrnet_plugin.errors import CheckpointError, ConfigError, DataError

from .data_sources import where_to_get

if TYPE_CHECKING:
    from mmengine.config import Config

#: How the files of `deploy.exporting.formats`, which needs torch, end.
EXPORTED = (".onnx", ".xml", ".pt2", ".ncnn.param")
#: What a log takes at least.
_SOME_BYTES = 64 * 1024


def check_loader(cfg: Config, loader: str) -> None:
    """Check that the config has a data loader for what is asked of it.

    Raises:
        ConfigError: it has none.
    """
    if not cfg.get(loader):
        raise ConfigError("config", found=f"no `{loader}`", expected="data for this command", do="Add it to the config")


def check_data(cfg: Config, loaders: tuple[str, ...], evaluators: tuple[str, ...]) -> None:
    """Check that the folders and annotation files of the run's data sets and evaluators are there.

    Raises:
        DataError: for the first one that is not, with where to get it.
    """
    scope = cfg.get("default_scope") or ""
    for loader in loaders:
        for dataset in leaf_datasets(cfg.get(loader)):
            _check_dataset(dataset, scope)
    for key in evaluators:
        for evaluator in dicts_in(cfg.get(key)):
            if _is_local(evaluator.get("ann_file")):
                _check_annotations(Path(evaluator["ann_file"]), evaluator, key, scope)


def annotation_files(cfg: Config) -> Iterator[Path]:
    """The annotation files of all data sets and evaluators that are local JSON files."""
    for key in ("train_dataloader", "val_dataloader", "test_dataloader"):
        for dataset in leaf_datasets(cfg.get(key)):
            for name in ("ann_file", "bbox_file"):
                if _is_local(dataset.get(name)):
                    yield _below(dataset.get("data_root") if name == "ann_file" else None, dataset[name])
    for key in ("val_evaluator", "test_evaluator"):
        for evaluator in dicts_in(cfg.get(key)):
            if _is_local(evaluator.get("ann_file")):
                yield Path(evaluator["ann_file"])


def check_checkpoint_file(path: str | Path, what: str = "checkpoint") -> None:
    """Check that a checkpoint is there and is whole, as far as that shows without loading it.

    Raises:
        CheckpointError: no such file, a folder, empty, or a torch archive or safetensors file without its end.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise CheckpointError(f"{what} {path}", found=found, expected="a checkpoint file (.pth, .safetensors)")
    if path.name.endswith(EXPORTED):
        raise CheckpointError(
            f"{what} {path}",
            found="an exported file",
            expected="trained weights (.pth, .safetensors)",
            do="Exported files are read by `hrnet test` and hrnet_plugin.load",
        )
    with open(path, "rb") as file:
        is_archive = file.read(2) == b"PK"
    if path.stat().st_size == 0:
        raise CheckpointError(f"{what} {path}", found="an empty file", expected="a checkpoint written by torch")
    if is_safetensors(path):
        check_safetensors(path)
    if is_archive and not zipfile.is_zipfile(path):
        raise CheckpointError(
            f"{what} {path}",
            found=f"a truncated file ({path.stat().st_size} bytes without the archive's end)",
            expected="a whole checkpoint",
            do="Copy it again, or take an earlier one",
        )


def check_pretrained_files(cfg: Config) -> None:
    """Check the local weights files from which parts of the model start.

    Raises:
        CheckpointError: one is not there or is broken.
    """
    for node in dicts_in(cfg.model):
        if type_name(node) in ("Pretrained", "PretrainedInit") and isinstance(node.get("checkpoint"), str):
            check_checkpoint_file(node["checkpoint"], "pretrained weights")
        if isinstance(node.get("pretrained"), str):
            check_checkpoint_file(node["pretrained"], "pretrained weights")


def check_writable(folder: str | Path, what: str) -> None:
    """Make a folder and check that files can be written there.

    Args:
        what: How the user knows it: 'work dir', '--out'.

    Raises:
        ConfigError: it cannot be made or written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_SOME_BYTES))  # a full disk still makes empty files
    except OSError as error:
        raise ConfigError(
            f"{what} {folder}",
            found=error.strerror or str(error),
            expected="a folder that can be written",
            do="Make room, or name another one" if is_full(error) else "Name another one",
        ) from error


def _check_dataset(dataset: dict, scope: str) -> None:
    root, owner = dataset.get("data_root"), type_name(dataset)
    if _is_local(root) and not Path(root).is_dir():
        raise DataError(f"data of {owner}: no folder {root}", do=where_to_get(dataset, root, scope))
    if _is_local(dataset.get("ann_file")):
        _check_annotations(_below(root, dataset["ann_file"]), dataset, owner, scope)
    for name, prefix in _image_folders(dataset).items():
        folder = _below(root, prefix) if isinstance(prefix, str) and "://" not in prefix else None
        if folder is not None and not folder.is_dir():
            raise DataError(
                f"images of {owner}: no folder {folder} ({name})", do=where_to_get(dataset, str(folder), scope)
            )


def _image_folders(dataset: dict) -> dict:
    """The folders of a data set below its root, by the names under which its config has them."""
    prefixes = dataset.get("data_prefix") or {}
    if not prefixes and type_name(dataset) == "ImageNet" and dataset.get("split"):
        return {"split": dataset["split"]}
    if isinstance(prefixes, dict):
        return {f"data_prefix.{name}": prefix for name, prefix in prefixes.items()}
    return {"data_prefix": prefixes}  # mmpretrain: one text


def _check_annotations(path: Path, node: dict, owner: str, scope: str) -> None:
    if not path.exists():
        raise DataError(f"annotations of {owner}: no file {path}", do=where_to_get(node, str(path), scope))


def _is_local(path: object) -> bool:
    return isinstance(path, str) and bool(path) and "://" not in path


def _below(root: str | None, path: str) -> Path:
    return Path(root or "", path)
