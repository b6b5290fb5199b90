"""A whole model as a function of tensors alone: what every export and every runtime runs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..errors import ConfigError


@dataclass(frozen=True)
class PixelScaling:
    """How pixels become what the network takes: channels in another order, then `(pixels - mean) / std`.

    Args:
        mean, std: One value a channel, in the network's order of channels, for pixels of 0 to 255.
        swap_channels: The image comes as BGR and the network takes RGB, or the other way round.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    swap_channels: bool = False


class Normalise(nn.Module):
    """Scales pixels inside the graph.

    Shapes: (N, C, H, W) of 0 to 255 to (N, C, H, W) as the backbone takes it.
    """

    def __init__(self, scaling: PixelScaling):
        super().__init__()
        self.swap_channels = scaling.swap_channels
        self.register_buffer("mean", torch.tensor(scaling.mean, dtype=torch.float32).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(scaling.std, dtype=torch.float32).view(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(N, C, H, W) to (N, C, H, W)."""
        if self.swap_channels:
            images = images.flip(1)
        return (images - self.mean) / self.std


class TensorModel(nn.Module):
    """A model of mmpose, mmseg or mmpretrain without data samples, decoding and metrics.

    It runs backbone, neck and head and gives what the head computes: heatmaps (N, K, H / 4, W / 4), logits
    (N, classes, H / 4, W / 4) or class scores (N, classes) as logits.

    Args:
        model: As the framework builds it, or a bare backbone. It is used as it is, not copied, in evaluation mode.
        scaling: Normalise inside the graph; None expects normalised images.

    Raises:
        ConfigError: a model whose head has no function of tensors alone, such as a two-stage detector.
    """

    def __init__(self, model: nn.Module, scaling: PixelScaling | None = None):
        super().__init__()
        self.normalise = nn.Identity() if scaling is None else Normalise(scaling)
        # Only what inference runs: auxiliary heads and losses stay behind.
        self.backbone = getattr(model, "backbone", model)
        self.neck = getattr(model, "neck", None)
        head = getattr(model, "decode_head", getattr(model, "head", None))
        self.heads = nn.ModuleList(head if isinstance(head, nn.ModuleList) else [] if head is None else [head])
        if any(hasattr(model, part) for part in ("bbox_head", "rpn_head", "roi_head")):
            raise ConfigError(
                f"model of type {type(model).__name__}",
                found="a detector, whose head selects boxes",
                expected="a pose, segmentation or classification network",
            )
        self.eval()

    @property
    def channels(self) -> int:
        """Of the images: those of the first convolution."""
        return next(module.in_channels for module in self.backbone.modules() if isinstance(module, nn.Conv2d))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, C, H, W) to what the head computes, always as a tuple."""
        return _as_tuple(self.nested(images))

    def nested(self, images: Tensor) -> Tensor | tuple | list:
        """The same as the head itself gives it: a tensor, or lists and tuples of such."""
        features = self.backbone(self.normalise(images))
        if self.neck is not None:
            features = self.neck(features)
        if not len(self.heads):
            return features
        found = self.heads[0].forward(features)
        for head in list(self.heads)[1:]:  # each stage of a cascade sees the features and the stage before it
            found = head.forward(features, found)
        return found


def _as_tuple(outputs: Tensor | tuple | list) -> tuple[Tensor, ...]:
    if isinstance(outputs, Tensor):
        return (outputs,)
    return tuple(tensor for output in outputs for tensor in _as_tuple(output))
