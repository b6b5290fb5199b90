"""Checkpoints on the disk, so that nothing saved is ever lost."""

from __future__ import annotations

from .hook import CheckpointHook
from .log_failures import LogFailuresHook

__all__ = ["CheckpointHook", "LogFailuresHook"]
