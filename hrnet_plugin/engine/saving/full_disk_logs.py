"""Logs and curves on a full disk: left out and told once, where they would end the training or fill the terminal."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.disk import is_full
from hrnet_plugin.registry import HOOKS

_WRITES = ("add_config", "add_graph", "add_image", "add_scalar", "add_scalars")


@HOOKS.register_module()
class FullDiskLogsHook(Hook):
    """Lets a training go on where its log and its curves find no room.

    mmengine's backends raise what the disk says; Python's logging prints a stack trace for each line.
    """

    # Before others log.
    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._told: set[str] = set()

    def before_run(self, runner: Runner) -> None:
        """Stands around all that writes."""
        for backend in runner.visualizer._vis_backends.values():
            for name in _WRITES:
                setattr(backend, name, self._forgiving(getattr(backend, name)))
        for handler in runner.logger.handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = functools.partial(self._meet, handler)

    def _forgiving(self, write: Callable) -> Callable:
        @functools.wraps(write)
        def forgiving(*args: object, **kwargs: object) -> object:
            try:
                return write(*args, **kwargs)
            except OSError as error:
                if not is_full(error):
                    raise
                self._tell("curves")
                return None

        return forgiving

    def _meet(self, handler: logging.Handler, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and is_full(error):
            self._tell("the log")
        else:
            logging.Handler.handleError(handler, record)

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            print(f"hrnet: the disk is full: {what} cannot be written; training goes on", file=sys.stderr)
