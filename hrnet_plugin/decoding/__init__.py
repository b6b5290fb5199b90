"""Heatmaps to keypoints, a whole batch at once."""

from .decode import METHODS, HeatmapDecoding, decode_heatmaps

__all__ = ["METHODS", "HeatmapDecoding", "decode_heatmaps"]
