"""Whether our config, resolved, is the upstream config that it stands for."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config_tree import rebuilt
from ..errors import MissingDependency
from ..models.pretrained import resolve_source
from ..plain import plain
from ..published.index import ZooModel
from ..published.sources import is_named
from .backbone import describe_backbone

if TYPE_CHECKING:
    from mmengine.config import Config

#: Everything that mmengine's runner and the frameworks' train and test tools read. Other keys of a config are names for
#: its own use.
RUN_KEYS = (
    "model",
    "train_dataloader",
    "val_dataloader",
    "test_dataloader",
    "train_cfg",
    "val_cfg",
    "test_cfg",
    "auto_scale_lr",
    "optim_wrapper",
    "param_scheduler",
    "val_evaluator",
    "test_evaluator",
    "default_hooks",
    "custom_hooks",
    "find_unused_parameters",
    "load_from",
    "resume",
    "launcher",
    "env_cfg",
    "log_processor",
    "log_level",
    "visualizer",
    "default_scope",
    "randomness",
    "experiment_name",
    "work_dir",
    "tta_model",
    "tta_pipeline",
    "compile",
    "sync_bn",
    "custom_imports",
    "model_wrapper_cfg",
    "activation_checkpointing",
    "runner_type",
    "strategy",
)


def upstream_path(model: ZooModel) -> Path:
    """The file of the upstream config in the installed framework.

    Raises:
        MissingDependency: the framework is not installed, or has no such config.
    """
    framework, _, path = model.upstream.partition("::")
    found = importlib.util.find_spec(framework)
    if found is None or found.origin is None:
        raise MissingDependency(framework, found="not installed", do="Run `hrnet doctor`")
    file = Path(found.origin).parent / ".mim" / "configs" / path
    if not file.is_file():
        raise MissingDependency(
            f"{framework}'s config {path}", found=f"nothing at {file}", expected="the version in requirements/"
        )
    return file


def run_parts(cfg: Config) -> dict:
    """What a run takes from a config, as plain dicts and lists; an empty or false value counts as none.

    The preprocessor that a config keeps at its top goes into the model, as mmengine's runner does it; weights by name
    become their URLs.
    """
    scope = cfg.get("default_scope")
    parts = {key: plain(value, scope) for key, value in cfg.to_dict().items() if key in RUN_KEYS and value}
    preprocessor = cfg.get("data_preprocessor")
    if preprocessor and "model" in parts:
        parts["model"].setdefault("data_preprocessor", plain(preprocessor, scope))
    return rebuilt(parts, _published)


def _published(value: object) -> object:
    """The URL in the place of `hrnet://NAME`: upstream knows no names."""
    return resolve_source(value) if isinstance(value, str) and is_named(value) else value


def differences(ours: Config, theirs: Config, allowed: Sequence[str] = ()) -> list[str]:
    """Where two resolved configs describe another run, a line each; none where they are the same.

    Args:
        ours, theirs: The configs.
        allowed: Keys (`model.head`) below which they may differ, but must somewhere; ours must have them.

    Allowed is: another class of backbone, its architecture by name, and that its weights are named by the backbone
    rather than by the model. What these lead to is compared: the description, every option, the initialisation and
    the source of the weights.
    """
    one, other = run_parts(ours), run_parts(theirs)
    scope = other["default_scope"]
    kind = str(one["model"]["backbone"].get("type"))
    if not kind.startswith("hrnet_plugin."):
        return [f"model.backbone.type: ours {kind!r}, expected a class of hrnet_plugin"]
    for parts in (one, other):
        described = describe_backbone(parts["model"], scope)
        parts["model"]["backbone"] = described
        parts["model"].pop("pretrained", None)
    lines = list(_compare(one, other, ""))
    for prefix in allowed:
        rest = [line for line in lines if not re.match(rf"{re.escape(prefix)}[.:\[](?! ours 'nothing')", line)]
        if len(rest) == len(lines):
            rest.append(f"{prefix}: the same, though the index says that it differs")
        lines = rest
    return lines


def _compare(ours: object, theirs: object, where: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys(), key=str):
            path = f"{where}.{key}" if where else str(key)
            if key not in ours or key not in theirs:
                yield _line(path, ours.get(key, "nothing"), theirs.get(key, "nothing"))
            else:
                yield from _compare(ours[key], theirs[key], path)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _compare(one, other, f"{where}[{index}]")
    elif ours != theirs:
        yield _line(where, ours, theirs)


def _line(where: str, ours: object, theirs: object) -> str:
    return f"{where}: ours {_short(ours)}, upstream {_short(theirs)}"


def _short(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
