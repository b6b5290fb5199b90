"""Trainings that stop and go on as if they had not stopped."""

from __future__ import annotations

from .loops import EpochBasedTrainLoop, IterBasedTrainLoop

__all__ = ["EpochBasedTrainLoop", "IterBasedTrainLoop"]
