"""The parts of a config's network, built on torch's device without memory and run once."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.engine.network_fit import feature_maps
from hrnet_plugin.plain import as_list

from .keys import join
from .lookup import Unavailable, find_class

if TYPE_CHECKING:
    from .run_config import RunConfig

#: Parts whose constructors need nothing but their own config; a detector's `roi_head` needs that of the whole model.
_PARTS = ("backbone", "neck", "head", "decode_head", "auxiliary_head", "rpn_head", "bbox_head")
_SIZE = (64, 64)
#: Classes whose constructors load or fetch weights.
_LOADING = ("TIMMBackbone", "HuggingFaceClassifier", "LoRAModel", "VPD")


@dataclass
class Network:
    """What could be built of a network, and what its backbone and neck give.

    Args:
        parts: A module with the parts as attributes, as the whole model has them.
        size: (height, width) of the image that was run through.
        failures: What went wrong in building a part, by its key.
        features: The feature maps that reach the heads; None where there are none to tell.
        failure: Why there are none.
    """

    parts: nn.Module = field(default_factory=nn.Module)
    size: tuple[int, int] = _SIZE
    failures: dict[str, Exception] = field(default_factory=dict)
    features: list[Tensor] | None = None
    failure: Exception | None = None

    def arriving(self) -> list[int] | None:
        """The channels that leave the backbone, and so reach the neck; None where it does not run."""
        alone = nn.Module()
        alone.backbone = getattr(self.parts, "backbone", None)
        try:
            with _ShapesAlone():
                features = feature_maps(alone, self.size)
        except Exception:  # then the neck is not to blame
            return None
        return None if features is None else [feature.shape[1] for feature in features]

    def outputs_of(self, name: str) -> Tensor | None:
        """What a head gives for the features; None where it is no single tensor, or it does not run on them."""
        head = getattr(self.parts, name, None)
        if head is None or self.features is None:
            return None
        try:
            with torch.no_grad(), _ShapesAlone():
                output = head.eval()(tuple(self.features))
        except Exception:  # told by the channels, or a head with needs of its own
            return None
        return output if isinstance(output, Tensor) else None


def build_network(run: RunConfig) -> Network:
    """Builds what the model consists of, each part by itself, and runs an empty image through backbone and neck.

    The image has the size for which the config cuts out its samples, where it says so.
    """
    network = Network(size=input_size(run) or _SIZE)
    for name in _PARTS:
        node = run.model.get(name)
        if node:
            # Faults beside a misspelt argument are to be found, too.
            _add(network, name, _as_meant(node, f"model.{name}", run.meant))
    if any(key.startswith(("model.backbone", "model.neck")) for key in network.failures):
        return network
    try:
        with _ShapesAlone():
            network.features = feature_maps(network.parts, network.size)
    except Exception as error:  # told by the checks, which know what to say of it
        network.failure = error
    return network


def input_size(run: RunConfig) -> tuple[int, int] | None:
    """(height, width) of what the network is trained on, as the pipeline cuts it out; None where it varies."""
    for dataset in run.datasets_of("train", "val", "test"):
        for _, node in dataset.pipeline:
            kind = type_name(node)
            if kind in ("TopdownAffine", "BottomupRandomAffine") and _is_size(node.get("input_size")):
                width, height = node["input_size"]
                return height, width
            if kind == "RandomCrop" and run.is_segmentation and _is_size(node.get("crop_size")):
                return tuple(node["crop_size"])
            if kind == "RandomResizedCrop" and isinstance(node.get("scale"), int):
                return node["scale"], node["scale"]
    return None


class _ShapesAlone(TorchFunctionMode):
    """What torch computes in Python on the device without memory, done in short: the shapes are the same."""

    def __torch_function__(self, function: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if function is F.batch_norm:
            return args[0]
        if function is F.interpolate:
            kwargs = {key: value for key, value in kwargs.items() if key in ("input", "size", "scale_factor")}
            return function(*args[:3], **kwargs)
        return function(*args, **kwargs)


def _is_size(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 2 and all(isinstance(side, int) for side in value)


def _as_meant(node: Any, key: str, meant: Mapping[str, str]) -> Any:
    """A part of the config with its unknown arguments under the names that are meant, or without them."""
    if isinstance(node, (list, tuple)):
        return type(node)(_as_meant(item, join(key, index), meant) for index, item in enumerate(node))
    if not isinstance(node, Mapping):
        return node
    renamed = {name: meant.get(join(key, name), name) for name in node}
    return {renamed[name]: _as_meant(value, join(key, name), meant) for name, value in node.items() if renamed[name]}


def _add(network: Network, name: str, node: Any) -> None:
    is_list = isinstance(node, (list, tuple))
    built: list[nn.Module] = []
    for index, item in enumerate(as_list(node)):
        key = f"model.{name}.{index}" if is_list else f"model.{name}"
        try:
            if not isinstance(item, Mapping) or _is_missing(item):
                return  # told with the names
            built.append(_build(item))
        except Exception as error:
            network.failures[key] = error
    if len(built) < len(as_list(node)):
        return
    if name == "neck" and is_list:  # mmpretrain's, one after the other
        network.parts.neck = nn.Sequential(*built)
    else:
        setattr(network.parts, name, nn.ModuleList(built) if is_list else built[0])


def _is_missing(node: Mapping) -> bool:
    """Whether there is no class of this name, or none to be built here; its framework is imported by the way."""
    if type_name(node) in _LOADING:
        return True
    try:
        return find_class("model", node.get("type"), node.get("_scope_")) is None
    except Unavailable:
        return True


def _build(node: Mapping) -> nn.Module:
    config = ConfigDict(copy.deepcopy(dict(node)))
    try:
        with torch.device("meta"):
            return MODELS.build(config)
    except (NotImplementedError, RuntimeError) as error:
        if "meta" not in str(error):
            raise
        # A constructor that computes with its tensors: it gets real ones.
        return MODELS.build(ConfigDict(copy.deepcopy(dict(node)))).to("meta")
