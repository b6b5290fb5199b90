"""What the network starts from, and parts that are kept as they are though nothing was loaded into them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.published.sources import find_source, is_named

from .keys import each, join, walk
from .lookup import default_of
from .run_config import RunConfig

CHECK = "start-weights"
_PRETRAINED = ("Pretrained", "PretrainedInit")
#: The width in the name of published weights: hrnet_w32, hrnetv2_w18, hrnet-w48.
_WIDTH = re.compile(r"(?<!lite)hrnet(?:v2p?)?[-_]w(\d+)", re.IGNORECASE)


def check_weights(run: RunConfig) -> Iterator[Finding]:
    """Sources of weights: that there are such, and that they are of this network."""
    sources = list(_sources(run))
    for key, source in sources:
        if is_named(source):
            try:
                find_source(source)
            except ConfigError as error:
                yield Finding(ERROR, CHECK, key, repr(source), str(error.expected or ""), error.do or "")
    yield from _width(run)
    yield from _two_sources(run)
    if not sources and not run.get("resume"):
        yield from _kept_at_random(run)


def _sources(run: RunConfig) -> Iterator[tuple[str, str]]:
    for key, node in walk(run.model, "model"):
        if isinstance(node.get("pretrained"), str):
            yield join(key, "pretrained"), node["pretrained"]
        for where, entry in each(node.get("init_cfg"), join(key, "init_cfg")):
            if type_name(entry) in _PRETRAINED and isinstance(entry.get("checkpoint"), str):
                yield join(where, "checkpoint"), entry["checkpoint"]
    if isinstance(run.get("load_from"), str):
        yield "load_from", run.get("load_from")


def _width(run: RunConfig) -> Iterator[Finding]:
    """Weights whose name tells another width than the backbone has: none of their tensors would fit."""
    spec = getattr(getattr(run.network.parts, "backbone", None), "spec", None)
    stages = getattr(spec, "stages", None)
    if not stages or not hasattr(stages[-1], "branches"):
        return
    width = stages[-1].branches[0].width
    for key, source in _sources(run):
        named = _WIDTH.search(source.rpartition("/")[2])
        if named and key.startswith("model.backbone") and int(named[1]) != width:
            found = f"{source.rpartition('/')[2]}, weights of width {named[1]}"
            do = "Weights of another width do not fit: name those of this one, or take them out"
            yield Finding(ERROR, CHECK, key, found, f"weights of width {width}, the backbone's", do)


def _two_sources(run: RunConfig) -> Iterator[Finding]:
    inside = run.get("model.backbone.pretrained")
    if run.get("model.pretrained") and (inside or run.get("model.backbone.init_cfg")):
        do = "Drop the one of the model"
        yield Finding(ERROR, CHECK, "model.pretrained", "weights beside those of the backbone", "one of the two", do)
    if run.get("resume") and run.get("load_from"):
        do = "The run goes on from this checkpoint, with its optimizer and its number of epochs"
        yield Finding(NOTE, CHECK, "resume", f"True with load_from={run.get('load_from')!r}", "False to fine-tune", do)


def _kept_at_random(run: RunConfig) -> Iterator[Finding]:
    backbone = run.model.get("backbone")
    if not isinstance(backbone, Mapping) or "model.backbone" in run.network.failures:
        return
    frozen, kind = backbone.get("frozen_stages", -1), run.find("model", backbone)
    none = default_of(kind, "frozen_stages", -1) if kind else -1
    if isinstance(frozen, int) and frozen > none and not run.is_misnamed("model.backbone.frozen_stages"):
        do = "Name weights in init_cfg or load_from, or freeze nothing (-1)"
        found = f"{frozen}, stages that are kept at their random beginning"
        yield Finding(ERROR, CHECK, "model.backbone.frozen_stages", found, "-1 without weights", do)
    norms = [isinstance(module, _BatchNorm) for module in run.network.parts.modules()]
    if any(norms) and _norms_are_kept(run, backbone):
        do = "Name weights in init_cfg or load_from, or set it to False"
        found = "True, norms that never see the data"
        yield Finding(ERROR, CHECK, "model.backbone.norm_eval", found, "False without weights", do)


def _norms_are_kept(run: RunConfig, backbone: Mapping[str, Any]) -> bool:
    given = backbone.get("norm_eval")
    if given is not None:
        return bool(given)
    built = getattr(run.network.parts, "backbone", None)
    return bool(getattr(built, "norm_eval", False))
