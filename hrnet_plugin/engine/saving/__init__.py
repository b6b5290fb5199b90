"""Checkpoints on the disk, so that nothing saved is ever lost."""

from __future__ import annotations

from .hook import CheckpointHook

__all__ = ["CheckpointHook"]
