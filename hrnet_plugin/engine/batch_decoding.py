"""Heatmaps decoded a batch at a time in mmpose's heads, with the results of its codecs."""

from __future__ import annotations

import numpy as np
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from hrnet_plugin.decoding import HeatmapDecoding, decode_heatmaps
from hrnet_plugin.registry import HOOKS

from .checkpoint_fit import unwrapped


@HOOKS.register_module()
class BatchDecodingHook(Hook):
    """Lets the heads of a model decode whole batches; a model without such heads stays as it is."""

    priority = "LOW"

    def before_val(self, runner: Runner) -> None:
        """Prepares the model."""
        decode_whole_batches(unwrapped(runner.model))

    before_test = before_val


def decode_whole_batches(model: nn.Module) -> bool:
    """Lets a model of mmpose decode whole batches of heatmaps; keypoints are equal to 1e-4 pixels.

    Only codecs whose decoding is known to the last detail are replaced: `MSRAHeatmap`, and `UDPHeatmap` with Gaussian
    maps. Subclasses and all others stay.

    Args:
        model: Any; its own heads are looked at.

    Returns:
        Whether there was such a head.
    """
    heads = [module for module in model.modules() if how_to_decode(getattr(module, "decoder", None)) is not None]
    for head in heads:
        head.decoder = WholeBatchCodec(head.decoder)
    return bool(heads)


def how_to_decode(codec: object) -> HeatmapDecoding | None:
    """How heatmaps of a codec of mmpose are read; None for a codec that is not replaced."""
    kind = type(codec)
    if kind.__module__ == "mmpose.codecs.msra_heatmap" and kind.__name__ == "MSRAHeatmap":
        method = "dark" if codec.unbiased else "plain"
    elif kind.__module__ == "mmpose.codecs.udp_heatmap" and kind.__name__ == "UDPHeatmap":
        if codec.heatmap_type != "gaussian":
            return None
        method = "udp"
    else:
        return None
    return HeatmapDecoding(method, tuple(codec.input_size), codec.blur_kernel_size)


class WholeBatchCodec:
    """A codec of mmpose that decodes batches; in all else it is the codec that it stands for.

    Args:
        codec: One for which :func:`how_to_decode` has an answer.
    """

    support_batch_decoding = True

    def __init__(self, codec: object):
        self._codec = codec
        self._how = how_to_decode(codec)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") or "_codec" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self._codec, name)

    def batch_decode(self, heatmaps: Tensor) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """(N, K, H, W) to a list of keypoints (1, K, 2) in input pixels and one of scores (1, K)."""
        keypoints, scores = decode_heatmaps(heatmaps, self._how)
        return list(keypoints[:, None]), list(scores[:, None])
