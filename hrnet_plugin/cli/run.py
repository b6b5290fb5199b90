"""A run from its flags to its summary: config, checks, mmengine's runner."""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config

from . import overrides, preflight
from .config_kinds import check_kinds
from .data_root import point_at, use_ground_truth_boxes
from .explain import explained
from .image_checks import check_images_when_loaded
from .launch import check_launch, end_with_launcher, notice_silence
from .operators import check_operators
from .pretrained_sources import local_checkpoint, localise_weights, require_weights
from .test_report import check_folder, check_task, report_hook, write_report
from .test_runtime import check_runtime_flags, open_exported, runtime_hook

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner

    from hrnet_plugin.deploy.runtimes.base import Runtime


@dataclass
class PreparedRun:
    """A config that is ready to be run.

    Args:
        cfg: With all flags in it; what it needs from the disk has been checked.
        notices: What the user should be told at the start and at the end.
        metrics_file: Where the metrics of a test go, if anywhere.
        runtime: That of an exported file, if one is tested.
    """

    cfg: Config
    notices: list[str] = field(default_factory=list)
    metrics_file: str | None = None
    runtime: Runtime | None = None


def train(args: argparse.Namespace) -> int:
    """Train as the flags of `hrnet train` say; returns the exit status."""
    from .summary import is_first_rank, print_train_summary

    started = time.monotonic()
    run = prepare_training(args)
    with explained(run.cfg):
        runner = build_runner(run, _share_to_train_from(run.cfg), trains=True)
        runner.train()
    if is_first_rank():
        print_train_summary(runner, time.monotonic() - started, run.notices)
    return 0


def test(args: argparse.Namespace) -> int:
    """Test as the flags of `hrnet test` say; returns the exit status."""
    from hrnet_plugin.engine import ProgressHook

    from .summary import is_first_rank, print_test_summary

    started = time.monotonic()
    run = prepare_test(args)
    with explained(run.cfg):
        runner = build_runner(run, 1.0, trains=False)
        runner.register_hook(ProgressHook())
        runtime = runtime_hook(args, runner, run.notices, run.runtime)
        runner.register_hook(runtime)
        report = report_hook(run.cfg, runner) if args.report else None
        metrics = runner.test()
    if is_first_rank():
        if run.metrics_file:
            _write_metrics(metrics, run.metrics_file)
        print_test_summary(runner, metrics, time.monotonic() - started, run.notices, runtime.summary())
        if report:
            write_report(report, runner, args, metrics, runtime.summary())
    return 0


def prepare_training(args: argparse.Namespace) -> PreparedRun:
    """The config of a training, checked.

    Raises:
        UserError: something that the run needs is missing or wrong.
    """
    run = _read(args)
    preflight.check_loader(run.cfg, "train_dataloader")
    run.notices += overrides.apply_train_flags(run.cfg, args)
    validates = run.cfg.get("val_dataloader") is not None
    _place_data(run, args, "val_dataloader")
    missing = localise_weights(run.cfg, replaced=bool(run.cfg.get("resume") and run.cfg.get("load_from")))
    if run.cfg.get("load_from"):
        preflight.check_checkpoint_file(run.cfg.load_from, "--resume" if args.resume else "load_from")
    else:  # weights that a checkpoint will replace are not missed
        if args.require_pretrained:
            require_weights(missing)
        run.notices += map(str, missing)
        preflight.check_pretrained_files(run.cfg)
    loaders = ("train_dataloader", "val_dataloader") if validates else ("train_dataloader",)
    preflight.check_data(run.cfg, loaders, ("val_evaluator",) if validates else ())
    _finish(run, args)
    return run


def prepare_test(args: argparse.Namespace) -> PreparedRun:
    """The config of a test, checked.

    Raises:
        UserError: something that the run needs is missing or wrong.
    """
    exported = args.checkpoint.endswith(preflight.EXPORTED)
    if not exported:
        check_runtime_flags(args)
    run = _read(args)
    preflight.check_loader(run.cfg, "test_dataloader")
    if args.report:
        check_task(run.cfg)
    if exported:
        run.runtime = open_exported(run.cfg, args)
    else:
        args.checkpoint = local_checkpoint(args.checkpoint)
        preflight.check_checkpoint_file(args.checkpoint)
    overrides.apply_test_flags(run.cfg, args)
    if exported:
        run.cfg.load_from = None
    if args.out and overrides.wants_metrics_file(run.cfg, args.out):
        run.metrics_file = args.out
    if args.tta:
        run.notices += overrides.set_test_time_augmentation(run.cfg)
    _place_data(run, args, "test_dataloader")
    localise_weights(run.cfg, replaced=True)
    preflight.check_data(run.cfg, ("test_dataloader",), ("test_evaluator",))
    for flag in ("out", "dump"):
        if path := getattr(args, flag):
            is_file = flag == "dump" or run.metrics_file is not None
            preflight.check_writable(Path(path).parent if is_file else path, f"--{flag}: folder")
    if args.report:
        check_folder(args.report)
    _finish(run, args)
    return run


def build_runner(run: PreparedRun, required_share: float, *, trains: bool) -> Runner:
    """mmengine's runner with the checks that need a built network or open data sets.

    Args:
        required_share: How much of the network the checkpoint to load must fill, 0 to 1.
        trains: Whether the runner is to train, or to test.

    Raises:
        UserError: parts of the config do not fit together, or need what is not installed.
    """
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner
    from torch import nn

    from hrnet_plugin.engine import (
        BatchDecodingHook,
        CheckpointFitHook,
        DataCheckHook,
        FinitePredictionsHook,
        LogFailuresHook,
        NoticeHook,
        PreemptionHook,
    )
    from hrnet_plugin.engine.checkpoint_fit import unwrapped
    from hrnet_plugin.engine.network_fit import check_network

    cfg = run.cfg
    runner = RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)
    if isinstance(runner.model, nn.Module):  # a runner of another type may build it later
        network = unwrapped(runner.model)
        check_operators(network, trains=trains, predicts=not trains or cfg.get("val_dataloader") is not None)
        check_network(network, cfg.model.get("module", cfg.model))
    runner.register_hook(DataCheckHook())
    runner.register_hook(BatchDecodingHook())
    runner.register_hook(FinitePredictionsHook())
    runner.register_hook(NoticeHook(run.notices, at_end=False))
    if trains:
        runner.register_hook(PreemptionHook())
        runner.register_hook(LogFailuresHook())
    if cfg.get("load_from"):
        resumes = bool(cfg.get("resume"))
        runner.register_hook(CheckpointFitHook(cfg.load_from, required=required_share, resumes=resumes))
    return runner


def _share_to_train_from(cfg: Config) -> float:
    from hrnet_plugin.checkpoints.loading.report import SHARE_TO_START_FROM

    return 1.0 if cfg.get("resume") else SHARE_TO_START_FROM


def _read(args: argparse.Namespace) -> PreparedRun:
    if args.launcher == "pytorch":
        os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    elif args.launcher == "mpi" and "OMPI_COMM_WORLD_LOCAL_RANK" in os.environ:
        # mmengine sets the device by mpirun's variable and wraps the model by this one.
        os.environ["LOCAL_RANK"] = os.environ["OMPI_COMM_WORLD_LOCAL_RANK"]
    path = find_config(args.config)
    cfg = load_config(path, args.cfg_options)
    check_kinds(cfg)
    cfg.launcher = args.launcher
    if "preprocess_cfg" in cfg:  # an older place of mmpose's configs for it
        cfg.model.setdefault("data_preprocessor", cfg.preprocess_cfg)
    overrides.set_work_dir(cfg, args.work_dir, path)
    overrides.apply_drawing_flags(cfg, args)
    notice_silence(cfg)
    end_with_launcher()
    return PreparedRun(cfg, check_launch(args.launcher))


def _place_data(run: PreparedRun, args: argparse.Namespace, evaluated: str) -> None:
    if args.data_root:
        point_at(run.cfg, args.data_root)
    run.notices += use_ground_truth_boxes(run.cfg, evaluated, always=args.gt_boxes)


def _finish(run: PreparedRun, args: argparse.Namespace) -> None:
    check_images_when_loaded(run.cfg)
    preflight.check_writable(run.cfg.work_dir, "work dir")
    if args.show_dir:
        preflight.check_writable(args.show_dir, "--show-dir")


def _write_metrics(metrics: dict, path: str) -> None:
    import mmengine

    mmengine.dump({name: float(value) for name, value in metrics.items()}, path)
