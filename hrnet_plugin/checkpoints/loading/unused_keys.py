"""Keys of a checkpoint that a network has no place for, and whether that is as it should be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

LAST_FUSE_LAYERS = "the last fuse layers, which a network of one scale does not have"
CLASSIFIER = "the classifier of ImageNet weights"
OTHER_HEAD = "the head of another task"
OTHER_PARTS = "other parts of the checkpoint than this network"
CONSTANTS = "constants of the preprocessing"

_FUSE_LAYER = re.compile(r"((?:backbone\.)?stage(\d+)\.(\d+)\.fuse_layers)\.([1-9]\d*)\.")
#: After the stages, in the names of the authors and timm, of the files that mmpose starts from, and of mmpretrain.
_CLASSIFIER = re.compile(
    r"(backbone\.)?(incre_modules|downsamp_modules|final_layer|classifier|cls_head|head\.[\d.]+|fc|head\.fc)\."
    r"|neck\.(increase_modules|downsample_modules|final_layer)\."
)
_HEAD = re.compile(r"(\w*head\w*|neck)\.")
_CONSTANT = re.compile(r"data_preprocessor\.(mean|std)$")


def sort_unused(unexpected: Iterable[str], filled: Collection[str], places: Collection[str]) -> dict[str, list[str]]:
    """Keys without a place that are expected to have none, by the reason why.

    Args:
        unexpected: Keys for which the network has no place, in the names that they would have there.
        filled: Keys of the network that the checkpoint fills.
        places: All keys of the network.
    """
    known = _Network(filled, places)
    found: dict[str, list[str]] = {}
    for key in unexpected:
        reason = known.reason_for(key)
        if reason:
            found.setdefault(reason, []).append(key)
    return found


class _Network:
    """What of a network decides over keys that it has no place for."""

    def __init__(self, filled: Collection[str], places: Collection[str]):
        self._places = places
        self._fused = {match[1] for key in places if (match := re.match(r"(.*stage\d+\.\d+\.fuse_layers)\.", key))}
        self._parts_filled = {key.partition(".")[0] for key in filled}
        self._parts = {key.partition(".")[0] for key in places}

    def reason_for(self, key: str) -> str | None:
        """Why it is expected that there is no place for `key`; None where it is not."""
        if _CONSTANT.match(key):
            return CONSTANTS
        if self._is_of_last_fuse_layers(key):
            return LAST_FUSE_LAYERS
        part = key.partition(".")[0]
        if part in self._parts_filled and part != "backbone":
            return None
        if _CLASSIFIER.match(key):
            return CLASSIFIER
        return OTHER_HEAD if _HEAD.match(key) and "backbone" in self._parts else None

    def _is_of_last_fuse_layers(self, key: str) -> bool:
        match = _FUSE_LAYER.match(key)
        if match is None or match[1] not in self._fused:
            return False
        stage, module = int(match[2]), int(match[3])
        root = match[1].partition("stage")[0]
        later = (f"{root}stage{stage + 1}.", f"{root}stage{stage}.{module + 1}.", f"{match[1]}.{match[4]}.")
        return not any(place.startswith(later) for place in self._places)
