"""What the networks of the zoo cost: computed from their configs, in one unit, and held against what was published.

Of a network whose last part works on what the first part found (two-stage detectors, CID), only the first part has a
fixed cost; its parameters are those of the whole model all the same.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..analysis.complexity import Complexity, count_complexity
from ..errors import ConfigError
from ..plain import as_list, plain
from .forward import build_model, model_config
from .quiet import quiet

#: (width, height): the configs keep the shape of the picture within 1333x800, so that there is no one size; this one is
#: MMDetection's convention for such figures.
DETECTION_SIZE = (1280, 800)
WITHOUT_PROPOSALS = "backbone, neck and region proposals"
WITHOUT_INSTANCES = "what is computed once a picture"
#: Parts of a model's config that neither hold parameters nor compute anything of the forward pass.
_COSTLESS = ("data_preprocessor", "train_cfg", "test_cfg", "init_cfg", "pretrained", "decoder")

#: In what published figures are counted: the words of a metafile, and the same of what was computed.
UNITS: dict[str, Callable[[Complexity], float]] = {
    "2^30 MACs": lambda cost: cost.macs / 2**30,
    "10^9 MACs": lambda cost: cost.macs / 10**9,
    "1000 x 2^20 MACs": lambda cost: cost.macs / (1000 * 2**20),
    "10^6 MACs, norms included": lambda cost: sum(cost.macs_by_kind().values()) / 10**6,
    "operations, as mmcv counts them": lambda cost: float(cost.macs),
}


@dataclass(frozen=True)
class Figures:
    """The cost of one network.

    Args:
        cost: Module by module.
        counted: What the multiply-accumulates are of; '' for the whole model.
    """

    cost: Complexity
    counted: str = ""

    def as_metadata(self) -> dict:
        """The computed fields of a metafile's `Metadata`."""
        width, height = self.cost.input_size
        fields = {
            "Input Size": f"{width}x{height}",
            "Parameters": self.cost.parameters,
            "MACs (10^9)": round(self.cost.macs / 10**9, 4),
        }
        return fields | ({"Counted": self.counted} if self.counted else {})


class FigureCounter:
    """Counts the networks of configs; the same network at the same size is counted once."""

    def __init__(self):
        self._counted: dict[str, Figures] = {}

    def count(self, cfg: Config, input_size: tuple[int, int] | None = None) -> Figures:
        """The cost of the model of `cfg`.

        Args:
            cfg: A resolved config.
            input_size: (width, height) of the picture; by default that of the config.

        Raises:
            ConfigError: the config does not tell the size of its pictures.
        """
        size = tuple(input_size or read_input_size(cfg))
        key = network_key(cfg, size)
        if key not in self._counted:
            self._counted[key] = _count(cfg, size)
        return self._counted[key]


def network_key(cfg: Config, size: tuple[int, int]) -> str:
    """The same text for configs whose models cost the same at this (width, height)."""
    return json.dumps([size, cfg.default_scope, _costing(plain(cfg.model))], sort_keys=True, default=str)


def build_without_values(cfg: Config) -> nn.Module:
    """The model of a config with parameters that have a shape and no values: no memory, and a fraction of the time."""
    # What a framework computes while it is imported must have values.
    importlib.import_module(f"{cfg.default_scope}.models")
    with torch.device("meta"):
        return build_model(model_config(cfg), cfg.default_scope)


def read_input_size(cfg: Config) -> tuple[int, int]:
    """(width, height) of the pictures that a config's model takes.

    Raises:
        ConfigError: the config does not tell.
    """
    model = model_config(cfg)
    scope = cfg.default_scope
    if scope == "mmdet":
        return DETECTION_SIZE
    found = None
    if scope == "mmpose":
        found = next((decoder["input_size"] for decoder in as_list(model["head"].get("decoder"))), None)
    elif scope == "mmseg":
        found = (model["data_preprocessor"].get("size") or ())[::-1]
    elif scope == "mmpretrain":
        steps = cfg.test_dataloader.dataset.pipeline
        found = next(((step["crop_size"],) * 2 for step in steps if step["type"] == "CenterCrop"), None)
    if not found:
        raise ConfigError(f"config of {scope}", found="no size of the pictures", expected="width and height")
    return tuple(found)


def is_within_rounding(computed: float, printed: str) -> bool:
    """Whether a computed number is what was printed of it, within one unit of the last digit printed.

    >>> is_within_rounding(7.12, "7.1 GFLOPs")
    True
    """
    number = Decimal(printed.rstrip("M").split()[0])
    return abs(Decimal(computed) - number) <= Decimal(1).scaleb(number.as_tuple().exponent)


def published_differences(published: Mapping, cost: Complexity) -> list[str]:
    """Where a published figure is not what is computed, in words; none where it is.

    Args:
        published: An entry of `Published Complexity`.
        cost: What is computed at its input size.
    """
    lines = []
    parameters = published["Parameters"]
    own = cost.parameters / 10**6 if parameters.endswith("M") else cost.parameters
    if not is_within_rounding(own, parameters):
        lines.append(f"parameters {own:.6g}, published {parameters}")
    figure = UNITS[published["Unit"]](cost)
    if not is_within_rounding(figure, published["Figure"]):
        lines.append(f"{figure:.6g} {published['Unit']}, published {published['Figure']}")
    return lines


def _costing(node: object) -> object:
    """The part of a model's config on which its cost depends."""
    if isinstance(node, Mapping):
        kept = {key: value for key, value in node.items() if key not in _COSTLESS and "loss" not in key}
        return {key: _costing(value) for key, value in kept.items()}
    return [_costing(item) for item in node] if isinstance(node, list) else node


def countable_model(cfg: Config) -> tuple[nn.Module, dict[str, object], str]:
    """A config's model as far as its cost is fixed, with parameters without values.

    Returns:
        The model, the options of its `forward` beside the image, and what it is of the whole: '' for all of it.
    """
    with quiet(), DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = build_without_values(cfg)
    if hasattr(model, "roi_head"):
        return _BeforeProposals(model), {}, WITHOUT_PROPOSALS
    if hasattr(getattr(model, "head", None), "iia_module"):
        return _BeforeInstances(model), {}, WITHOUT_INSTANCES
    return model, {"data_samples": None}, ""


def _count(cfg: Config, size: tuple[int, int]) -> Figures:
    model, options, counted = countable_model(cfg)
    with quiet():
        return Figures(count_complexity(model, size, options=options), counted)


class _BeforeProposals(nn.Module):
    """A two-stage detector up to its region proposals, on (N, 3, H, W)."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> object:
        return self.model.rpn_head(self.model.extract_feat(image))


class _BeforeInstances(nn.Module):
    """CID up to the people that it finds, on (N, 3, H, W): the heatmaps of all, the features of each."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> object:
        head = self.model.head
        features = self.model.extract_feat(image)[-1]
        return head.iia_module(features), head.gfd_module.conv_down(features)
