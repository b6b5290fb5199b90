"""What a config says of its backbone, in one form for ours and the frameworks' own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

from ..archs import (
    CONVENTIONS,
    Conventions,
    HRNetSpec,
    LiteHRNetSpec,
    find_arch,
    find_lite_arch,
    read_extra,
    read_lite_extra,
)
from ..errors import ConfigError, nearest
from ..models.inits import INITS
from ..models.pretrained import resolve_source
from ..plain import as_list, plain

#: What every framework's HRNet does where its config says nothing; `norm_eval` is a matter of convention.
_DEFAULTS = {
    "in_channels": 3,
    "conv_cfg": None,
    "norm_cfg": {"type": "BN"},
    "with_cp": False,
    "frozen_stages": -1,
    "zero_init_residual": False,
}
_CHOICES = ("multiscale_output", "upsample_mode", "align_corners", "fuse_method")


def describe_backbone(model: Mapping, scope: str) -> dict:
    """The backbone of `model` as plain values that can be compared: its description, options and weights.

    Args:
        model: A model's config, ours or a framework's; it is not changed.
        scope: The framework in whose scope it is built.
    """
    backbone = plain(model["backbone"])
    kind = str(backbone.pop("type"))
    own = kind.startswith("hrnet_plugin.")
    conventions = Conventions() if own else CONVENTIONS[scope]
    name = kind.rpartition(".")[2]
    if name not in _READERS:
        raise ConfigError("model.backbone.type", found=repr(kind), do=nearest(name, _READERS))
    described = {"class": name, "spec": _READERS[name](backbone, conventions, None if own else scope)}
    entries = as_list(backbone.pop("init_cfg", None))
    named = [{"checkpoint": source} for source in (model.get("pretrained"), backbone.pop("pretrained", None)) if source]
    weights = [*named, *(entry for entry in entries if entry["type"] == "Pretrained")]
    described["pretrained"] = [
        {"checkpoint": resolve_source(entry["checkpoint"]), "prefix": entry.get("prefix")} for entry in weights
    ]
    inits = [entry for entry in entries if entry["type"] != "Pretrained"] or INITS[_default_init(name, conventions)]
    described["init"] = [{**entry, "layer": as_list(entry["layer"])} for entry in plain(inits)]
    described["spec"] = asdict(described["spec"])
    return plain(described) | {**_DEFAULTS, "norm_eval": conventions.norm_eval, **backbone}


def _default_init(name: str, conventions: Conventions) -> str:
    """Lite-HRNet begins as in mmpose, its only framework."""
    return "normal" if name == "LiteHRNet" else conventions.init


def _read_hrnet(backbone: dict, conventions: Conventions, framework: str | None) -> HRNetSpec:
    arch = backbone.pop("arch", None)
    extra = backbone.pop("extra", None)
    choices = {name: backbone.pop(name) for name in _CHOICES if name in backbone}
    if framework == "mmpretrain" and extra is None:
        extra = _mmpretrain_extra(arch)
    if arch is None and extra is None:  # the class would take w32, but a published model is not named by leaving out
        raise ConfigError("model.backbone", found="neither arch nor extra", expected="a preset by name")
    spec = find_arch(arch) if extra is None else read_extra(extra, conventions)
    return spec.with_choices(**choices)


def _mmpretrain_extra(arch: str) -> dict:
    """mmpretrain's own presets, written as the `extra` that they stand for."""
    from mmpretrain.models.backbones import HRNet

    keys = ("num_modules", "num_branches", "block", "num_blocks", "num_channels")
    stages = HRNet.arch_zoo[arch]
    return {f"stage{number}": dict(zip(keys, stage, strict=True)) for number, stage in enumerate(stages, start=1)}


def _read_lite_hrnet(backbone: dict, conventions: Conventions, framework: str | None) -> LiteHRNetSpec:
    extra = backbone.pop("extra", None)
    return find_lite_arch(backbone.pop("arch")) if extra is None else read_lite_extra(extra)


_READERS: Mapping[str, Callable[[dict, Conventions, str | None], HRNetSpec | LiteHRNetSpec]] = {
    "HRNet": _read_hrnet,
    "LiteHRNet": _read_lite_hrnet,
}
