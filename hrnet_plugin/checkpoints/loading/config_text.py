"""How the network of a checkpoint joins its scales, read from the config that OpenMMLab's tools save with it.

The text of that config is Python. It is parsed and read as far as it holds plain values; nothing in it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from ...archs import CONVENTIONS, Conventions, find_arch, read_extra
from ...archs.spec import Fusion
from ...errors import SpecError

#: The entries of `meta` in which a config's text stands: mmengine's, and mmcv 1's under the name it gets when read.
_TEXTS = ("cfg", "config_text", "config")
#: The entry that tells by its presence which framework wrote a checkpoint.
_VERSIONS = {
    "mmpose_version": "mmpose",
    "mmseg_version": "mmseg",
    "mmdet_version": "mmdet",
    "mmcls_version": "mmpretrain",
    "mmpretrain_version": "mmpretrain",
}
#: Configs are some ten thousand characters long; what is far longer is none.
_LONGEST = 2_000_000


class _NotPlain(Exception):
    """A value that only running the text would give."""


def fusion_in_meta(meta: Mapping) -> tuple[Fusion, str] | None:
    """How the HRNet of an OpenMMLab checkpoint joins its scales, and who says so.

    The saved config decides; what it leaves out, and all where there is none, follows the framework's conventions.

    Args:
        meta: As a checkpoint holds it.

    Returns:
        None where nothing certain can be said, or the network is no HRNet.
    """
    framework = next((name for entry, name in _VERSIONS.items() if entry in meta), None)
    text = next((meta[name] for name in _TEXTS if isinstance(meta.get(name), str) and meta[name].strip()), None)
    if text is not None:
        values = read_values(text, ("model", "default_scope"))
        scope = values.get("default_scope")
        fusion = _fusion_of(values.get("model"), scope if scope in CONVENTIONS else framework)
        return (fusion, "its config") if fusion else None
    if framework is None:
        return None
    return Fusion(upsample_mode=CONVENTIONS[framework].upsample_mode), f"the convention of {framework}"


def read_values(text: str, names: tuple[str, ...]) -> dict[str, object]:
    """The plain values that a Python text gives to some names at its top level; names without one are left out.

    Understood are numbers, texts, lists, tuples, dicts, and `dict(...)` of them. A dict keeps those of its values that
    are plain.
    """
    if len(text) > _LONGEST:
        return {}
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, object] = {}
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id in names:
                try:
                    found[target.id] = _plain(node.value)
                except (_NotPlain, RecursionError):
                    found.pop(target.id, None)
    return found


def _plain(node: ast.expr) -> object:
    if isinstance(node, ast.Dict):
        pairs = [(key.value, value) for key, value in zip(node.keys, node.values, strict=True) if _is_word(key)]
        return _plain_dict(pairs)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
        return _plain_dict([(item.arg, item.value) for item in node.keywords if item.arg])
    if isinstance(node, ast.List | ast.Tuple):
        return tuple(_plain(item) for item in node.elts)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        raise _NotPlain from None


def _is_word(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def _plain_dict(pairs: list[tuple[str, ast.expr]]) -> dict[str, object]:
    values = {}
    for name, node in pairs:
        try:
            values[name] = _plain(node)
        except _NotPlain:
            continue
    return values


def _fusion_of(model: object, framework: str | None) -> Fusion | None:
    backbone = model.get("backbone") if isinstance(model, dict) else None
    if not isinstance(backbone, dict) and isinstance(model, dict) and isinstance(model.get("module"), dict):
        backbone = model["module"].get("backbone")  # inside test-time augmentation
    kind = backbone.get("type") if isinstance(backbone, dict) else None
    scope, _, name = kind.rpartition(".") if isinstance(kind, str) else ("", "", "")
    if name != "HRNet":
        return None
    own = scope == "hrnet_plugin"
    conventions = CONVENTIONS.get(framework or "" if own or not scope else scope)
    try:
        return _chosen(_described(backbone, conventions, own), backbone) if conventions or own else None
    except (SpecError, AttributeError, TypeError, ValueError):  # a description of a form that nobody knows
        return None


def _described(backbone: Mapping, conventions: Conventions | None, own: bool) -> Fusion:
    if backbone.get("extra") is not None:
        return read_extra(backbone["extra"], conventions).fusion
    return find_arch(backbone.get("arch") or "w32").fusion if own else Fusion(upsample_mode=conventions.upsample_mode)


def _chosen(fusion: Fusion, backbone: Mapping) -> Fusion:
    def chosen(name: str, otherwise: object) -> object:
        return otherwise if backbone.get(name) is None else backbone[name]

    mode = chosen("upsample_mode", fusion.upsample_mode)
    return Fusion(chosen("fuse_method", fusion.method), mode, chosen("align_corners", fusion.align_corners))
