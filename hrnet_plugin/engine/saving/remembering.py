"""What a checkpoint hook remembers of what it has saved: put back where it could not be saved after all."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

#: How the message hub calls the path of the best checkpoint; with several metrics, `_` and the metric's name follow.
_BEST = "best_ckpt"
_ATTRIBUTES = ("last_ckpt", "keep_ckpt_ids", "best_ckpt_path", "best_ckpt_path_dict")


@dataclass
class Saving:
    """Files that are to be written together, and what follows from their standing.

    Args:
        undo: Forgets them, but for a best checkpoint among the paths that could be written.
        files: Bytes and path of each, in the order in which they are to be written.
        written: Paths of those that stand.
        outdated: Paths to be removed once they stand.
        is_due: Whether a checkpoint is among them that is due by the interval.
    """

    undo: Callable[[Collection[str]], None]
    files: list[tuple[bytes, str]] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    is_due: bool = False


def remembered(hook: CheckpointHook, runner: Runner) -> Callable[[Collection[str]], None]:
    """What puts back what hook and message hub know of checkpoints now: the last, those to keep, the best."""
    attributes = {name: copy.deepcopy(getattr(hook, name)) for name in _ATTRIBUTES if hasattr(hook, name)}
    info = runner.message_hub.runtime_info
    known = {key: copy.deepcopy(value) for key, value in info.items() if _is_of_checkpoints(key)}

    def undo(written: Collection[str]) -> None:
        best = [key for key, path in info.items() if key.startswith(_BEST) and path in written]
        stand = {key: info[key] for name in best for key in (name, name.replace(_BEST, "best_score", 1)) if key in info}
        for name, value in attributes.items():
            setattr(hook, name, value)
        for key in filter(_is_of_checkpoints, list(info)):
            del info[key]
        info.update(known | stand)
        for key in best:
            _set_best(hook, key, info[key])

    return undo


def _is_of_checkpoints(key: str) -> bool:
    return key.startswith("best_") or key in ("last_ckpt", "keep_ckpt_ids", "preemption_ckpt")


def follow_folder(hook: CheckpointHook, runner: Runner, source: Path) -> None:
    """Lets hook and message hub know checkpoints by where they are now.

    A checkpoint knows others by the paths that they had when it was written. Its folder may have been moved or copied.

    Args:
        hook: What it knows is the message hub's.
        runner: Of the training that goes on.
        source: The checkpoint from which it goes on.
    """
    info = runner.message_hub.runtime_info
    folder = Path(str(info.get("last_ckpt") or source)).parent
    for key in [key for key in info if key.startswith(_BEST) or key in ("last_ckpt", "preemption_ckpt")]:
        path = Path(str(info[key]))
        now = source.parent / path.name if path.parent == folder else path
        if now.is_file():
            info[key] = str(now)
        elif key == "preemption_ckpt":
            del info[key]
        if key.startswith(_BEST):
            _set_best(hook, key, info[key])


def keep_only(hook: CheckpointHook, runner: Runner, kept: list[int]) -> list[int]:
    """Lets a hook go on with the checkpoints that it was to keep; of more than `max_keep_ckpts`, with the last.

    Returns:
        Those that are too many.
    """
    too_many: list[int] = []
    if hook.max_keep_ckpts > 0:
        too_many, kept = kept[: -hook.max_keep_ckpts], kept[-hook.max_keep_ckpts :]
        hook.keep_ckpt_ids = deque(kept, hook.max_keep_ckpts)
    if kept:
        runner.message_hub.update_info("keep_ckpt_ids", kept)
    return too_many


def _set_best(hook: CheckpointHook, key: str, path: str) -> None:
    if key == _BEST:
        hook.best_ckpt_path = path
    elif hasattr(hook, "best_ckpt_path_dict"):
        hook.best_ckpt_path_dict[key.removeprefix(f"{_BEST}_")] = path
