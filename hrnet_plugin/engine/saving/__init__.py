"""Checkpoints on the disk, so that nothing saved is ever lost."""

from __future__ import annotations

from .full_disk_logs import FullDiskLogsHook
from .hook import CheckpointHook

__all__ = ["CheckpointHook", "FullDiskLogsHook"]
