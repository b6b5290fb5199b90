"""A log and curves that find no room end no training."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import pytest

from hrnet_plugin.engine import FullDiskLogsHook


class Full(logging.FileHandler):
    """A log on a disk without room, or with another fault."""

    error = errno.ENOSPC

    def emit(self, record: logging.LogRecord) -> None:
        try:
            raise OSError(self.error, os.strerror(self.error))
        except OSError:
            self.handleError(record)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_told_once(small, tmp_path: Path, monkeypatch, capfd, error):
    from mmengine.visualization import LocalVisBackend

    def fail(*_, **__):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(LocalVisBackend, "_dump", fail)
    if error == errno.EIO:
        with pytest.raises(OSError, match="Input/output error"):
            small.run(tmp_path, hooks=[FullDiskLogsHook()])
        return
    assert small.run(tmp_path, hooks=[FullDiskLogsHook()]).iter == 18
    assert capfd.readouterr().err.count("the disk is full: curves cannot be written") == 1


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_lines_of_the_log(small, tmp_path: Path, capfd, error):
    class Fill(small.Hook):
        priority = "HIGHEST"

        def before_run(self, runner) -> None:
            handler = Full(tmp_path / "log")
            handler.error = error
            runner.logger.addHandler(handler)

    runner = small.run(tmp_path, hooks=[Fill(), FullDiskLogsHook()])
    runner.logger.warning("one")
    runner.logger.warning("two")
    told = capfd.readouterr().err
    full = error == errno.ENOSPC
    assert told.count("the disk is full: the log cannot be written") == full
    assert ("Traceback" in told) == (not full)
