"""Silence for what the frameworks say while hundreds of models are built."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from mmengine.registry import DefaultScope

if TYPE_CHECKING:
    from mmengine.config import Config


@contextmanager
def quiet() -> Iterator[None]:
    """Without the frameworks' notes: building and initialising a model prints a line for each of its parameters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def in_scope(cfg: Config) -> Iterator[None]:
    """In a config's framework, whose readers of annotations print what they do, without what they print."""
    scope = DefaultScope.overwrite_default_scope(cfg.get("default_scope"))
    with scope, quiet(), redirect_stdout(io.StringIO()):
        yield
