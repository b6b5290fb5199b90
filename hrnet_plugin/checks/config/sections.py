"""The sections of a config: those that go together, those that nothing reads, and values that were copied too early."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import ConfigError, nearest
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.speed import read_speed

from .keys import join
from .run_config import RunConfig

UNREAD = "unread-key"
#: What mmengine's runner and our commands read of a config.
READ = frozenset(
    {"model", "train_dataloader", "val_dataloader", "test_dataloader", "train_cfg", "val_cfg", "test_cfg"}
    | {"val_evaluator", "test_evaluator", "optim_wrapper", "param_scheduler", "auto_scale_lr", "data_preprocessor"}
    | {"default_hooks", "custom_hooks", "custom_imports", "default_scope", "env_cfg", "randomness", "launcher"}
    | {"load_from", "resume", "work_dir", "experiment_name", "log_processor", "log_level", "visualizer"}
    | {"model_wrapper_cfg", "find_unused_parameters", "sync_bn", "activation_checkpointing", "compile", "strategy"}
    | {"efficient_conv_bn_eval", "runner_type", "tta_model", "tta_pipeline", "speed", "preprocess_cfg"}
)
#: Sections of OpenMMLab's earlier versions: keys of which they had one, and where what they said belongs now.
_EARLIER_SECTIONS = {
    "data": ({"samples_per_gpu", "train"}, "train_dataloader, val_dataloader and test_dataloader"),
    "lr_config": ({"policy", "warmup"}, "param_scheduler"),
    "optimizer_config": ({"grad_clip", "type"}, "optim_wrapper"),
    "checkpoint_config": ({"interval"}, "default_hooks.checkpoint"),
    "evaluation": ({"interval", "metric"}, "val_evaluator and train_cfg.val_interval"),
    "log_config": ({"interval", "hooks"}, "default_hooks.logger and visualizer"),
    "runner": ({"type"}, "train_cfg"),
    "dist_params": ({"backend"}, "env_cfg.dist_cfg"),
    "fp16": ({"loss_scale"}, "optim_wrapper of type AmpOptimWrapper"),
    "evaluator": ({"type", "metrics"}, "val_evaluator and test_evaluator"),
}
#: Single values that have another place, or that earlier versions read at the top.
_ELSEWHERE = {
    "total_epochs": "train_cfg.max_epochs",
    "resume_from": "load_from",
    "seed": "randomness.seed",
    "deterministic": "randomness.deterministic",
    "cudnn_benchmark": "env_cfg.cudnn_benchmark",
    "samples_per_gpu": "train_dataloader.batch_size",
    "batch_size": "train_dataloader.batch_size",
    "num_workers": "train_dataloader.num_workers",
    "val_interval": "train_cfg.val_interval",
    "save_best": "default_hooks.checkpoint.save_best",
    "flip_test": "model.test_cfg.flip_test",
    "frozen_stages": "model.backbone.frozen_stages",
    "lr": "optim_wrapper.optimizer.lr",
}
#: What several sections are there for, all of them or none.
_TOGETHER = {
    "train": ("train_dataloader", "train_cfg", "optim_wrapper"),
    "val": ("val_dataloader", "val_cfg", "val_evaluator"),
    "test": ("test_dataloader", "test_cfg", "test_evaluator"),
}
#: Keys of sections without a class of their own.
_KEYS = {
    "auto_scale_lr": ("enable", "base_batch_size"),
    "randomness": ("seed", "diff_rank_seed", "deterministic"),
    "env_cfg": ("cudnn_benchmark", "mp_cfg", "dist_cfg", "resource_limit"),
}
#: What frameworks read of `model.test_cfg`; somebody's own head may read more, so that misspelt ones alone are told.
_TEST_CFG = {
    "mmpose": (
        *("flip_test", "flip_mode", "shift_heatmap", "shift_coords", "flip_coords", "output_heatmaps"),
        *("output_keypoint_indices", "multiscale_test", "restore_heatmap_size", "align_corners"),
        *("nms_dist_thr", "nms_joints_thr", "score_thr", "pose_nms", "nms_thr", "nms_pre"),
    ),
    "mmseg": ("mode", "crop_size", "stride"),
}
#: How near a misspelt key is to the one that is meant.
_NEAR = 0.84


def check_sections(run: RunConfig) -> Iterator[Finding]:
    """Sections that are missing beside others, misspelt, of earlier versions, or with keys that nothing reads."""
    yield from _missing_partners(run)
    yield from _unread(run)
    for key, known in _KEYS.items():
        yield from _misspelt(run.get(key), key, known, certain=True)
    if run.framework in _TEST_CFG:
        yield from _misspelt(run.get("model.test_cfg"), "model.test_cfg", _TEST_CFG[run.framework], certain=False)
    yield from _speed(run)


def _missing_partners(run: RunConfig) -> Iterator[Finding]:
    for split, keys in _TOGETHER.items():
        there = [key for key in keys if run.tree.get(key) is not None]
        for key in keys:
            if there and run.tree.get(key) is None and not _is_typo(run, key):
                others = " and ".join(f"`{other}`" for other in there)
                enough = key in ("val_cfg", "test_cfg")
                do = f"`{key} = dict()` will do" if enough else f"Add it, or set the other parts of {split} to None"
                yield Finding(ERROR, "missing-section", key, "nothing", f"a section beside {others}", do)
    loop = run.tree.get("train_cfg")
    if isinstance(loop, dict):
        if "type" in loop and "by_epoch" in loop:
            yield Finding(
                ERROR, "missing-section", "train_cfg.by_epoch", "by_epoch beside type", "one of the two", "Drop one"
            )
        elif "type" not in loop and "by_epoch" not in loop:
            expected = "by_epoch=True with max_epochs, or by_epoch=False with max_iters"
            yield Finding(ERROR, "missing-section", "train_cfg.by_epoch", "nothing", expected)
    if run.tree.get("param_scheduler") and not run.tree.get("optim_wrapper"):
        yield Finding(ERROR, "missing-section", "optim_wrapper", "nothing", "an optimizer for the param_scheduler")


def _is_typo(run: RunConfig, key: str) -> bool:
    """Whether a section is there under a misspelt name, which is told by itself."""
    return any(_meant(name) == key for name in run.tree if name not in READ)


def _meant(name: object) -> str | None:
    """The section that a misspelt one was meant to be."""
    if name in READ or not isinstance(name, str) or name.endswith("_pipeline"):
        return None
    close = difflib.get_close_matches(name, READ, n=1, cutoff=_NEAR)
    return close[0] if close else None


def _unread(run: RunConfig) -> Iterator[Finding]:
    for name, value in run.tree.items():
        meant = _meant(name)
        if meant is not None and _looks_like(value, meant, run):
            yield Finding(ERROR, UNREAD, name, "a section that nothing reads", do=f"Did you mean {meant!r}?")
        elif name in _EARLIER_SECTIONS and isinstance(value, dict) and value.keys() & _EARLIER_SECTIONS[name][0]:
            do = f"Put what it says into {_EARLIER_SECTIONS[name][1]}"
            yield Finding(ERROR, UNREAD, name, "a section of an earlier version, which nothing reads", do=do)
        elif name in _ELSEWHERE and value is not None and not isinstance(value, dict):
            place = _ELSEWHERE[name]
            if run.get(place) != value:  # else: a variable that was copied there
                yield Finding(NOTE, UNREAD, name, "a value at the top, which nothing reads", do=f"Put it at {place}")


def _looks_like(value: Any, meant: str, run: RunConfig) -> bool:
    """Whether a variable that is called nearly like a section could be it, and is no list of a section's own parts."""
    there = run.tree.get(meant)
    if there is None or value is None:
        return there is not value
    return isinstance(value, dict) and isinstance(there, dict) and type_name(value) == type_name(there)


def _misspelt(node: Any, key: str, known: Any, *, certain: bool) -> Iterator[Finding]:
    for name in node if isinstance(node, dict) else ():
        if name in known or name in ("type", "_scope_"):
            continue
        if certain or difflib.get_close_matches(str(name), known, n=1, cutoff=_NEAR):
            yield Finding(ERROR, UNREAD, join(key, name), "an option that nothing reads", do=nearest(name, known))


def _speed(run: RunConfig) -> Iterator[Finding]:
    speed = run.tree.get("speed")
    if isinstance(speed, dict):
        try:
            read_speed(speed)
        except ConfigError as error:
            yield Finding(ERROR, UNREAD, error.what, str(error.found), str(error.expected or ""), error.do or "")
