"""Training that looks after itself: what is not finite is caught before it reaches the weights, and named."""

from __future__ import annotations

from .hook import TrainingHealthHook

__all__ = ["TrainingHealthHook"]
