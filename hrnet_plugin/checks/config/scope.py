"""The framework of a config: in whose scope its names are looked up, and whether the config says so."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from mmengine.registry import DefaultScope

from hrnet_plugin.findings import ERROR, Finding
from hrnet_plugin.wording import suggestion

from .lookup import Unavailable, find_class

FRAMEWORKS = ("mmpose", "mmseg", "mmdet", "mmpretrain")
_CHECK = "default-scope"


def read_scope(cfg: Mapping[str, Any]) -> tuple[str, str, list[Finding]]:
    """Where the names of a config are to be looked up.

    Returns:
        The scope, the framework that the model is of ('' where it is of none of the four), and what is wrong with the
        config's own `default_scope`.
    """
    stated = cfg.get("default_scope")
    model = cfg.get("model")
    kind = model.get("type") if isinstance(model, Mapping) else None
    framework, needs_scope = _framework(kind, stated)
    if stated == framework or (not stated and not needs_scope):
        return stated or "mmengine", framework, []
    if stated and not needs_scope and _is_scope(stated):
        return stated, framework, []
    if framework:
        do = "Without it, mmengine looks in its own registries alone" if not stated else f"Set it to {framework!r}"
        found = repr(stated) if stated else "nothing"
        expected = f"{framework!r}, where {kind!r} is found" if isinstance(kind, str) else repr(framework)
        return framework, framework, [Finding(ERROR, _CHECK, "default_scope", found, expected, do)]
    if stated and _is_scope(stated):
        return stated, stated if stated in FRAMEWORKS else "", []
    finding = Finding(
        ERROR,
        _CHECK,
        "default_scope",
        repr(stated) if stated else "nothing",
        " or ".join(map(repr, FRAMEWORKS)),
        suggestion(str(stated), FRAMEWORKS) or "" if stated else "",
    )
    return "mmengine", "", [finding]


def _framework(kind: object, stated: object) -> tuple[str, bool]:
    """The framework that has a class of models, and whether its name is found only with the right default scope."""
    if not isinstance(kind, str):
        home = getattr(kind, "__module__", "").partition(".")[0]
        return (home if home in FRAMEWORKS else ""), False
    prefix = kind.partition(".")[0]
    if prefix in FRAMEWORKS:
        return prefix, False
    first = [stated] if stated in FRAMEWORKS else []
    for framework in dict.fromkeys([*first, *FRAMEWORKS]):
        if find_spec(framework) and _has_model(framework, kind):
            return framework, True
    return "", True


def _has_model(framework: str, kind: str) -> bool:
    with DefaultScope.overwrite_default_scope(framework):
        try:
            return find_class("model", kind) is not None
        except Unavailable:
            return False


def _is_scope(name: object) -> bool:
    """Whether there is a package of this name with registries."""
    try:
        return isinstance(name, str) and find_spec(f"{name}.registry") is not None
    except (ImportError, ValueError):
        return False
