"""What a checkpoint hook remembers of what it has saved: put back where it could not be saved after all."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

_ATTRIBUTES = ("last_ckpt", "keep_ckpt_ids", "best_ckpt_path", "best_ckpt_path_dict")


@dataclass
class Saving:
    """Files that are to be written together, and what follows from their standing.

    Args:
        undo: Forgets them.
        files: Bytes and path of each, in the order in which they are to be written.
        outdated: Paths to be removed once they stand.
        due: Step and meta of the checkpoint that was due, if one was.
    """

    undo: Callable[[], None]
    files: list[tuple[bytes, str]] = field(default_factory=list)
    outdated: list[str] = field(default_factory=list)
    due: tuple[int, dict[str, Any]] | None = None


def remembered(hook: CheckpointHook, runner: Runner) -> Callable[[], None]:
    """What puts back what hook and message hub know of checkpoints now: the last, those to keep, the best."""
    attributes = {name: copy.deepcopy(getattr(hook, name)) for name in _ATTRIBUTES if hasattr(hook, name)}
    info = runner.message_hub.runtime_info
    known = {key: copy.deepcopy(value) for key, value in info.items() if _is_of_checkpoints(key)}

    def undo() -> None:
        for name, value in attributes.items():
            setattr(hook, name, value)
        for key in filter(_is_of_checkpoints, list(info)):
            del info[key]
        info.update(known)

    return undo


def _is_of_checkpoints(key: str) -> bool:
    return key.startswith("best_") or key in ("last_ckpt", "keep_ckpt_ids", "preemption_ckpt")
