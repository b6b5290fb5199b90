"""Heatmaps of a batch to keypoints: mmpose's codec image by image, as its heads do it, and ours all at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from mmpose.registry import KEYPOINT_CODECS

from ..decoding import decode_heatmaps
from ..engine.batch_decoding import how_to_decode
from ..errors import ConfigError
from .networks import resolve_config
from .subjects import EAGER, Network, Subject

#: By how many pixels of the input keypoints may differ.
_TOLERANCE = 1e-4
#: Heatmaps of an image.
_KEYPOINTS = 17


def decoding(subject: Subject) -> tuple[Callable[[], np.ndarray], float]:
    """The call that is timed, and by how many pixels its keypoints differ from mmpose's.

    Args:
        subject: Of the role `decoding`; `eager` is mmpose's codec, any other runtime is ours.

    Raises:
        ConfigError: a codec that is not replaced, or other keypoints.
    """
    codec = KEYPOINT_CODECS.build(resolve_config(subject.network).codec)
    how = how_to_decode(codec)
    if how is None:
        raise ConfigError("decoding", found=type(codec).__name__, expected="MSRAHeatmap or UDPHeatmap")
    maps = example_heatmaps(subject.network)

    def one_by_one() -> np.ndarray:
        return np.concatenate([codec.decode(image)[0] for image in maps])

    def all_at_once() -> np.ndarray:
        return decode_heatmaps(maps, how)[0]

    call = one_by_one if subject.runtime == EAGER else all_at_once
    difference = float(np.abs(call() - one_by_one()).max())
    if not difference <= _TOLERANCE:
        found = f"a difference of {difference:.2g} pixels"
        raise ConfigError(f"keypoints of {subject.name}", found=found, expected=f"at most {_TOLERANCE:g}")
    return call, difference


def example_heatmaps(network: Network) -> np.ndarray:
    """Noisy Gaussians at random places, (N, 17, H / 4, W / 4)."""
    rng = np.random.default_rng(0)
    width, height = (length // 4 for length in network.size)
    centres = rng.uniform((0, 0), (width, height), (network.batch, _KEYPOINTS, 2))
    columns = np.exp(-((np.arange(width) - centres[..., :1]) ** 2) / 8)
    rows = np.exp(-((np.arange(height) - centres[..., 1:]) ** 2) / 8)
    noise = rng.normal(0, 0.02, (network.batch, _KEYPOINTS, height, width))
    return (rows[..., :, None] * columns[..., None, :] + noise).astype(np.float32)
