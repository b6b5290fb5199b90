"""What an exported file says of itself: enough to prepare an image for it and to read its outputs, without a config."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..analysis.skeleton import COCO, Skeleton
from ..errors import CheckpointError, DataError
from ..version import __version__

#: Under this name the description lies in a file's metadata, as JSON.
KEY = "hrnet_plugin"

TASKS = ("pose", "segmentation", "classification", "features")


@dataclass(frozen=True)
class NetworkDescription:
    """An exported network.

    Args:
        task: One of `TASKS`; `features` where the outputs are read by nobody here.
        input_size: (width, height) of the images; None where any size goes.
        batch: Images a call; None where any number goes.
        mean, std: Of the normalisation, one value a channel, for pixels of 0 to 255.
        channel_order: Of the images that the network takes, `rgb` or `bgr`.
        normalised_inside: The graph normalises by itself and takes pixels of 0 to 255 in the order `bgr`.
        precision: `fp32`, `bf16` or `int8`: that of the numbers in the file.
        keypoint_names: Of a pose network, in the order of its heatmaps.
        flip_indices: For each keypoint its counterpart in a mirrored image.
        sigmas: Falloff of each keypoint in COCO's similarity.
        limbs: Pairs of keypoints between which a line is drawn.
        keypoint_colours, limb_colours: (R, G, B) of each, as the data set has them; empty where it has none.
        codec: Of a pose network: how heatmaps become keypoints, as the config writes it.
        test_cfg: The config's choices at inference (`flip_test`, `shift_heatmap`, `mode`, ...), in plain values.
        classes: Of a segmentation or classification network.
        palette: A colour (R, G, B) for each class of a segmentation.
        align_corners: Of a segmentation: how its logits are enlarged.
        threshold: Of a segmentation with one output: the probability above which a pixel belongs to the class.
        preparing: The choices of the config's test pipeline that a single image needs (`predictor`).
        network: The backbone's description (`checkpoints.network_meta`).
        name: The config's name.
        version: Of hrnet_plugin.
    """

    task: str
    input_size: tuple[int, int] | None = None
    batch: int | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channel_order: str = "rgb"
    normalised_inside: bool = False
    precision: str = "fp32"
    keypoint_names: tuple[str, ...] = ()
    flip_indices: tuple[int, ...] = ()
    sigmas: tuple[float, ...] = ()
    limbs: tuple[tuple[int, int], ...] = ()
    keypoint_colours: tuple[tuple[int, int, int], ...] = ()
    limb_colours: tuple[tuple[int, int, int], ...] = ()
    codec: dict = field(default_factory=dict)
    test_cfg: dict = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    palette: tuple[tuple[int, int, int], ...] = ()
    align_corners: bool = False
    threshold: float = 0.3
    preparing: dict = field(default_factory=dict)
    network: dict = field(default_factory=dict)
    name: str = ""
    version: str = __version__

    @property
    def crop_size(self) -> tuple[int, int]:
        """(width, height) of the persons that a pose network looks at: also where its input may have any size."""
        width, height = self.input_size or self.codec["input_size"]
        return int(width), int(height)

    @property
    def skeleton(self) -> Skeleton:
        """How its poses are drawn. COCO's limbs are known, too, where an older file does not name them."""
        names = self.keypoint_names
        if not self.limbs and names == COCO.names:
            return COCO
        plain = Skeleton.by_side(names, self.limbs)
        return Skeleton(
            names, plain.limbs, self.keypoint_colours or plain.colours, self.limb_colours or plain.limb_colours
        )

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, source: str) -> NetworkDescription:
        """The description that `text` holds.

        Args:
            text: JSON from a file's metadata.
            source: The file's name, for errors.

        Raises:
            CheckpointError: it is no such description.
        """
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        known = {entry.name for entry in dataclasses.fields(cls)}
        if isinstance(values, Mapping) and values.get("task") in TASKS and _is_sound(values):
            found = cls(**{name: _frozen(value) for name, value in values.items() if name in known})
            with contextlib.suppress(DataError):  # limbs that end nowhere
                _ = found.skeleton
                return found
        raise CheckpointError(
            f"metadata of {source}", found="no description of a network", expected="a file written by hrnet export"
        )


#: What an entry may hold, for those that are acted upon. JSON knows lists alone, and no tuples.
_SOUND: dict[str, Callable[[Any], bool]] = {
    "input_size": lambda value: value is None or (_are(value, int) and len(value) == 2 and min(value) > 0),
    "batch": lambda value: value is None or (isinstance(value, int) and value > 0),
    "mean": lambda value: _are(value, (int, float)),
    "std": lambda value: _are(value, (int, float)) and all(value),
    "normalised_inside": lambda value: isinstance(value, bool),
    "precision": lambda value: value in ("fp32", "bf16", "int8"),
    "keypoint_names": lambda value: _are(value, str),
    "flip_indices": lambda value: _are(value, int),
    "limbs": lambda value: _are_rows(value, 2, 1 << 16),
    "keypoint_colours": lambda value: _are_rows(value, 3, 256),
    "limb_colours": lambda value: _are_rows(value, 3, 256),
    "palette": lambda value: _are_rows(value, 3, 256),
    "classes": lambda value: _are(value, str),
    "threshold": lambda value: isinstance(value, (int, float)),
    "codec": lambda value: isinstance(value, dict),
    "test_cfg": lambda value: isinstance(value, dict),
    "preparing": lambda value: isinstance(value, dict),
}


def _is_sound(values: Mapping) -> bool:
    return all(check(values[name]) for name, check in _SOUND.items() if name in values)


def _are(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _are_rows(value: object, length: int, end: int) -> bool:
    """Whether it is a list of so many integers each, from 0 to below `end`."""
    return isinstance(value, list) and all(
        _are(row, int) and len(row) == length and all(0 <= item < end for item in row) for row in value
    )


def _frozen(value: object) -> object:
    """Tuples in the place of JSON's lists."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
