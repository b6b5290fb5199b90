"""The flags of the command line, put into a config. What the user types wins over what the config says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import child, dicts_in, raw_items, type_name
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.plain import as_list

from .train_health import apply_health
from .train_resuming import apply_resuming
from .train_speed import apply_speed

if TYPE_CHECKING:
    from mmengine.config import Config

METRIC_FILES = (".json", ".yaml", ".yml", ".pkl")


def set_work_dir(cfg: Config, given: str | None, config_file: Path) -> None:
    """The work dir: as given, else the config's own, else `work_dirs/<name of the config>`."""
    cfg.work_dir = given or cfg.get("work_dir") or str(Path("work_dirs", config_file.stem))


def is_segmentation(cfg: Config) -> bool:
    """Whether the config describes a segmentation (decode head) rather than a pose network."""
    return "decode_head" in cfg.model or cfg.get("default_scope") == "mmseg"


def apply_train_flags(cfg: Config, args: argparse.Namespace) -> list[str]:
    """Put the flags of `hrnet train` into the config; returns what the user should be told.

    Raises:
        ConfigError: a flag that the config has nothing for.
        CheckpointError: the checkpoint to resume from is not there, or is not what was written.
    """
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    notices = apply_speed(cfg, args)
    apply_health(cfg, args)
    if args.auto_scale_lr:
        if "base_batch_size" not in (cfg.get("auto_scale_lr") or {}):
            raise ConfigError("--auto-scale-lr", found="no auto_scale_lr.base_batch_size in the config")
        cfg.auto_scale_lr.enable = True
    if args.seed is not None:
        cfg.randomness = {**(cfg.get("randomness") or {}), "seed": args.seed}
    return notices + apply_resuming(cfg, args)


def apply_test_flags(cfg: Config, args: argparse.Namespace) -> None:
    """Put the flags of `hrnet test` into the config, but for `--tta`.

    Raises:
        ConfigError: a flag that the config has nothing for.
    """
    cfg.load_from, cfg.resume = args.checkpoint, False
    if args.dump:
        if not args.dump.endswith((".pkl", ".pickle")):
            raise ConfigError(f"--dump {args.dump}", expected="a .pkl file")
        evaluators = as_list(cfg.test_evaluator)
        cfg.test_evaluator = [*evaluators, {"type": "DumpResults", "out_file_path": args.dump}]
    if args.out and not is_segmentation(cfg) and Path(args.out).suffix not in METRIC_FILES:
        raise ConfigError(f"--out {args.out}", expected="a file for the metrics, .json, .yaml or .pkl")
    if args.out and not wants_metrics_file(cfg, args.out):
        for evaluator in as_list(cfg.test_evaluator):
            if type_name(evaluator) != "DumpResults":
                evaluator.update(output_dir=args.out, keep_results=True)


def set_test_time_augmentation(cfg: Config) -> list[str]:
    """Switch test-time augmentation on (`--tta`); returns what the user should be told.

    Raises:
        ConfigError: a config other than of a pose network without `tta_pipeline` or `tta_model`.
    """
    if not is_segmentation(cfg) and cfg.get("default_scope") not in ("mmdet", "mmpretrain"):
        child(cfg.model, "test_cfg")["flip_test"] = True
        return ["--tta: a pose network averages each image with its mirror image (flip_test)"]
    for key in ("tta_pipeline", "tta_model"):
        if not cfg.get(key):
            raise ConfigError("--tta", found=f"no {key} in the config", expected="tta_pipeline and tta_model")
    for dataset in dicts_in(cfg.test_dataloader.dataset):
        if "pipeline" in dataset:
            dataset["pipeline"] = cfg.tta_pipeline
    cfg.model = {**dict(raw_items(cfg.tta_model)), "module": cfg.model}
    return []


def wants_metrics_file(cfg: Config, out: str) -> bool:
    """Whether `--out` names a file for the metrics (pose always), not a folder for label maps (segmentation)."""
    return not is_segmentation(cfg) or Path(out).suffix in METRIC_FILES


def apply_drawing_flags(cfg: Config, args: argparse.Namespace) -> None:
    """Switch the framework's visualization hook on where `--show` or `--show-dir` asks for it."""
    if not args.show and args.show_dir is None:
        return
    hooks = child(cfg, "default_hooks")
    hook = hooks.get("visualization") or {
        "type": "SegVisualizationHook" if is_segmentation(cfg) else "PoseVisualizationHook"
    }
    hook.update(show=args.show, interval=args.interval)
    if args.show:
        hook["wait_time"] = args.wait_time
    # An absolute path, since mmpose would put a relative one below the work dir.
    folder = str(Path(args.show_dir).expanduser().resolve()) if args.show_dir is not None else None
    if type_name(hook) in ("PoseVisualizationHook", "VisualizationHook"):  # of mmpose and mmpretrain
        hook.update(enable=True, out_dir=folder)
    else:
        hook["draw"] = True
        if folder is not None:
            _set_drawing_folder(cfg, folder)
    hooks["visualization"] = hook


def _set_drawing_folder(cfg: Config, folder: str) -> None:
    visualizer = cfg.get("visualizer") or {
        "type": "SegLocalVisualizer",
        "vis_backends": [{"type": "LocalVisBackend"}],
        "name": "visualizer",
    }
    visualizer["save_dir"] = folder
    cfg.visualizer = visualizer
