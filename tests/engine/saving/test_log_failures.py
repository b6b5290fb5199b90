"""A log and curves that cannot be written end no training."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from hrnet_plugin.engine import LogFailuresHook


class Full(logging.FileHandler):
    """A log on a disk without room, or with another fault."""

    error: Exception

    def emit(self, record: logging.LogRecord) -> None:
        try:
            raise self.error
        except Exception:
            self.handleError(record)


FAULTS = (
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    OSError(errno.EROFS, os.strerror(errno.EROFS)),
    ConnectionError("no answer of the server"),
    ValueError("a defect"),
)
WORDS = ("No space left on device", "Read-only file system", "no answer of the server")


@pytest.mark.parametrize("error", FAULTS)
def test_told_once(small, tmp_path: Path, monkeypatch, capfd, error):
    from mmengine.visualization import LocalVisBackend

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(LocalVisBackend, "_dump", fail)
    if isinstance(error, ValueError):
        with pytest.raises(ValueError, match="a defect"):
            small.run(tmp_path, hooks=[LogFailuresHook()])
        return
    assert small.run(tmp_path, hooks=[LogFailuresHook()]).iter == 18
    told = WORDS[FAULTS.index(error)]
    assert capfd.readouterr().err.count(f"hrnet: curves cannot be written ({told}); training goes on") == 1


@pytest.mark.parametrize("error", FAULTS)
def test_lines_of_the_log(small, tmp_path: Path, capfd, error):
    class Fill(small.Hook):
        priority = "HIGHEST"

        def before_run(self, runner) -> None:
            handler = Full(tmp_path / "log")
            handler.error = error
            runner.logger.addHandler(handler)

    runner = small.run(tmp_path, hooks=[Fill(), LogFailuresHook()])
    runner.logger.warning("one")
    runner.logger.warning("two")
    told = capfd.readouterr().err
    expected = not isinstance(error, ValueError)
    assert told.count("hrnet: the log cannot be written (") == expected
    assert ("Traceback" in told) == (not expected)
