"""Logs and curves that cannot be written: told once, where they would end the training or fill the terminal."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable

from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.registry import HOOKS
from hrnet_plugin.wording import in_short

_WRITES = ("add_config", "add_graph", "add_image", "add_scalar", "add_scalars")


@HOOKS.register_module()
class LogFailuresHook(Hook):
    """Lets a training go on whose log and curves cannot be written: a full disk, one that is gone, a lost server.

    mmengine's backends raise what the disk says; Python's logging prints a stack trace for each line. Whether
    checkpoints can be written is for their hook to say.
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
                self._tell("curves", error)
                return None

        return forgiving

    def _meet(self, handler: logging.Handler, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, OSError):
            self._tell("the log", error)
        else:
            logging.Handler.handleError(handler, record)

    def _tell(self, what: str, error: OSError) -> None:
        if what not in self._told:
            self._told.add(what)
            why = error.strerror or in_short(error)
            print(f"hrnet: {what} cannot be written ({why}); training goes on", file=sys.stderr)
