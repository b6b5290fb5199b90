"""The data sets of a config that read files, each with what is around it and the steps that its samples pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hrnet_plugin.config_tree import type_name

from .keys import each, join


@dataclass(frozen=True)
class DataSet:
    """A data set that reads files.

    Args:
        key, node: Where it stands, and what stands there.
        split: train, val or test.
        wrappers: What joins or repeats it, from the loader inwards, each with its key.
        pipeline: The transforms that its samples pass, the wrappers' included, each with its key.
    """

    key: str
    node: Mapping[str, Any]
    split: str
    wrappers: tuple[tuple[str, Mapping[str, Any]], ...]
    pipeline: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def metainfo(self) -> Mapping[str, Any]:
        """What the config says of its keypoints or classes; empty where it says nothing."""
        given = self.node.get("metainfo")
        return given if isinstance(given, Mapping) else {}

    def transforms(self, *names: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Those of the pipeline that are called so."""
        return ((key, node) for key, node in self.pipeline if type_name(node) in names)

    def has(self, *names: str) -> bool:
        """Whether the pipeline has a transform called so."""
        return any(True for _ in self.transforms(*names))


def data_sets_in(
    key: str, node: Mapping[str, Any], split: str, wrappers: tuple[tuple[str, Mapping[str, Any]], ...] = ()
) -> list[DataSet]:
    """The data sets that read files, where a config has one or what joins or repeats some.

    Args:
        key, node: Where it stands, and what stands there.
        split: train, val or test.
        wrappers: What is around it, from the loader inwards, each with its key.
    """
    inner = [
        item for name in ("dataset", "datasets") for item in each(node.get(name), join(key, name)) if node.get(name)
    ]
    if inner:
        outer = (*wrappers, (key, node))
        return [leaf for where, item in inner for leaf in data_sets_in(where, item, split, outer)]
    pipeline = list(_transforms_of(key, node))
    for where, wrapper in reversed(wrappers):
        pipeline += _transforms_of(where, wrapper)
    return [DataSet(key, node, split, wrappers, tuple(pipeline))]


def _transforms_of(key: str, node: Mapping[str, Any]) -> Iterator[tuple[str, dict]]:
    if isinstance(node.get("pipeline"), (list, tuple)):
        yield from each(node["pipeline"], join(key, "pipeline"))
