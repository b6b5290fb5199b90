"""Data sets of a few small generated pictures, laid out as a config's own loaders ask for them.

With them a config runs as it is: its own data set class, pipeline, collate function, losses and evaluator, on inputs
so small that the arithmetic costs next to nothing.
"""

from __future__ import annotations

from .batch import first_batch
from .config import with_miniature_data
from .sizes import with_small_sizes

__all__ = ["first_batch", "with_miniature_data", "with_small_sizes"]
