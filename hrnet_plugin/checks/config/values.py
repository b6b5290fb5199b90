"""Values that a constructor refuses: transforms, codecs, metrics, optimizers, schedulers and hooks are built to see."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import UserError
from hrnet_plugin.findings import ERROR, Finding
from hrnet_plugin.wording import in_short

from .architecture import REFUSED, needs_package
from .lookup import CODEC
from .metrics import is_known
from .places import FOREIGN_TRANSFORMS, Place
from .run_config import RunConfig

#: Metrics read or write these files when they are built; hooks of mmengine that are built without a runner.
_FILES = {"ann_file": None, "output_dir": None, "outfile_prefix": "unused"}
_HOOKS = ("CheckpointHook", "EMAHook", "EarlyStoppingHook", "LoggerHook", "ParamSchedulerHook", "IterTimerHook")
_FRAMEWORKS = ("mmengine.", "mmpose.", "mmseg.", "mmdet.", "mmpretrain.", "mmcv.", "torch.", "hrnet_plugin.")


def check_values(run: RunConfig) -> Iterator[Finding]:
    """What each class of the frameworks says of its values; those that need files or a runner are not asked."""
    yield from run.value_findings


def refused_values(run: RunConfig) -> list[Finding]:
    """The same, found anew. What refuses because of something within it is left out."""
    found = [finding for place in run.places if (finding := _attempted(run, place)) is not None]
    keys = [finding.where for finding in found]
    return [one for one in found if not any(key.startswith(f"{one.where}.") for key in keys)]


def _attempted(run: RunConfig, place: Place) -> Finding | None:
    attempt = _ATTEMPTS.get(place.kind)
    if attempt is None or run.is_misnamed(place.key) or not place.node.get("type"):
        return None
    kind = run.find(place.kind, place.node)
    if kind is None or not getattr(kind, "__module__", "").startswith(_FRAMEWORKS):
        return None
    try:
        attempt(kind, place)
    except UserError as error:
        return Finding(ERROR, REFUSED, place.key, in_short(error))
    except Exception as error:
        if needs_package(error):  # an optional one, such as albumentations, which a run asks for by itself
            return None
        return Finding(ERROR, REFUSED, place.key, f"values that {type_name(place.type)} refuses: {in_short(error)}")
    return None


def _given(place: Place) -> dict[str, Any]:
    from mmengine.config import ConfigDict

    left_out = {"type", "_scope_", *(place.extra or ())}
    return {
        name: ConfigDict(copy.deepcopy(value)) if isinstance(value, Mapping) else copy.deepcopy(value)
        for name, value in place.node.items()
        if name not in left_out
    }


def _plainly(kind: Callable, place: Place) -> None:
    kind(**_given(place))


def _transform(kind: Callable, place: Place) -> None:
    if type_name(place.node) not in FOREIGN_TRANSFORMS and "transforms" not in place.node:
        kind(**_given(place))


def _metric(kind: Callable, place: Place) -> None:
    if not is_known(kind):  # others may open files when they are built
        return
    given = _given(place)
    given.update({name: value for name, value in _FILES.items() if name in given})
    kind(**given)


def _optimizer(kind: Callable, place: Place) -> None:
    kind(params=[_weight()], **_given(place))


def _scheduler(kind: Callable, place: Place) -> None:
    import torch

    kind(optimizer=torch.optim.SGD([_weight()], lr=0.1, momentum=0.9), **_given(place))


def _hook(kind: Callable, place: Place) -> None:
    if type_name(place.node) in _HOOKS:
        kind(**_given(place))


def _weight() -> Any:
    import torch

    return torch.nn.Parameter(torch.zeros(1))


_ATTEMPTS: Mapping[str, Callable[[Callable, Place], None]] = {
    "transform": _transform,
    CODEC: _plainly,
    "metric": _metric,
    "optimizer": _optimizer,
    "scheduler": _scheduler,
    "hook": _hook,
}
