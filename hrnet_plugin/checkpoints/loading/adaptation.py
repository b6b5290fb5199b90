"""What of a checkpoint is kept where the network takes other images or gives another number of outputs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

#: The convolution that sees the image: HRNet's and Lite-HRNet's, alone or in a whole model.
_STEM = re.compile(r"(backbone\.)?(conv1|stem\.conv1\.conv)\.weight")
#: Parts of a model in which the number of keypoints or classes decides over layers: `head`, `decode_head`, `roi_head`.
_HEAD = re.compile(r"\w*head\.")
_RGB = 3


@dataclass(frozen=True)
class Mismatch:
    """A tensor whose shape is not that of its place.

    Args:
        key: Of the network.
        found: Its shape in the checkpoint.
        needed: Its shape in the network.
    """

    key: str
    found: tuple[int, ...]
    needed: tuple[int, ...]

    @classmethod
    def between(cls, key: str, given: Tensor, own: Tensor) -> Mismatch:
        """The mismatch of a checkpoint's tensor and the network's own."""
        return cls(key, tuple(given.shape), tuple(own.shape))

    def __str__(self) -> str:
        return f"{self.key} has shape {_plain(self.found)}, the network needs {_plain(self.needed)}"


def is_rgb_stem(mismatch: Mismatch) -> bool:
    """Whether these are the stem's weights for RGB images, and the network's images have other channels."""
    found, needed = mismatch.found, mismatch.needed
    return (
        _STEM.fullmatch(mismatch.key) is not None
        and len(found) == len(needed) == 4
        and found[1] == _RGB
        and (found[0], *found[2:]) == (needed[0], *needed[2:])
    )


def adapt_stem(weight: Tensor, in_channels: int) -> Tensor:
    """The stem's weights for images of `in_channels` channels, from those for RGB images.

    One channel gets the sum of the three, which is what a grey image makes of an RGB network. Otherwise channel c gets
    the weights of RGB channel c mod 3, and all are scaled by 3 / in_channels, so that the response to a grey image
    keeps its size: exactly where in_channels is a multiple of 3, on average elsewhere. timm's rule is the same.

    Args:
        weight: (out_channels, 3, height, width).

    Returns:
        (out_channels, in_channels, height, width), of the same type.
    """
    wide = weight.float()
    if in_channels == 1:
        adapted = wide.sum(dim=1, keepdim=True)
    else:
        adapted = wide[:, [channel % _RGB for channel in range(in_channels)]] * (_RGB / in_channels)
    return adapted.to(weight.dtype)


def output_mismatches(mismatches: Collection[Mismatch]) -> list[Mismatch]:
    """Those of a head that come from another number of keypoints or classes, and from nothing else.

    A head's layer of this kind has the same inputs, kernel and place in both, and another number of outputs. A layer
    that takes those outputs in again counts too (HigherHRNet's transposed convolution, which torch stores with
    its inputs first), and so does a norm that follows such a layer (DEKR's offsets).
    """
    heads = [item for item in mismatches if _HEAD.match(item.key)]
    layers = [item for item in heads if len(item.found) > 1 and _differs_in_first_size_alone(item)]
    counts = {(item.found[0], item.needed[0]) for item in layers}
    vectors = [item for item in heads if len(item.found) == len(item.needed) == 1]
    following = [item for item in vectors if (item.found[0], item.needed[0]) in counts]
    chosen = {item.key for item in (*layers, *following)}
    return [item for item in mismatches if item.key in chosen]


def layers_of(mismatches: Collection[Mismatch]) -> Mapping[str, tuple[int, int]]:
    """(outputs found, outputs needed) of each layer, by its path; a layer's weight and bias are one."""
    return {item.key.rpartition(".")[0]: (item.found[0], item.needed[0]) for item in mismatches}


def _differs_in_first_size_alone(item: Mismatch) -> bool:
    return item.found[0] != item.needed[0] and item.found[1:] == item.needed[1:]


def _plain(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))})"
