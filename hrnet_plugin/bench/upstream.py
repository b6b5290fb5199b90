"""The framework's own network for a config of ours: what a baseline builds."""

from __future__ import annotations

import copy
import importlib
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..archs import HRNetSpec
from ..archs.zoo import ZOO
from ..errors import ConfigError, MissingDependency

if TYPE_CHECKING:
    from mmengine.config import Config

#: Against what `hrnet bench --against` measures, and the command that installs it.
INSTALL = {
    "mmpose": "Run `hrnet doctor`",
    "mmseg": "Run `hrnet doctor`",
    "timm": "Install it with `pip install timm --no-deps`",
}
_STAGES = 4


def check_installed(framework: str) -> None:
    """Refuses a framework that is not there.

    Raises:
        MissingDependency: says how it is installed.
    """
    if importlib.util.find_spec(framework) is None:
        raise MissingDependency(framework, found="not installed", do=INSTALL[framework])


def framework_config(cfg: Config, path: Path, framework: str) -> Config:
    """The config of the same network as the framework builds it.

    That is the framework's own config where ours stands for one; otherwise ours with the framework's backbone.

    Args:
        cfg: A resolved config of ours.
        path: Its file.
        framework: `mmpose` or `mmseg`.

    Raises:
        ConfigError: the config is of another framework, or the framework has no such network.
        MissingDependency: the framework is not installed.
    """
    check_installed(framework)
    if cfg.default_scope != framework:
        raise ConfigError(f"--against {framework}", found=f"a config of {cfg.default_scope}", expected=framework)
    own = _own_config(path, framework)
    return own if own is not None else with_framework_backbone(cfg)


def with_framework_backbone(cfg: Config) -> Config:
    """A copy of a config whose backbone is the framework's own of the same description.

    Raises:
        ConfigError: the framework has no such network.
    """
    scope = cfg.default_scope
    changed = copy.deepcopy(cfg)
    if changed.model.backbone.type.startswith("hrnet_plugin."):
        spec = read_spec(cfg)
        backbone = {"type": f"{scope}.HRNet", "_delete_": True, **_arguments(spec, scope)}
        for name in ("norm_cfg", "in_channels"):
            if name in cfg.model.backbone:
                backbone[name] = cfg.model.backbone[name]
        changed.merge_from_dict({"model": {"backbone": backbone}})
    return changed


def read_spec(cfg: Config) -> HRNetSpec:
    """The description of a config's backbone.

    Raises:
        ConfigError: it is no HRNet.
    """
    import torch
    from mmengine.registry import MODELS, DefaultScope

    # What a framework computes while it is imported must have values.
    importlib.import_module(f"{cfg.default_scope}.models")
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device("meta"):
        backbone = MODELS.build({**cfg.model.backbone, "init_cfg": None})
    spec = getattr(backbone, "spec", None)
    if not isinstance(spec, HRNetSpec):
        raise ConfigError("model.backbone", found=str(cfg.model.backbone.type), expected="hrnet_plugin.HRNet")
    return spec


def timm_name(spec: HRNetSpec) -> str:
    """timm's name of the network.

    Raises:
        ConfigError: timm has no such network.
    """
    plain = replace(spec, multiscale_output=True, upsample_mode="nearest", align_corners=False)
    for name, preset in ZOO.items():
        if plain == preset and name != "w60":
            return f"hrnet_{name.removesuffix('_v1')}"
    raise ConfigError("--against timm", found="a network that timm has not", expected="one of the presets, as w32")


def _own_config(path: Path, framework: str) -> Config | None:
    from mmengine.config import Config

    from ..published.index import read_index
    from ..zoo.resolve import upstream_path

    for model in read_index():
        if model.framework == framework and model.config.resolve() == Path(path).resolve():
            return Config.fromfile(str(upstream_path(model)))
    return None


def _arguments(spec: HRNetSpec, scope: str) -> dict:
    """What the framework's HRNet takes for a description."""
    if len(spec.stages) != _STAGES or spec.fuse_method != "sum":
        found = f"{len(spec.stages)} stages fused by {spec.fuse_method}"
        raise ConfigError(f"--against {scope}", found=found, expected=f"{_STAGES} stages fused by sum")
    extra = {}
    for number, stage in enumerate(spec.stages, start=1):
        blocks = {branch.block for branch in stage.branches}
        if len(blocks) > 1:
            raise ConfigError(f"--against {scope}", found="branches of several block types", expected="one a stage")
        extra[f"stage{number}"] = {
            "num_modules": stage.num_modules,
            "num_branches": len(stage.branches),
            "block": blocks.pop(),
            "num_blocks": tuple(branch.num_blocks for branch in stage.branches),
            "num_channels": tuple(branch.width for branch in stage.branches),
        }
    if scope == "mmpose":
        extra[f"stage{_STAGES}"]["multiscale_output"] = spec.multiscale_output
        extra["upsample"] = {"mode": spec.upsample_mode, "align_corners": spec.align_corners or None}
        return {"extra": extra}
    return {"extra": extra, "multiscale_output": spec.multiscale_output}
