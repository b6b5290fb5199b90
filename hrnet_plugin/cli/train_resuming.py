"""How `hrnet train` goes on from a checkpoint: from which, with which loop, and after a restart by itself."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import child, type_name
from hrnet_plugin.errors import CheckpointError, ConfigError
from hrnet_plugin.restarts import was_restarted

from .pretrained_sources import local_checkpoint

if TYPE_CHECKING:
    from mmengine.config import Config

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
    named = cfg.get("load_from") if cfg.get("resume") else None
    if args.resume not in (None, "auto"):
        named = local_checkpoint(args.resume)
    hook = child(cfg, "default_hooks")["checkpoint"] or {}
    path, notices = None, []
    if was_restarted():
        began_with = None if named else cfg.get("load_from")
        path, notices = _newest_since(named, began_with, _checkpoints(cfg.work_dir, hook), cfg.work_dir)
    elif cfg.get("resume") and not named:
        path, notices = _newest(_checkpoints(cfg.work_dir, hook), cfg.work_dir)
    if path is None and args.resume is not None:
        path, notices = find_resume_point(args.resume, cfg.work_dir, hook)
    if path is not None:
        cfg.resume, cfg.load_from = True, str(path)
    return notices


def find_resume_point(wanted: str, work_dir: str, hook: Mapping | None = None) -> tuple[Path, list[str]]:
    """The checkpoint from which training goes on.

    Args:
        wanted: A path, or 'auto' for the newest that is what was written.
        work_dir: Where an earlier run left its checkpoints.
        hook: The config of the checkpoint hook, which may name another folder, and other names.

    Returns:
        Its path, and what the user should be told: newer ones that are damaged.

    Raises:
        ConfigError: 'auto', and there is no checkpoint.
        CheckpointError: the checkpoint is not there, or all are damaged.
    """
    from hrnet_plugin.checkpoints.sums import fault_of, sum_file

    if wanted != "auto":
        path = Path(local_checkpoint(wanted)).expanduser()
        if path.is_file() and sum_file(path).is_file() and (fault := fault_of(path)):
            do = "Resume from another (--resume without a value takes the newest that is sound)"
            raise CheckpointError(f"--resume: checkpoint {path}", found=fault, do=do)
        return path, []
    path, skipped = _newest(_checkpoints(work_dir, hook or {}), work_dir)
    if path is not None:
        return path, skipped
    earlier = max(Path(work_dir).glob("earlier_*"), key=lambda folder: folder.stat().st_mtime, default=None)
    aside = f" (those of the training before are in {earlier})" if earlier else ""
    raise ConfigError(
        f"--resume: nothing to resume in {work_dir}",
        found="no checkpoint of a training there",
        expected="the work dir of an earlier run",
        do=f"Name a checkpoint after --resume{aside}, or leave it out to start anew",
    )


def _newest(paths: list[Path], work_dir: str) -> tuple[Path | None, list[str]]:
    """The newest that is sound, None where there is none at all, and newer ones that are damaged.

    Raises:
        CheckpointError: all are damaged.
    """
    from hrnet_plugin.checkpoints.newest import find_newest

    newest = find_newest(paths)
    if newest.path is None and newest.skipped:
        raise CheckpointError(
            f"--resume: no checkpoint in {work_dir} can be resumed from",
            found="; ".join(f"{path.name}: {fault}" for path, fault in newest.skipped),
            do="Name another checkpoint after --resume, or leave it out to start anew",
        )
    return newest.path, [f"--resume passes over {path}: {fault}" for path, fault in newest.skipped]


def _newest_since(
    named: str | None, begun_with: str | None, paths: list[Path], work_dir: str
) -> tuple[Path | None, list[str]]:
    """The newest that a training which is started anew has saved, None where it has saved none.

    Args:
        named: From what it goes on by flag or config, if it does.
        begun_with: The weights that it began with, which may be a checkpoint in the folder itself.
        paths: The checkpoints that stand.
        work_dir: As :func:`find_resume_point` takes it.
    """
    from hrnet_plugin.checkpoints.newest import when_saved

    path, notices = _newest([one for one in paths if not _is_still(begun_with, one)], work_dir)
    if path is None:
        return None, notices
    if named is None:
        return path, [*notices, f"started anew: goes on from {path}"]
    origin = Path(named).expanduser()
    if "://" not in named and origin.is_file():  # it may have been removed since: saved for a stop alone, say
        try:
            before, now = when_saved(origin), when_saved(path)
        except CheckpointError:
            return None, []
        if before is None or now is None or now <= before:
            return None, []
    return path, [*notices, f"started anew: goes on from {path}, which was saved later than {named}"]


def _is_still(begun_with: str | None, path: Path) -> bool:
    """Whether a file is the checkpoint that a training began with, and not one of its own by the same name.

    The checkpoint hook has given the former a second name when it set an earlier training's checkpoints aside.
    """
    if not begun_with or "://" in begun_with or not Path(begun_with).is_file() or not path.samefile(begun_with):
        return False
    return any(path.samefile(twin) for twin in path.parent.glob(f"earlier_*/{path.name}"))


def _checkpoints(work_dir: str, hook: Mapping) -> list[Path]:
    """Those in a work dir and in the folder to which the checkpoint hook's `out_dir` leads from there."""
    from hrnet_plugin.checkpoints.saved_files import saved_files

    template, out_dir = hook.get("filename_tmpl"), hook.get("out_dir")
    paths = saved_files(work_dir, template)
    if out_dir and "://" not in str(out_dir):
        paths += saved_files(Path(out_dir, Path(work_dir).name), template)
        note = Path(work_dir, "last_checkpoint")
        if note.is_file():  # the work dir may have another name now
            noted = Path(note.read_text(encoding="utf-8", errors="replace").strip())
            paths += [noted] if noted.is_file() and noted.parent.parent == Path(out_dir) else []
    return [*{path.resolve(): path for path in paths}.values()]


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
