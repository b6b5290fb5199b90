"""What is done in the folder of the checkpoints before a training writes there."""

from __future__ import annotations

from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.runner import Runner

from hrnet_plugin.checkpoints.atomic import remove_partial_files
from hrnet_plugin.errors import ConfigError, UserError
from hrnet_plugin.restarts import was_restarted

from .folder_lock import PATIENCE, hold
from .line import Start, begin_line

#: Seconds for which a half-written file is left alone where it is not known whether others write there.
_IDLE = 3600.0


def take_folder(runner: Runner, folder: str, template: str, start: Start) -> int:
    """Keeps other trainings out, removes what a killed one left half-written, sets others' checkpoints aside.

    The first process does it; to be called by all.

    Args:
        runner: Of the training that begins.
        folder: Of its checkpoints, a local one.
        template: Of their names.
        start: From what it starts.

    Returns:
        The largest number of a saving there.

    Raises:
        ConfigError: another training is at work there.
        CheckpointError: checkpoints that are to be set aside cannot be moved.
    """
    outcome: list[int | UserError] = [0]
    if is_main_process():
        try:
            outcome[0] = _make_way(runner, folder, template, start)
        except UserError as error:
            outcome[0] = error
    broadcast_object_list(outcome)
    if isinstance(outcome[0], UserError):
        raise outcome[0]
    return outcome[0]


def _make_way(runner: Runner, folder: str, template: str, start: Start) -> int:
    is_held = _hold(runner, folder)
    for one in {folder, runner.work_dir}:
        remove_partial_files(one, idle=0 if is_held else _IDLE)
    line = begin_line(Path(folder), template, start, Path(runner.work_dir, "last_checkpoint"))
    if line.set_aside is not None:
        runner.logger.warning(f"Checkpoints of another training in {folder} are now in {line.set_aside.name}/ there")
    return line.number


def _hold(runner: Runner, folder: str) -> bool:
    """Whether the folder is this training's.

    A job that is started anew takes no notice of another for long: the server of a network disk may learn late, or
    never, that the machine has gone on which the job was before.
    """
    if not was_restarted():
        return hold(folder, PATIENCE)
    try:
        return hold(folder, 6 * PATIENCE)
    except ConfigError as error:
        runner.logger.warning(f"{error}. This job was started anew, and goes on")
        return False
