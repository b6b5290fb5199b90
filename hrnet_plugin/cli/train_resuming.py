"""How `hrnet train` goes on from a checkpoint: from which, with which loop, and after a restart by itself."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import child, type_name
from hrnet_plugin.errors import CheckpointError, ConfigError

from .pretrained_sources import local_checkpoint

if TYPE_CHECKING:
    from mmengine.config import Config

#: How often torchrun has started the processes anew, and Slurm the job.
_RESTARTS = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
_LOOPS = ("EpochBasedTrainLoop", "IterBasedTrainLoop")


def add_resume_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet train` that are about going on."""
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CKPT",
        help="go on from this checkpoint; without a value, from the newest in the work dir that is what was written",
    )
    parser.add_argument(
        "--on-batch-change",
        choices=("refuse", "rescale", "keep"),
        help="resumed with another number of samples an update: stop (default), scale the learning rate in "
        "proportion, or keep it",
    )
    parser.add_argument(
        "--save-in-background", action="store_true", help="write checkpoints in a thread while training goes on"
    )


def apply_resuming(cfg: Config, args: argparse.Namespace) -> list[str]:
    """Puts our loops and our checkpoint hook in the place of mmengine's, and the checkpoint to go on from.

    Returns:
        What the user should be told: checkpoints that were passed over.

    Raises:
        ConfigError: a flag that the config has nothing for; `--resume` where there is nothing.
        CheckpointError: the checkpoint is not there, or is not what was written.
    """
    _take_our_loop(cfg, args.on_batch_change)
    _take_our_hook(cfg, args.save_in_background)
    wanted = args.resume
    if wanted is None and cfg.get("resume") and not cfg.get("load_from"):
        wanted = "auto" if _checkpoints(cfg.work_dir) else None
    if wanted is None and was_restarted() and _checkpoints(cfg.work_dir):
        wanted = "auto"
    if wanted is None:
        return []
    path, notices = find_resume_point(wanted, cfg.work_dir)
    cfg.resume, cfg.load_from = True, str(path)
    return notices


def was_restarted() -> bool:
    """Whether torchrun has started the processes anew, or Slurm the job."""
    return any(os.environ.get(name, "0") not in ("", "0") for name in _RESTARTS)


def find_resume_point(wanted: str, work_dir: str) -> tuple[Path, list[str]]:
    """The checkpoint from which training goes on.

    Args:
        wanted: A path, or 'auto' for the newest of the work dir that is what was written.
        work_dir: Where the earlier run left its checkpoints.

    Returns:
        Its path, and what the user should be told: newer ones that are damaged.

    Raises:
        ConfigError: 'auto', and there is no checkpoint.
        CheckpointError: the checkpoint is not there, or all are damaged.
    """
    from hrnet_plugin.checkpoints.newest import find_newest
    from hrnet_plugin.checkpoints.sums import fault_of, sum_file

    if wanted != "auto":
        path = Path(local_checkpoint(wanted)).expanduser()
        if path.is_file() and sum_file(path).is_file() and (fault := fault_of(path)):
            do = "Resume from another (--resume without a value takes the newest that is sound)"
            raise CheckpointError(f"--resume: checkpoint {path}", found=fault, do=do)
        return path, []
    paths = _checkpoints(work_dir)
    newest = find_newest(paths)
    skipped = [f"--resume passes over {path}: {fault}" for path, fault in newest.skipped]
    if newest.path is not None:
        return newest.path, skipped
    if skipped:
        raise CheckpointError(
            f"--resume: no checkpoint in {work_dir} can be resumed from",
            found="; ".join(f"{path.name}: {fault}" for path, fault in newest.skipped),
            do="Name another checkpoint after --resume, or leave it out to start anew",
        )
    raise ConfigError(
        f"--resume: nothing to resume in {work_dir}",
        found="no checkpoint of a training there",
        expected="the work dir of an earlier run",
        do="Name a checkpoint after --resume, or leave it out to start anew",
    )


def _checkpoints(work_dir: str) -> list[Path]:
    """Those in a work dir, and those that its note says are elsewhere (`out_dir` of the hook)."""
    folders = [Path(work_dir)]
    note = Path(work_dir, "last_checkpoint")
    if note.is_file():
        remembered = Path(note.read_text(encoding="utf-8", errors="replace").strip())
        if remembered.is_file():
            folders.append(remembered.parent)
    unique = {path.resolve(): path for folder in folders for path in folder.glob("*.pth") if path.is_file()}
    return [*unique.values()]


def _take_our_loop(cfg: Config, on_batch_change: str | None) -> None:
    loop = cfg.get("train_cfg")
    if not loop:
        return
    name = type_name(loop)
    if not name:
        name = "EpochBasedTrainLoop" if loop.pop("by_epoch", True) else "IterBasedTrainLoop"
    if name not in _LOOPS:
        if on_batch_change is not None:
            raise ConfigError(
                "--on-batch-change", found=f"a loop of type {name}", expected=f"one of {', '.join(_LOOPS)}"
            )
        return
    loop["type"] = f"hrnet_plugin.{name}"
    if on_batch_change is not None:
        loop["on_batch_change"] = on_batch_change


def _take_our_hook(cfg: Config, background: bool) -> None:
    hooks = child(cfg, "default_hooks")
    if "checkpoint" not in hooks:
        hooks["checkpoint"] = {"type": "CheckpointHook", "interval": 1}
    hook = hooks["checkpoint"]
    ours = "hrnet_plugin.CheckpointHook"
    if hook is not None and type_name(hook) in ("CheckpointHook", ours):
        hook["type"] = ours
        if background:
            hook["background"] = True
    elif background:
        found = "none" if hook is None else type_name(hook)
        raise ConfigError("--save-in-background: default_hooks.checkpoint", found=found, expected="CheckpointHook")
