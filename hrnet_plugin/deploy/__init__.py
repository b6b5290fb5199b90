"""From a trained model to fast inference: folding, rewrites, export, runtimes, one predictor for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reparameterizing import reparameterize

__all__ = ["reparameterize"]


def __getattr__(name: str):
    # Loaded at first use: the rooms below are imported by commands that need neither.
    if name == "reparameterize":
        from .reparameterizing import reparameterize

        return reparameterize
    raise AttributeError(f"module 'hrnet_plugin.deploy' has no attribute {name!r}")
