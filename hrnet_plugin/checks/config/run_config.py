"""A config as the run that it describes: framework, loaders, data sets, pipelines, evaluators, hooks, loop, network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, Finding

from .data_sets import DataSet, data_sets_in
from .keys import copied, each, join, look_up
from .lookup import Unavailable, find_class
from .places import SPLITS, Place, places

if TYPE_CHECKING:
    from mmengine.config import Config

    from .network import Network


@dataclass(frozen=True)
class Loop:
    """How long a training runs.

    Args:
        by_epoch: Whether its length is counted in epochs.
        length: In epochs or iterations; None where the config does not say.
        val_interval: Between two validations, in the same unit.
    """

    by_epoch: bool
    length: int | None
    val_interval: int

    @property
    def unit(self) -> str:
        """What its numbers count."""
        return "epochs" if self.by_epoch else "iterations"

    @property
    def key(self) -> str:
        """The key of its length."""
        return "train_cfg.max_epochs" if self.by_epoch else "train_cfg.max_iters"


class RunConfig:
    """What a config describes, read once for all checks.

    Args:
        cfg: Any config of the four frameworks; not changed.
        framework: The one that its model is of, '' where that is none of the four.
    """

    def __init__(self, cfg: Config, framework: str):
        self.tree: dict[str, Any] = copied(cfg._cfg_dict)
        self.framework = framework
        self.filename: str | None = cfg.filename
        #: What data sets say of themselves, by their class and what the config gives it.
        self.metainfos: dict[tuple, Mapping[str, Any] | None] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """The value at a dotted key."""
        return look_up(self.tree, key, default)

    @property
    def is_pose(self) -> bool:
        """Whether it is mmpose's."""
        return self.framework == "mmpose"

    @property
    def is_segmentation(self) -> bool:
        """Whether it is mmseg's, and not of depths."""
        return self.framework == "mmseg" and type_name(self.tree.get("model")) != "DepthEstimator"

    @cached_property
    def model(self) -> dict[str, Any]:
        """The model, with the preprocessor that a config may keep at its top, as mmengine's runner completes it."""
        model = self.tree.get("model")
        model = dict(model) if isinstance(model, dict) else {}
        if self.tree.get("data_preprocessor"):
            model.setdefault("data_preprocessor", self.tree["data_preprocessor"])
        return model

    @property
    def preprocessor_key(self) -> str:
        """Where the preprocessor that is used stands."""
        inside = look_up(self.tree, "model.data_preprocessor") is not None
        return "model.data_preprocessor" if inside else "data_preprocessor"

    @cached_property
    def places(self) -> list[Place]:
        """Everything that names a class."""
        return list(places(self.tree, self.is_pose))

    def find(self, kind: str, node: Mapping[str, Any]) -> Callable | None:
        """The class of a dict; None where it names none that exists, or one whose framework is missing."""
        try:
            return find_class(kind, node.get("type"), node.get("_scope_"))
        except Unavailable:
            return None

    def loaders(self) -> Iterator[tuple[str, str, dict]]:
        """(split, key, dict) of each data loader."""
        for split in SPLITS:
            for key, node in each(self.tree.get(f"{split}_dataloader"), f"{split}_dataloader"):
                yield split, key, node

    @cached_property
    def datasets(self) -> list[DataSet]:
        """The data sets that read files."""
        found = []
        for split, key, loader in self.loaders():
            for where, node in each(loader.get("dataset"), join(key, "dataset")):
                found += data_sets_in(where, node, split)
        return found

    def datasets_of(self, *splits: str) -> list[DataSet]:
        """Those of some splits."""
        return [dataset for dataset in self.datasets if dataset.split in splits]

    def evaluators(self, *splits: str) -> Iterator[tuple[str, str, dict]]:
        """(split, key, dict) of each metric."""
        for place in self.places:
            split = place.key.partition("_")[0]
            if place.kind == "metric" and split in (splits or SPLITS):
                yield split, place.key, dict(place.node)

    def hooks(self, *names: str) -> Iterator[tuple[str, dict]]:
        """The hooks called so, each with its key."""
        for place in self.places:
            if place.kind == "hook" and type_name(place.node) in names:
                yield place.key, dict(place.node)

    @property
    def schedulers(self) -> list[tuple[str, dict]]:
        """Those of the one optimizer, each with its key."""
        return [(place.key, dict(place.node)) for place in self.places if place.kind == "scheduler"]

    @cached_property
    def loop(self) -> Loop | None:
        """The training's length; None where the config has no training, or a loop of somebody's own."""
        node = self.tree.get("train_cfg")
        if not isinstance(node, dict):
            return None
        by_type = {"EpochBasedTrainLoop": True, "IterBasedTrainLoop": False}.get(type_name(node))
        by_epoch = node.get("by_epoch") if by_type is None and "type" not in node else by_type
        if by_epoch is None:
            return None
        length = node.get("max_epochs" if by_epoch else "max_iters")
        interval = node.get("val_interval", 1 if by_epoch else 1000)
        return Loop(
            bool(by_epoch),
            length if isinstance(length, int) and length > 0 else None,
            interval if isinstance(interval, int) else 1,
        )

    @cached_property
    def kind_findings(self) -> list[Finding]:
        """Values of another kind than their place takes."""
        from .kinds import wrong_kinds

        return list(wrong_kinds(self))

    @cached_property
    def type_findings(self) -> list[Finding]:
        """What is wrong with the names and arguments of classes."""
        from .types import check_places

        return list(check_places(self.places))

    @cached_property
    def value_findings(self) -> list[Finding]:
        """What classes say of values that they refuse, where names and arguments are right."""
        from .values import refused_values

        return refused_values(self)

    @cached_property
    def meant(self) -> dict[str, str]:
        """The argument that each unknown one is nearly called like, by its key; '' where there is none."""
        from .types import meant_arguments

        return meant_arguments(self.places, self.type_findings)

    def is_misshapen(self, key: str) -> bool:
        """Whether a value at or below a key is of the wrong kind."""
        return _is_below(key, self.kind_findings)

    def is_misnamed(self, key: str) -> bool:
        """Whether a name or argument at or below a key is wrong."""
        return _is_below(key, self.type_findings)

    def is_blamed(self, key: str, but: str = "") -> bool:
        """Whether a name, an argument or a value at or below a key is wrong, so that more of it would be no news.

        Args:
            key: A part of the config.
            but: The name of a check whose findings do not count.
        """
        return _is_below(key, [one for one in (*self.type_findings, *self.value_findings) if one.check != but])

    @cached_property
    def network(self) -> Network:
        """The parts of the network, built without memory."""
        from .network import build_network

        return build_network(self)


def _is_below(key: str, findings: list[Finding]) -> bool:
    wheres = (finding.where for finding in findings if finding.level == ERROR)
    return any(where == key or where.startswith(f"{key}.") for where in wheres)
