"""The metafile row of a published checkpoint: what the config tells, and what only the user knows."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.archs import LITE_ZOO, ZOO, HRNetSpec, LiteHRNetSpec
from hrnet_plugin.archs.plain_spec import spec_to_plain
from hrnet_plugin.config_tree import leaf_datasets, type_name
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.locations import project_dir
from hrnet_plugin.published.index import ZooModel, read_index
from hrnet_plugin.published.metafile import check_metafile, load_metafile

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

_PACKAGES = ("torch", "mmengine", "mmcv", "mmcv-lite", "mmpose", "mmsegmentation", "mmdet", "mmpretrain")
_TASKS = {"mmseg": "Semantic Segmentation", "mmdet": "Object Detection", "mmpretrain": "Image Classification"}
#: mmpose keeps its data sets in a folder a task, which its metafiles call so.
_POSE_TASKS = ("Animal", "Body", "Face", "Fashion", "Hand", "Wholebody")
#: What the index calls the networks; one without a backbone of ours is taken for an HRNet.
_FAMILIES = {HRNetSpec: "HRNet", LiteHRNetSpec: "Lite-HRNet", type(None): "HRNet"}
_MASKS = "Instance Segmentation"


def read_metrics(pairs: Sequence[str], file: str | None) -> dict[str, float]:
    """Results by name: those of a file of `hrnet test --out`, then those of `--metric`, which win.

    Args:
        pairs: `NAME=VALUE` each.
        file: A JSON file with numbers by name.

    Raises:
        ConfigError: a pair is no pair, a value is no number, or the file is not of that form.
    """
    metrics = _metrics_of_file(file) if file else {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            metrics[name] = float(value)
        except ValueError:
            name = ""
        if not name or not math.isfinite(metrics[name]):
            raise ConfigError(f"--metric {pair}", found="no NAME=VALUE", expected="a number by name, as AP=0.749")
    return metrics


def _metrics_of_file(file: str) -> dict[str, float]:
    what, expected = f"--metrics-file {file}", "JSON with numbers by name, as `hrnet test --out` writes it"
    try:
        content = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(what, found=(error.strerror or str(error)).lower(), expected=expected) from error
    except ValueError as error:
        raise ConfigError(what, found=f"no JSON ({error})", expected=expected) from error
    if not isinstance(content, dict) or not all(map(_is_number, content.values())):
        raise ConfigError(what, found="JSON of another form", expected=expected)
    return content


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def metafile_with(row: Mapping | None, path: Path) -> dict:
    """The content of a metafile with a row more, or as it is; an empty one where there is no such file.

    A row that stands there already, word for word, is not added again.

    Raises:
        ConfigError: the metafile is broken, or has another row of that name.
    """
    content = load_metafile(path) if path.exists() else {"Models": []}
    if row is None or row in content["Models"]:
        return content
    if row["Name"] in {other.get("Name") for other in content["Models"]}:
        do = "Give this one another name with --name, or take the other out"
        raise ConfigError(f"{path}: {row['Name']}", found="another row of this name", expected="none", do=do)
    content["Models"].append(dict(row))
    check_metafile(content, path)
    return content


def compose_row(
    args: argparse.Namespace,
    name: str,
    config: Path,
    metafile: Path,
    metrics: Mapping[str, float],
    cfg: Config,
    network: nn.Module,
) -> dict:
    """The row, less the file and its hash.

    Args:
        args: Those of `hrnet publish`; what it names stands before what the config tells.
        name: Of the model.
        config: Its file.
        metafile: The file that the row is for.
        metrics: Results by name.
        cfg: The config's content.
        network: The network built from it.

    Raises:
        ConfigError: the task or the data set is neither given nor told by the config.
    """
    from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network

    index = read_index()
    row = next((model for model in index if _same_file(model.config, config)), None)
    dataset = args.dataset or (row.dataset if row else _dataset(cfg, index))
    tasks = [args.task] if args.task else list(row.tasks if row else [_task(cfg)])
    spec = spec_of_network(network)
    backbone = {"Backbone": short_description(spec)} if spec is not None else {}
    return {
        "Name": name,
        "In Collection": args.collection or (row.family if row else _FAMILIES[type(spec)]),
        "Config": _named(config, metafile),
        "Metadata": {"Training Data": _trained_on(args, row) or dataset, **_figures(cfg, network), **backbone},
        "Results": _results(tasks, dataset, metrics),
    }


def _trained_on(args: argparse.Namespace, row: ZooModel | None) -> object:
    return None if row is None or args.dataset else row.metadata.get("Training Data")


def _figures(cfg: Config, network: nn.Module) -> dict:
    """Parameters and multiply-accumulates as the index has them; the parameters alone where these cannot be counted."""
    from hrnet_plugin.zoo.figures import FigureCounter

    try:
        return FigureCounter().count(cfg).as_metadata()
    except Exception:  # anybody's network, which may not run without values; the figures are an extra
        return {"Parameters": sum(item.numel() for item in network.parameters())}


def short_description(spec: HRNetSpec | LiteHRNetSpec) -> dict:
    """A backbone as a metafile names it: its preset and its choices, or everything where it is no preset."""
    for name, preset in {**ZOO, **LITE_ZOO}.items():
        if type(preset) is type(spec):
            choices = {field: value for field, value in asdict(spec).items() if isinstance(value, (str, bool))}
            if preset.with_choices(**choices) == spec:
                return {"network": type(spec).__name__.removesuffix("Spec"), "arch": name, **choices}
    return spec_to_plain(spec)


def installed_versions() -> dict[str, str]:
    """The versions of torch and the frameworks, by package; those that are not installed are left out."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _results(tasks: list[str], dataset: str, metrics: Mapping[str, float]) -> list[dict]:
    """A result for each task; of a detector with masks, the metrics of the masks stand under theirs."""
    of_masks = {name: value for name, value in metrics.items() if "segm" in name.lower()}
    rest = {name: value for name, value in metrics.items() if name not in of_masks}
    split = _MASKS in tasks and len(tasks) > 1
    return [
        {
            "Task": task,
            "Dataset": dataset,
            "Metrics": dict((of_masks if task == _MASKS else rest) if split else metrics),
        }
        for task in tasks
    ]


def _same_file(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _named(config: Path, metafile: Path) -> str:
    """The config as rows name it: from the folder that holds `configs/`, or from the metafile's own."""
    config, folder = config.resolve(), metafile.resolve().parent
    for root in (project_dir("configs").resolve().parent, folder.parent.parent):
        if config.is_relative_to(root / "configs"):
            return config.relative_to(root).as_posix()
    return Path(os.path.relpath(config, folder)).as_posix()


def _leaf(cfg: Config) -> dict:
    for loader in ("test_dataloader", "val_dataloader", "train_dataloader"):
        for dataset in leaf_datasets(cfg.get(loader)):
            return dataset
    raise ConfigError("config", found="no data set", expected="one to name in the row", do="Give --task and --dataset")


def _dataset(cfg: Config, index: Sequence[ZooModel]) -> str:
    """The class of the data set, less `Dataset`, as the index writes it."""
    name = type_name(_leaf(cfg)).removesuffix("Dataset")
    known = {model.dataset.lower().replace("-", ""): model.dataset for model in index}
    return known.get(name.lower(), name)


def _task(cfg: Config) -> str:
    scope = cfg.get("default_scope")
    if scope == "mmdet" and (cfg.model.get("roi_head") or {}).get("mask_head"):
        return _MASKS
    if scope in _TASKS:
        return _TASKS[scope]
    from mmengine.registry import DATASETS

    kind = DATASETS.get(f"{scope}.{type_name(_leaf(cfg))}")
    folder = getattr(kind, "__module__", "").split(".")[-2:-1]
    for task in _POSE_TASKS:
        if [task.lower()] == folder:
            return f"{task} 2D Keypoint"
    raise ConfigError("--task", found="nothing", expected="what the results are of, such as 'Body 2D Keypoint'")
