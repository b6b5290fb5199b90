"""From the heatmaps of a batch to keypoints in pixels of the network's input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..errors import ConfigError
from .maxima import find_maxima
from .quarter import quarter_offsets
from .taylor import dark_offsets, udp_offsets

#: How a maximum is refined to parts of a cell.
METHODS = ("plain", "dark", "udp")


@dataclass(frozen=True)
class HeatmapDecoding:
    """How heatmaps are read.

    Args:
        method: `plain` moves a quarter of a cell towards the larger neighbour (Xiao et al., arXiv:1804.06208). `dark`
            finds the maximum of a Gaussian by a Taylor expansion of its logarithm (Zhang et al., arXiv:1910.06278).
            `udp` does so on maps whose corners are the corners of the image (Huang et al., arXiv:1911.07524).
        input_size: (width, height) of the network's input, in pixels.
        blur_kernel_size: Of the Gaussian that smooths maps before `dark` and `udp`, in cells; odd.

    Raises:
        ConfigError: another method, or an even kernel.
    """

    method: str
    input_size: tuple[int, int]
    blur_kernel_size: int = 11

    def __post_init__(self):
        if self.method not in METHODS:
            raise ConfigError("decoding method", found=repr(self.method), expected=" or ".join(METHODS))
        if self.blur_kernel_size < 3 or self.blur_kernel_size % 2 == 0:
            raise ConfigError("blur_kernel_size", found=self.blur_kernel_size, expected="an odd number from 3 on")


def decode_heatmaps(heatmaps: Tensor | np.ndarray, how: HeatmapDecoding) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints and scores of a batch; the heatmaps stay as they are.

    Args:
        heatmaps: (N, K, H, W), on any device, in any precision.
        how: The codec's choices.

    Returns:
        Keypoints (N, K, 2), x and y in pixels of the input, and scores (N, K), the maxima. A map without a positive
        value has no keypoint: its coordinates are negative and its score is not positive.

    Raises:
        ConfigError: another number of dimensions.
    """
    if isinstance(heatmaps, Tensor):
        heatmaps = heatmaps.detach().float().cpu().numpy()
    if heatmaps.ndim != 4:
        raise ConfigError("heatmaps", found=f"shape {heatmaps.shape}", expected="(N, K, H, W)")
    maps = np.ascontiguousarray(heatmaps, dtype=np.float32)
    cells, scores = find_maxima(maps)
    height, width = maps.shape[2:]
    if how.method == "plain":
        places = cells + quarter_offsets(maps, cells)
    elif how.method == "dark":
        places = cells + dark_offsets(maps, cells, how.blur_kernel_size)
    else:
        places = cells + udp_offsets(maps, cells, how.blur_kernel_size)
    span = (width - 1, height - 1) if how.method == "udp" else (width, height)
    return (places / np.array(span) * np.array(how.input_size)).astype(np.float32), scores
