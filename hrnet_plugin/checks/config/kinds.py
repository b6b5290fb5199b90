"""Values of another kind than their place takes: a number or a list where a dict has to stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hrnet_plugin.findings import ERROR, Finding

from .keys import each, join
from .places import SPLITS
from .run_config import RunConfig

CHECK = "wrong-kind"
_DICT, _LIST, _EITHER = "a dict", "a list of dicts", "a dict, or a list of them"
#: What mmengine's runner takes at the top of a config.
_SECTIONS = {
    **dict.fromkeys(("model", "data_preprocessor", "optim_wrapper", "auto_scale_lr", "default_hooks"), _DICT),
    **dict.fromkeys(("visualizer", "env_cfg", "randomness", "log_processor", "tta_model", "model_wrapper_cfg"), _DICT),
    **{f"{split}_cfg": _DICT for split in SPLITS},
    **{f"{split}_evaluator": _EITHER for split in ("val", "test")},
    "param_scheduler": _EITHER,
    "custom_hooks": _LIST,
    "tta_pipeline": _LIST,
    "optim_wrapper.optimizer": _DICT,
    "optim_wrapper.paramwise_cfg": _DICT,
    "optim_wrapper.paramwise_cfg.custom_keys": _DICT,
}
#: What the frameworks' own models take, and their data sets.
_OF_MODEL = {
    **dict.fromkeys(("backbone", "head", "data_preprocessor", "test_cfg"), _DICT),
    **dict.fromkeys(("neck", "decode_head", "auxiliary_head", "rpn_head", "roi_head", "bbox_head"), _EITHER),
}
_OF_DATA_SET = {"dataset": _DICT, "datasets": _LIST, "pipeline": _LIST, "metainfo": _DICT}
_OF_LOADER = {"dataset": _DICT, "sampler": _DICT, "batch_sampler": _DICT}
_FRAMEWORKS = ("mmengine.", "mmpose.", "mmseg.", "mmdet.", "mmpretrain.")
#: Kinds that no place here takes; objects of other kinds, which configs in Python may hold, are left alone.
_PLAIN = (str, bytes, int, float, set)
_SHOWN = 60


def check_kinds(run: RunConfig) -> Iterator[Finding]:
    """Sections and parts of the wrong kind, of which nothing else is told."""
    yield from run.kind_findings


def wrong_kinds(run: RunConfig) -> Iterator[Finding]:
    """The same, found anew."""
    for key, wanted in _SECTIONS.items():
        yield from _compared(run.get(key), key, wanted)
    hooks = run.get("default_hooks")
    for name, hook in hooks.items() if isinstance(hooks, dict) else ():
        yield from _compared(hook, join("default_hooks", name), _DICT)
    model = run.get("model")
    if isinstance(model, dict) and _is_known(run.find("model", model)):
        yield from _members(model, "model", _OF_MODEL)
    for split in SPLITS:
        # Loops of somebody's own may take several loaders.
        loop = run.get(f"{split}_cfg.type")
        wanted = _DICT if loop is None or _is_known(run.find("loop", {"type": loop})) else _EITHER
        yield from _compared(run.get(f"{split}_dataloader"), f"{split}_dataloader", wanted)
    for _, key, loader in run.loaders():
        yield from _members(loader, key, _OF_LOADER)
        for where, dataset in each(loader.get("dataset"), join(key, "dataset")):
            yield from _in_data_set(run, dataset, where)


def _in_data_set(run: RunConfig, node: Mapping[str, Any], key: str) -> Iterator[Finding]:
    if not _is_known(run.find("data set", node)):
        return
    yield from _members(node, key, _OF_DATA_SET)
    for name in ("dataset", "datasets"):
        for where, inner in each(node.get(name), join(key, name)):
            yield from _in_data_set(run, inner, where)


def _is_known(kind: Any) -> bool:
    """Whether a class is a framework's, whose arguments mean what is known of them."""
    return getattr(kind, "__module__", "").startswith(_FRAMEWORKS)


def _members(node: Mapping[str, Any], key: str, wanted: Mapping[str, str]) -> Iterator[Finding]:
    for name, kind in wanted.items():
        yield from _compared(node.get(name), join(key, name), kind)


def _compared(value: Any, key: str, wanted: str) -> Iterator[Finding]:
    is_list = isinstance(value, (list, tuple))
    is_dict = isinstance(value, dict) and value  # an empty one is an empty list to most that read it
    if isinstance(value, _PLAIN) or (is_list and wanted == _DICT) or (is_dict and wanted == _LIST):
        yield Finding(ERROR, CHECK, key, _shown(value), wanted)
    elif is_list:
        for index, item in enumerate(value):
            if isinstance(item, (*_PLAIN, list, tuple)):
                yield Finding(ERROR, CHECK, join(key, index), _shown(item), _DICT)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
