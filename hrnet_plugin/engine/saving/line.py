"""The line of trainings whose checkpoints a folder holds, each going on from one before it; others are set aside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmengine.runner import Runner
from mmengine.runner.checkpoint import find_latest_checkpoint

from hrnet_plugin.checkpoints.atomic import write_text_atomically
from hrnet_plugin.checkpoints.newest import Saved, when_saved
from hrnet_plugin.checkpoints.saved_files import is_of_training, saved_files
from hrnet_plugin.checkpoints.sums import sum_file
from hrnet_plugin.errors import CheckpointError


@dataclass(frozen=True)
class Start:
    """From what a training starts.

    Args:
        resumes: Whether it goes on from a checkpoint.
        source: The checkpoint, of a training or with weights to begin with; None where there is none, or not known.
    """

    resumes: bool
    source: Path | None

    @classmethod
    def of(cls, runner: Runner, is_handed_over: bool) -> Start:
        """That of a training that has loaded what it starts from.

        Args:
            runner: Its runner.
            is_handed_over: Whether its loop has been given what a checkpoint holds; it may count from 0 all the same.
        """
        resumes = bool(is_handed_over or runner.iter or runner.epoch)
        source = getattr(runner, "_load_from", None) or (resumes and find_latest_checkpoint(runner.work_dir))
        return cls(resumes, Path(source) if source else None)

    def is_in(self, folder: str | os.PathLike[str]) -> bool:
        """Whether it goes on from what the folder holds; so it is taken, where that is not known."""
        return self.resumes and (self.source is None or _is_same(self.source.parent, Path(folder)))


@dataclass(frozen=True)
class Line:
    """What a folder holds when a training begins.

    Args:
        number: The largest of a saving.
        set_aside: Where the checkpoints of another line are now, if there were any.
    """

    number: int
    set_aside: Path | None


def begin_line(folder: Path, template: str, start: Start, note: Path) -> Line:
    """Leaves in a folder only the checkpoints that a training goes on from; moves the others into a subfolder.

    Where it goes on from one of them, those that were saved later are the others.

    Args:
        folder: Of the checkpoints.
        template: Of their names.
        start: From what the training starts.
        note: `last_checkpoint`, which goes with the checkpoint that it names.

    Raises:
        CheckpointError: they cannot be moved.
    """
    known = {path: _saved(path) for path in saved_files(folder, template)}
    others = [path for path in known if path.parent == folder and is_of_training(path.name, template)]
    if start.is_in(folder):
        others = _later(others, known, start.source)
    number = max((saved.number for saved in known.values() if saved), default=0)
    return Line(number, _set_aside(others, folder, note, keeps=start.source) if others else None)


def _saved(path: Path) -> Saved | None:
    with suppress(CheckpointError, OSError):
        return when_saved(path)
    return None


def _later(paths: list[Path], known: Mapping[Path, Saved | None], source: Path | None) -> list[Path]:
    """Those saved later than the source, where a training could go on from one of them."""
    origin = source and _saved(source)
    later = [path for path in paths if origin and known[path] and known[path] > origin]
    return later if any(known[path].resumable for path in later) else []


def _set_aside(paths: list[Path], folder: Path, note: Path, keeps: Path | None) -> Path:
    target = next(one for number in range(1, 10**6) if not (one := folder / f"earlier_{number}").exists())
    try:
        noted = _noted(note)
        target.mkdir()
        for path in paths:
            if keeps is not None and _is_same(path, keeps):
                # This run, started anew, reads it here; it keeps a second name for when its own file takes this one.
                with suppress(OSError):
                    os.link(path, target / path.name)
                continue
            if sum_file(path).exists():
                sum_file(path).rename(sum_file(target / path.name))
            path.rename(target / path.name)
        if noted is not None and any(_is_same(noted, path) for path in paths):
            write_text_atomically(str(target / noted.name), target / note.name)
            note.unlink()
    except OSError as error:
        raise CheckpointError(
            f"checkpoints of an earlier training in {folder}",
            found=f"'{error.strerror or error}' when they were to be moved into {target.name}",
            do="Move them away, or name another --work-dir",
        ) from error
    return target


def _noted(note: Path) -> Path | None:
    return Path(note.read_text(encoding="utf-8", errors="replace").strip()) if note.is_file() else None


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
