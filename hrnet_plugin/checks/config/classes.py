"""Classes: how many the heads tell apart, the data sets name and the losses weigh; what is ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding

from .data_sets import DataSet
from .keys import each, join, walk
from .lookup import default_of
from .metainfo import class_names, described, takes_classes
from .run_config import RunConfig

CHECK = "class-count"
_IGNORED = 255


def check_classes(run: RunConfig) -> Iterator[Finding]:
    """The number of classes and their names."""
    if run.is_pose:
        return
    yield from _names(run)
    names = _train_classes(run)
    for key, head in _heads(run):
        if names is not None and isinstance(head.get("num_classes"), int) and head["num_classes"] != len(names):
            expected = f"{len(names)}, the classes of the training data"
            yield Finding(ERROR, CHECK, join(key, "num_classes"), str(head["num_classes"]), expected)
        yield from _class_weights(key, head)
        if run.is_segmentation:
            yield from _binary(run, key, head)
    yield from _same_everywhere(run)


def check_ignored(run: RunConfig) -> Iterator[Finding]:
    """What segmentation leaves out: the label that is ignored, and whether zero is one."""
    if not run.is_segmentation:
        return
    for key, head in _heads(run):
        yield from _ignored(run, key, head)
    yield from _reduced(run)


def _heads(run: RunConfig) -> Iterator[tuple[str, dict]]:
    """The heads that tell classes apart."""
    if run.is_segmentation:
        for name in ("decode_head", "auxiliary_head"):
            yield from each(run.model.get(name), f"model.{name}")
        return
    for key, node in walk(run.model, "model"):
        if "num_classes" in node and "type" in node and ".semantic_head" not in key:
            yield key, node


def _classes(run: RunConfig, dataset: DataSet) -> Sequence[str] | None:
    metainfo = described(run, dataset, wrapped=True)
    classes = metainfo.get("classes") if metainfo else None
    return classes if isinstance(classes, (list, tuple)) else None


def _train_classes(run: RunConfig) -> Sequence[str] | None:
    for dataset in run.datasets_of("train"):
        classes = _classes(run, dataset)
        if classes:
            return classes
    return None


def _names(run: RunConfig) -> Iterator[Finding]:
    for dataset in run.datasets:
        kind = run.find("data set", dataset.node)
        given = dataset.metainfo
        key, names = _named(kind, dataset)
        if isinstance(names, str):
            try:  # the frameworks take a text for the path of a file
                names = class_names(names)
            except (OSError, ValueError):
                found, do = f"{names!r}, no file", f"A tuple of one needs its comma: classes=({names!r}, )"
                yield Finding(ERROR, "class-names", key, found, "a list of names, or the path of a file of them", do)
                continue
        if not isinstance(names, (list, tuple)):
            continue
        twice = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
        if twice:
            yield Finding(ERROR, "class-names", key, f"{twice[0]!r} more than once", "each name once")
        own = (getattr(kind, "METAINFO", None) or {}).get("classes")
        unknown = [name for name in names if own and name not in own]
        if unknown and run.is_segmentation:
            found = f"{unknown[0]!r}, no class of {type_name(dataset.node)}"
            do = "Its own classes alone can be chosen from: use BaseSegDataset for others"
            yield Finding(ERROR, "class-names", key, found, do=do)
        palette = given.get("palette")
        if palette and len(palette) != len(names) and not (own and len(palette) >= len(names)):
            expected = f"{len(names)}, one a class"
            where = join(dataset.key, "metainfo.palette")
            yield Finding(ERROR, "class-names", where, f"{len(palette)} colours", expected)


def _named(kind: Any, dataset: DataSet) -> tuple[str, Any]:
    """The key under which a config names the classes of a data set, and what stands there."""
    given = dataset.metainfo
    if "classes" not in given and takes_classes(kind):  # mmpretrain reads both, metainfo first
        return join(dataset.key, "classes"), dataset.node.get("classes")
    return join(dataset.key, "metainfo.classes"), given.get("classes")


def _same_everywhere(run: RunConfig) -> Iterator[Finding]:
    train = _train_classes(run)
    for dataset in run.datasets_of("val", "test"):
        classes = _classes(run, dataset)
        if train and classes and list(classes) != list(train):
            different = [pair for pair in zip(classes, train, strict=False) if pair[0] != pair[1]]
            found = f"{len(classes)} classes" if len(classes) != len(train) else f"{different[0][0]!r}"
            expected = f"those of the training, {len(train)}" if len(classes) != len(train) else f"{different[0][1]!r}"
            do = "The same names in the same order as in the training"
            # Detectors that know classes by their names may be tested on others.
            level = ERROR if run.is_segmentation else NOTE
            key, _ = _named(run.find("data set", dataset.node), dataset)
            yield Finding(level, "class-names", key, found, expected, do)


def _losses(key: str, head: Mapping[str, Any]) -> Iterator[tuple[str, Mapping]]:
    for name in ("loss_decode", "loss", "loss_cls"):
        yield from each(head.get(name), join(key, name))


def _class_weights(key: str, head: Mapping[str, Any]) -> Iterator[Finding]:
    count = head.get("num_classes")
    for where, loss in _losses(key, head):
        weights = loss.get("class_weight")
        if not isinstance(weights, (list, tuple)) or not isinstance(count, int) or head.get("out_channels") == 1:
            continue
        # Where objects or queries are classified, none of them is a class more.
        allowed = {count, count + 1} if "cls" in f"{where}{loss.get('loss_name', '')}" else {count}
        if len(weights) not in allowed:
            expected = f"{count}, one a class (num_classes={count})"
            yield Finding(ERROR, CHECK, join(where, "class_weight"), f"{len(weights)} weights", expected)


def _binary(run: RunConfig, key: str, head: Mapping[str, Any]) -> Iterator[Finding]:
    """One map of logits: softmax over it is 1 everywhere, whatever the network says."""
    count, channels = head.get("num_classes"), head.get("out_channels")
    if (channels if channels is not None else count) != 1:
        return
    for where, loss in _losses(key, head) if head.get("loss_decode") else [(join(key, "loss_decode"), {})]:
        if type_name(loss) in ("", "CrossEntropyLoss") and not loss.get("use_sigmoid"):
            found = "softmax over one channel, whose loss is 0 whatever the network predicts"
            do = "Set use_sigmoid=True, or out_channels to the number of classes"
            yield Finding(ERROR, "binary-head", join(where, "use_sigmoid"), found, "True", do)
    if head.get("threshold") is None:
        found = "nothing, so that mmseg takes 0.3"
        yield Finding(NOTE, "binary-head", join(key, "threshold"), found, "a threshold of the one class, such as 0.5")


def _ignored(run: RunConfig, key: str, head: Mapping[str, Any]) -> Iterator[Finding]:
    ignored = head.get("ignore_index", _IGNORED)
    if ignored is None or key.startswith("model.auxiliary_head"):
        return
    count = head.get("num_classes")
    pads = [(join(run.preprocessor_key, "seg_pad_val"), run.model.get("data_preprocessor") or {})]
    pads += [
        (join(where, "seg_pad_val"), node)
        for dataset in run.datasets_of("train")
        for where, node in dataset.transforms("RandomRotate", "RandomMosaic", "RandomCutOut")
    ]
    for where, node in pads:
        value = node.get("seg_pad_val", _IGNORED)
        if isinstance(value, int) and value != ignored:
            is_class = isinstance(count, int) and 0 <= value < count
            found = f"{value}, the number of a class" if is_class else f"{value}, neither a class nor ignored"
            yield Finding(ERROR, "ignored-label", where, found, f"{ignored}, what {key} ignores (ignore_index)")
    for _, where, metric in run.evaluators("val", "test"):
        value = metric.get("ignore_index", _IGNORED)
        if type_name(metric) == "IoUMetric" and value != ignored:
            yield Finding(ERROR, "ignored-label", join(where, "ignore_index"), str(value), f"{ignored}, as in {key}")


def _reduced(run: RunConfig) -> Iterator[Finding]:
    """Whether zero is no class: of each data set as of the first, and in its pipeline as in itself."""
    first: tuple[str, bool] | None = None
    for dataset in run.datasets:
        kind = run.find("data set", dataset.node)
        value = bool(dataset.node.get("reduce_zero_label", kind and default_of(kind, "reduce_zero_label", False)))
        key = join(dataset.key, "reduce_zero_label")
        first = first or (key, value)
        if value != first[1]:
            yield Finding(ERROR, "zero-label", key, str(value), f"{first[1]}, as in {first[0]}")
            continue
        for where, node in dataset.transforms("LoadAnnotations"):
            own = node.get("reduce_zero_label")
            if own is not None and bool(own) != value:
                do = "Leave it out in the pipeline: the data set says it"
                found = f"{own}, where the data set has {value}"
                yield Finding(ERROR, "zero-label", join(where, "reduce_zero_label"), found, str(value), do)
