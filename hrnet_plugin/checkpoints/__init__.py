"""Checkpoints: written as a whole or not at all."""

from __future__ import annotations

from .atomic import remove_partial_files, save_atomically, serialise, write_text_atomically

__all__ = ["remove_partial_files", "save_atomically", "serialise", "write_text_atomically"]
