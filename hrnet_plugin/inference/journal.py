"""What a run has finished: a line of JSON for each image or video, so that an interrupted run goes on from there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from ..disk import write_whole
from ..errors import ConfigError, DataError
from .output import KEYPOINT_RESULTS, RESULTS, Output, is_result, unwritable
from .records import Records
from .sources import Source

#: In the record of an input that could not be computed: why.
FAILED = "failed"
_HEADER = "hrnet infer"
_AGAIN = "Name another --out; --overwrite starts anew"
Record = dict[str, Any]


class Journal:
    """The lines of one folder of results; the first says what they were computed with.

    While it is open, no other process opens it. A line is there as a whole or, after a kill in the middle of it, taken
    away when the journal is opened again.

    Args:
        output: The folder.
        run: What the results depend on, each in a few words: config, weights, runtime, precision.
        overwrite: Take away what an earlier run wrote.

    Raises:
        ConfigError: another process has it open; it is of a run with other choices; or files lie under the names of
            results that no run wrote.
        DataError: a line in the middle is broken.
    """

    def __init__(self, output: Output, run: Mapping[str, str], *, overwrite: bool = False):
        self.output = output
        self._lines: dict[str, bytes] = {}
        self._lock = _locked(output)
        try:
            if overwrite:
                self._take_away()
            else:
                output.check_free()
            if output.journal.exists():
                self._read(run)
            else:
                self._write_header(run)
            output.sweep()
            self._file = open(output.journal, "ab")  # noqa: SIM115 (open as long as the journal)
        except BaseException as error:
            self._lock.release()
            if isinstance(error, OSError):
                raise unwritable(output.journal, error) from error
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._lock.release()

    def __len__(self) -> int:
        return len(self._lines)

    def check_inputs(self, sources: Iterable[Source]) -> None:
        """Raises:
        ConfigError: results are there of something that is not among the inputs, or of another file of this name.
        """
        paths = {source.name: str(source.path) for source in sources}
        strangers = sorted(set(self._lines) - set(paths))
        if strangers:
            raise ConfigError(
                f"--out {self.output.folder}",
                found=f"results of {len(strangers)} others than the inputs, such as {strangers[0]}",
                expected="the same inputs, or more",
                do=_AGAIN,
            )
        for name, line in self._lines.items():
            record = json.loads(line)
            if FAILED not in record and record.get("path", paths[name]) != paths[name]:
                raise ConfigError(
                    f"--out {self.output.folder}: {name}",
                    found=f"results of {record['path']}",
                    expected=f"those of {paths[name]}",
                    do=_AGAIN,
                )

    def find(self, source: Source) -> Record | None:
        """What was finished for an image or video that has not changed since; None where nothing was."""
        line = self._lines.get(source.name)
        record = json.loads(line) if line else None
        return record if record and record["input"] == state_of(source) else None

    def stems(self) -> dict[str, str]:
        """Under which name the results of each finished input lie, less folder and suffix; as `stems_of` takes them."""
        found = {}
        for name, line in self._lines.items():
            places = filter(is_result, map(str, json.loads(line).get("files", {}).values()))
            for place in places:
                found[name] = PurePosixPath(*PurePosixPath(place).parts[1:]).with_suffix("").as_posix()
        return found

    def records(self, names: Iterable[str]) -> Records:
        """What was finished of these inputs, in their order, without what failed."""
        lines = (self._lines[name] for name in names if name in self._lines)
        return Records([line for line in lines if FAILED not in json.loads(line)])

    def append(self, records: Sequence[Record]) -> None:
        """Notes what has been finished; files that belong to it are there by now.

        Raises:
            ConfigError: it cannot be written.
        """
        lines = {record["name"]: _line(record) for record in records}
        try:
            self._file.write(b"".join(lines.values()))
            self._file.flush()
        except OSError as error:
            raise unwritable(self.output.journal, error) from error
        self._lines.update(lines)

    def _read(self, run: Mapping[str, str]) -> None:
        header, *lines = _whole_lines(self.output.journal)
        theirs = header.get(_HEADER)
        if not isinstance(theirs, dict):
            raise DataError(f"journal {self.output.journal}", found="no journal of `hrnet infer`", do=_AGAIN)
        if not lines:  # that run came to nothing
            self._write_header(run)
            return
        for what in {**run, **theirs}:
            if theirs.get(what) != run.get(what):
                raise ConfigError(
                    f"--out {self.output.folder}",
                    found=f"results with {what} {theirs.get(what, 'unknown')}",
                    expected=f"{what} {run.get(what, 'unknown')}",
                    do=_AGAIN,
                )
        self._lines = {record["name"]: _line(record) for record in lines}

    def _write_header(self, run: Mapping[str, str]) -> None:
        try:
            write_whole(_line({_HEADER: dict(run)}), self.output.journal)
        except OSError as error:
            raise unwritable(self.output.journal, error) from error

    def _take_away(self) -> None:
        if not self.output.journal.exists():
            return
        try:
            records = list(_whole_lines(self.output.journal))
        except DataError:  # nobody knows any more what it wrote
            records = []
        for record in records:
            self.output.remove(map(str, record.get("files", {}).values()))
        for name in (RESULTS, KEYPOINT_RESULTS):
            (self.output.folder / name).unlink(missing_ok=True)
        self.output.journal.unlink()


def entry(source: Source, **found: Any) -> Record:
    """The record of an input: which file it is, in which state, and what was found."""
    return {"name": source.name, "path": str(source.path), "input": state_of(source), **found}


def state_of(source: Source) -> list[int]:
    """By which a changed file is known: its size in bytes, and when it was changed; zeros for one that is not there."""
    try:
        found = source.path.stat()
    except OSError:
        return [0, 0]
    return [found.st_size, found.st_mtime_ns]


def _whole_lines(path: Path) -> Iterator[Record]:
    """The lines of a journal; a last one that was cut off is taken away from the file.

    Raises:
        DataError: a line before the last is broken.
    """
    with open(path, "rb+") as file:
        end, number, broken = 0, 0, False
        for number, line in enumerate(file, 1):
            if broken:
                raise DataError(f"journal {path}", found=f"line {number - 1} that is broken", do=_AGAIN)
            record = _parsed(line)
            broken = record is None
            if not broken:
                end += len(line)
                yield record
        if not end:
            raise DataError(f"journal {path}", found="no line that can be read", do=_AGAIN)
        if broken:
            file.truncate(end)
            os.fsync(file.fileno())


def _parsed(line: bytes) -> Record | None:
    try:
        record = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    is_whole = isinstance(record, dict) and (_HEADER in record or {"name", "input"} <= record.keys())
    return record if is_whole else None


def _line(record: Record) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _locked(output: Output) -> FileLock:
    lock = FileLock(output.folder / ".lock")
    try:
        output.folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"--out {output.folder}", found="another run that writes there", do="Wait for it, or name another --out"
        ) from None
    except OSError as error:
        raise unwritable(output.folder, error) from error
    return lock
