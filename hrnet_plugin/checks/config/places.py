"""The places of a config that name a class: where they are, and of which kind the class has to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.config_tree import type_name

from .keys import each, join
from .lookup import BATCH_AUGMENT, CODEC

SPLITS = ("train", "val", "test")
_HOOK = frozenset({"priority"})
#: Keys of a model below which classes are of another kind than layers.
_BELOW_MODEL = {
    "init_cfg": "initialiser",
    "override": "initialiser",
    "decoder": CODEC,
    "assigner": "task util",
    "sampler": "task util",
    "bbox_coder": "task util",
    "anchor_generator": "task util",
    "prior_generator": "task util",
    "augments": BATCH_AUGMENT,
}
#: Layers that a builder makes: it gives their channels, and takes keys of its own; of some, which is not known here.
_LAYERS = {"norm_cfg": frozenset({"requires_grad"}), "act_cfg": frozenset(), "conv_cfg": None, "upsample_cfg": None}
_LAYERS |= {"dcn": None, "plugins": None}
#: What stands in a `type` here is no class of a registry.
_NOT_REGISTERED = ("nms", "roi_layer", "tokenizer", "targets", "metainfo")
#: Transforms of another library: what they join is its, too.
FOREIGN_TRANSFORMS = ("Albumentation", "Albu", "Albumentations")


@dataclass(frozen=True)
class Place:
    """A dict of the config from which an object is built.

    Args:
        key: Where it stands.
        node: The dict.
        kind: Of which kind the class has to be; a name of `lookup.REGISTRIES`.
        default: The class where the dict names none; None where it has to.
        supplied: Arguments that the framework adds; None where it adds more than is known here.
        extra: Keys that the builder takes for itself; None where they are not known.
        nested: Whether it lies within another class, which may build it as it likes: then any kind will do.
    """

    key: str
    node: Mapping[str, Any]
    kind: str
    default: str | None = None
    supplied: frozenset[str] | None = frozenset()
    extra: frozenset[str] | None = frozenset()
    nested: bool = False

    @property
    def type(self) -> object:
        """The name of the class, or the class."""
        return self.node.get("type", self.default)


def places(tree: Mapping[str, Any], is_pose: bool) -> Iterator[Place]:
    """All places of a config from which the runner, or what it builds, makes an object.

    Args:
        tree: The config in plain dicts.
        is_pose: Whether `decoder` and `encoder` mean mmpose's codecs.
    """
    for key in ("model", "data_preprocessor"):
        yield from _in_model(tree.get(key), key, "model", is_pose)
    for key, node in each(tree.get("tta_model"), "tta_model"):
        yield Place(key, node, "model", supplied=None)
    yield from _transforms(tree.get("tta_pipeline"), "tta_pipeline")
    for split in SPLITS:
        yield from _in_loader(tree.get(f"{split}_dataloader"), f"{split}_dataloader")
        yield from _in_evaluator(tree.get(f"{split}_evaluator"), f"{split}_evaluator")
        yield from _loop(tree.get(f"{split}_cfg"), split)
    yield from _in_optimizer(tree.get("optim_wrapper"))
    extra = frozenset({"convert_to_iter_based"})
    for key, node in each(tree.get("param_scheduler"), "param_scheduler"):
        if "type" in node or not all(isinstance(value, list) for value in node.values()):  # else: one list an optimizer
            yield Place(key, node, "scheduler", supplied=frozenset({"optimizer"}), extra=extra)
    hooks = tree.get("default_hooks")
    for name, node in hooks.items() if isinstance(hooks, dict) else ():
        for key, hook in each(node, f"default_hooks.{name}"):
            yield Place(key, hook, "hook", extra=_HOOK)
    for key, node in each(tree.get("custom_hooks"), "custom_hooks"):
        yield Place(key, node, "hook", extra=_HOOK)
    for key, node in each(tree.get("visualizer"), "visualizer"):
        yield Place(key, node, "visualizer", supplied=None, extra=frozenset({"name"}))
        for below, backend in each(node.get("vis_backends"), join(key, "vis_backends")):
            yield Place(below, backend, "visualizer backend", supplied=frozenset({"save_dir"}))
    for key, node in each(tree.get("log_processor"), "log_processor"):
        yield Place(key, node, "log processor", "LogProcessor")


def _in_model(
    node: Any, key: str, kind: str, is_pose: bool, extra: frozenset[str] | None = frozenset()
) -> Iterator[Place]:
    if isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            yield from _in_model(item, join(key, index), kind, is_pose, extra)
    if not isinstance(node, dict):
        return
    if "type" in node:
        yield Place(key, node, kind, supplied=None, extra=extra, nested=key.count(".") > 1)
    for name, value in node.items():
        if name in _NOT_REGISTERED:
            continue
        below = _BELOW_MODEL.get(name)
        if below is None or (below == CODEC and not is_pose):
            below = "task util" if kind == "task util" else "model"
        own = frozenset({"override"}) if below == "initialiser" else _LAYERS.get(name, frozenset())
        yield from _in_model(value, join(key, name), below, is_pose, own)


def _in_loader(node: Any, key: str) -> Iterator[Place]:
    for where, loader in each(node, key):
        yield from _datasets(loader.get("dataset"), join(where, "dataset"))
        for name, supplied in (("sampler", {"dataset", "seed"}), ("batch_sampler", {"sampler", "batch_size"})):
            for below, sampler in each(loader.get(name), join(where, name)):
                yield Place(below, sampler, "sampler", supplied=frozenset(supplied))
        for below, function in each(loader.get("collate_fn"), join(where, "collate_fn")):
            yield Place(below, function, "function", supplied=None)


def _datasets(node: Any, key: str) -> Iterator[Place]:
    for where, dataset in each(node, key):
        yield Place(where, dataset, "data set")
        for name in ("dataset", "datasets"):
            yield from _datasets(dataset.get(name), join(where, name))
        yield from _transforms(dataset.get("pipeline"), join(where, "pipeline"))


def _transforms(node: Any, key: str) -> Iterator[Place]:
    if isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            yield from _transforms(item, join(key, index))
    if not isinstance(node, dict):
        return
    yield Place(key, node, "transform")
    if type_name(node) in FOREIGN_TRANSFORMS:
        return
    for below, encoder in each(node.get("encoder"), join(key, "encoder")):
        yield Place(below, encoder, CODEC)
    yield from _transforms(node.get("transforms"), join(key, "transforms"))


def _in_evaluator(node: Any, key: str) -> Iterator[Place]:
    for where, metric in each(node, key):
        if "metrics" in metric:
            yield Place(where, metric, "evaluator", "Evaluator")
            for below, one in each(metric["metrics"], join(where, "metrics")):
                yield Place(below, one, "metric")
        else:
            yield Place(where, metric, "metric")


def _loop(node: Any, split: str) -> Iterator[Place]:
    if not isinstance(node, dict):
        return
    default = {"val": "ValLoop", "test": "TestLoop"}.get(split)
    if split == "train" and "by_epoch" in node:
        default = "EpochBasedTrainLoop" if node["by_epoch"] else "IterBasedTrainLoop"
    if default is None and "type" not in node:
        return  # told as a missing `by_epoch`
    supplied = {"runner", "dataloader", "evaluator"}
    extra = frozenset({"by_epoch"} if split == "train" else ())
    yield Place(f"{split}_cfg", node, "loop", default, frozenset(supplied), extra)


def _in_optimizer(node: Any) -> Iterator[Place]:
    if not isinstance(node, dict):
        return
    extra = {"constructor", "paramwise_cfg"}
    if "optimizer" in node or "constructor" not in node:  # else: a constructor of several optimizers
        yield Place("optim_wrapper", node, "optimizer wrapper", "OptimWrapper", extra=frozenset(extra))
    if isinstance(node.get("optimizer"), dict):
        yield Place("optim_wrapper.optimizer", node["optimizer"], "optimizer", supplied=frozenset({"params"}))
    if isinstance(node.get("constructor"), str):
        constructor = {"type": node["constructor"]}
        yield Place("optim_wrapper.constructor", constructor, "optimizer wrapper constructor", supplied=None)
