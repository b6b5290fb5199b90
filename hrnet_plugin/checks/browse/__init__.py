"""What a network really gets: samples behind the config's own pipeline, with their targets."""

from __future__ import annotations

from .samples import Sample, browse_samples

__all__ = ["Sample", "browse_samples"]
