"""What a data set says of its keypoints and classes: read from its class and config, and whether it is consistent."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.wording import in_short

from .data_sets import DataSet
from .keys import join
from .run_config import RunConfig

#: What mmpose reads of a description of keypoints.
_NEEDED = ("dataset_name", "keypoint_info", "skeleton_info", "joint_weights", "sigmas")


def described(run: RunConfig, dataset: DataSet, wrapped: bool = False) -> Mapping[str, Any] | None:
    """The metainfo of a data set, as the framework parses it; None where that fails.

    Args:
        run: The config that it is of.
        dataset: The data set.
        wrapped: Whether that of the wrapper around it is meant, where it has its own: what the evaluator sees.
    """
    kind = run.find("data set", dataset.node)
    outer = [node for _, node in dataset.wrappers if node.get("metainfo")] if wrapped else []
    node = outer[0] if outer else dataset.node
    key = (kind, repr(node.get("metainfo")), repr(node.get("classes")))
    if key not in run.metainfos:  # reading a file of keypoints takes longer than most checks
        run.metainfos[key] = parsed_metainfo(kind, node)
    return run.metainfos[key]


def parsed_metainfo(kind: Any, node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a data set of some class would say of itself, without its data; None where it cannot be told.

    Args:
        kind: The class.
        node: What the config gives it: its `metainfo`, and mmpretrain's `classes` beside it.
    """
    if kind is None or not hasattr(kind, "_load_metainfo"):
        return None
    try:
        given = copy.deepcopy(node.get("metainfo"))
        if takes_classes(kind) and node.get("classes") is not None:
            given = {"classes": class_names(node["classes"]), **(given or {})}
        return kind._load_metainfo(given)
    except Exception:  # `check_keypoint_descriptions` and `check_classes` say what is wrong with it
        return None


def takes_classes(kind: Any) -> bool:
    """Whether a class of data sets takes the names of its classes by an argument of their own, as mmpretrain's do."""
    return hasattr(kind, "_compat_classes")


def class_names(classes: str | Sequence[str]) -> tuple[str, ...]:
    """Names of classes as mmpretrain's argument `classes` takes them: themselves, or the path of a file, one a line.

    Raises:
        OSError, ValueError: there is no such file, or none of text.
    """
    if not isinstance(classes, str):
        return tuple(classes)
    with Path(classes).expanduser().open(encoding="utf-8") as file:
        return tuple(line.rstrip("\r\n") for line in file)


def check_keypoint_descriptions(run: RunConfig) -> Iterator[Finding]:
    """Descriptions of keypoints in the config or in the files that it names: names, pairs, limbs, weights, sigmas."""
    if not run.is_pose:
        return
    files: dict[str, Mapping] = {}
    found: list[Finding] = []
    for key, metainfo in _descriptions(run):
        path = metainfo.get("from_file")
        try:
            raw = metainfo if path is None else files.get(path) or files.setdefault(path, _read(path))
        except Exception as error:
            where, what = join(key, "from_file"), f"{path!r}: {in_short(error)}"
            do = "The path is one below the folder in which the command runs, or an absolute one"
            found.append(Finding(ERROR, "keypoint-description", where, what, do=do))
        else:
            found += _check(run, raw, key if path is None else join(key, "from_file"), path)
    errors = {(finding.check, finding.found) for finding in found if finding.level == ERROR}
    # What is wrong for the evaluation needs no note for the training.
    yield from (one for one in found if one.level == ERROR or (one.check, one.found) not in errors)


def _descriptions(run: RunConfig) -> Iterator[tuple[str, Mapping]]:
    for dataset in run.datasets:
        for key, node in (*dataset.wrappers, (dataset.key, dataset.node)):
            if isinstance(node.get("metainfo"), Mapping) and node["metainfo"]:
                yield join(key, "metainfo"), node["metainfo"]
    if isinstance(run.get("model.metainfo"), Mapping):
        yield "model.metainfo", run.get("model.metainfo")


def _read(path: str) -> Mapping[str, Any]:
    """The description in a file, found as mmpose finds it: as named, or among its own by the name alone."""
    import mmpose
    from mmengine.config import Config

    file = Path(path)
    if not file.is_file():
        file = Path(mmpose.__file__).parent / ".mim" / "configs" / "_base_" / "datasets" / file.name
    if not file.is_file():
        raise FileNotFoundError("no such file")
    content = Config.fromfile(str(file))
    if "dataset_info" not in content:
        raise KeyError("no dataset_info in it")
    return content.dataset_info


def _check(run: RunConfig, raw: Mapping[str, Any], key: str, path: str | None) -> Iterator[Finding]:
    missing = [name for name in _NEEDED if name not in raw]
    # What lies in a file is named after the key that names the file.
    at = (lambda name: join(key, name)) if path is None else (lambda name: f"{key} ({path}): {name}")
    for name in missing:
        yield Finding(ERROR, "keypoint-description", at(name), "nothing", "a value, which mmpose needs")
    points = raw.get("keypoint_info")
    if not isinstance(points, Mapping):
        return
    names = [point.get("name", "") for point in points.values()]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        found = f"{names.count(name)} keypoints called {name!r}"
        yield Finding(ERROR, "keypoint-names", at("keypoint_info"), found, "one")
    if list(points) != list(range(len(points))):
        expected = f"0 to {len(points) - 1}, in order"
        yield Finding(ERROR, "keypoint-names", at("keypoint_info"), f"the numbers {_few(points)}", expected)
    yield from _pairs(points, at)
    yield from _limbs(raw.get("skeleton_info"), set(names), at)
    for name, used in _USED.items():
        values = raw.get(name)
        if values is not None and len(values) != len(points):
            level = ERROR if used(run, key) else NOTE
            yield Finding(level, "keypoint-values", at(name), f"{len(values)} values", f"{len(points)}, one a keypoint")


def _weights_are_used(run: RunConfig, key: str) -> bool:
    targets = [node for dataset in run.datasets_of("train") for _, node in dataset.transforms("GenerateTarget")]
    return any(node.get("use_dataset_keypoint_weights") for node in targets)


def _sigmas_are_used(run: RunConfig, key: str) -> bool:
    """COCO's similarity divides by them, for the data set that is evaluated."""
    split = key.partition("_")[0]
    return split != "train" and any("Coco" in type_name(metric) for _, _, metric in run.evaluators(split))


_USED = {"joint_weights": _weights_are_used, "sigmas": _sigmas_are_used}


def _pairs(points: Mapping[Any, Mapping], at: Any) -> Iterator[Finding]:
    partners = {point.get("name"): point.get("swap", "") for point in points.values()}
    numbers = {point.get("name"): number for number, point in points.items()}
    for name, partner in partners.items():
        where = at(f"keypoint_info.{numbers[name]}.swap")
        if partner in ("", name):
            mirrored = _mirrored(str(name))
            if mirrored in partners and partners[mirrored] in ("", mirrored):
                do = "Without it, mirrored samples keep left and right as they were"
                yield Finding(NOTE, "keypoint-pairs", where, f"no partner of {name!r}", repr(mirrored), do)
        elif partner not in partners:
            yield Finding(ERROR, "keypoint-pairs", where, f"{partner!r}, no keypoint of this name", "a keypoint's name")
        elif partners[partner] != name and partners[partner] in ("", *partners):
            found = f"{partner!r}, whose own partner is {partners[partner] or 'none'!r}"
            yield Finding(ERROR, "keypoint-pairs", where, found, f"each the partner of the other ({name!r})")


def _mirrored(name: str) -> str:
    for one, other in (("left", "right"), ("right", "left")):
        if one in name:
            return name.replace(one, other, 1)
    return ""


def _limbs(skeleton: Any, names: set, at: Any) -> Iterator[Finding]:
    for number, limb in skeleton.items() if isinstance(skeleton, Mapping) else ():
        for name in limb.get("link", ()):
            if name not in names:
                where, found = at(f"skeleton_info.{number}.link"), f"{name!r}, no keypoint of this name"
                yield Finding(ERROR, "keypoint-skeleton", where, found, "names of keypoints")


def _few(items: Any, shown: int = 8) -> str:
    texts = [str(item) for item in items]
    return ", ".join(texts[:shown]) + (" ..." if len(texts) > shown else "")
