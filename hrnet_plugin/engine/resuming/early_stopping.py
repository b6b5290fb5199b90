"""What mmengine's early stopping has seen, which mmengine 0.10.7 forgets at a resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.runner import Runner

from hrnet_plugin.errors import CheckpointError

_SETTINGS = ("monitor", "rule", "min_delta", "patience", "stopping_threshold", "check_finite")


def count_before_saving(runner: Runner) -> None:
    """Has early stopping look at a validation before a checkpoint is written that says that it is done.

    mmengine's hook stands behind the one for checkpoints; nothing in between depends on it.
    """
    hooks = runner._hooks
    saving = next((hook for hook in hooks if isinstance(hook, CheckpointHook)), None)
    if saving is None:
        return
    place = hooks.index(saving)
    for hook in [hook for hook in hooks[place:] if isinstance(hook, EarlyStoppingHook)]:
        hooks.remove(hook)
        hooks.insert(hooks.index(saving), hook)


def early_stopping_of(runner: Runner) -> dict[str, Any] | None:
    """What is to be saved of it, as plain values; None where nothing stops early."""
    hooks = _hooks(runner)
    if not hooks:
        return None
    return {
        "stopped": bool(runner.train_loop.stop_training),
        "hooks": [
            {"settings": _settings(hook), "best_score": float(hook.best_score), "wait_count": int(hook.wait_count)}
            for hook in hooks
        ],
    }


def restore_early_stopping(runner: Runner, plain: object) -> None:
    """Gives the hooks what those of the same metric had, and ends a training that they had ended.

    Not where one is configured otherwise now: then the next validation decides.

    Args:
        runner: Of the training.
        plain: What :func:`early_stopping_of` gave.

    Raises:
        CheckpointError: it is not of that form; a checkpoint may come from anywhere.
    """
    if not _is_sound(plain):
        raise CheckpointError(
            "checkpoint, 'early_stopping'",
            found=repr(plain)[:200],
            expected="stopped, and of each hook its settings, best_score and wait_count",
            do="It was not written by this project: take the entry out, or another checkpoint",
        )
    hooks, saved = _hooks(runner), list(plain["hooks"])
    same = [_settings(hook) for hook in hooks] == [one["settings"] for one in saved]
    for hook in hooks:
        kind = hook.monitor, hook.rule
        found = next((one for one in saved if (one["settings"]["monitor"], one["settings"]["rule"]) == kind), None)
        if found is not None:
            saved.remove(found)
            hook.best_score, hook.wait_count = found["best_score"], found["wait_count"]
    if hooks and same and plain["stopped"]:
        runner.train_loop.stop_training = True
        runner.logger.warning(
            "resumed from the end of a training that EarlyStoppingHook had ended: it ends again. To go on, change its "
            "patience or leave it out"
        )


def _hooks(runner: Runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def _settings(hook: EarlyStoppingHook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in _SETTINGS}


def _is_sound(plain: object) -> bool:
    if not isinstance(plain, Mapping) or plain.keys() != {"stopped", "hooks"} or not isinstance(plain["hooks"], list):
        return False
    return type(plain["stopped"]) is bool and all(
        isinstance(one, Mapping)
        and one.keys() == {"settings", "best_score", "wait_count"}
        and isinstance(one["settings"], Mapping)
        and {"monitor", "rule"} <= one["settings"].keys()
        and (type(one["best_score"]), type(one["wait_count"])) == (float, int)
        for one in plain["hooks"]
    )
