"""Whether an exported file is that of a config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CheckpointError
from ..zoo.forward import model_config
from .description import NetworkDescription

if TYPE_CHECKING:
    from mmengine.config import Config


def check_fits(found: NetworkDescription, wanted: NetworkDescription, path: Path) -> None:
    """Compares what decides over a test: its task, what is predicted, the size and the normalisation of the images.

    Args:
        found: What the file says of itself.
        wanted: What the config's own network would say.
        path: Of the file.

    Raises:
        CheckpointError: they differ; names the first difference.
    """
    pairs = [("task", found.task, wanted.task)]
    for what in ("keypoint_names", "classes"):
        ours, theirs = getattr(wanted, what), getattr(found, what)
        if ours and theirs and ours != theirs:
            pairs += _named(what.partition("_")[0].rstrip("s") + "s", theirs, ours)
    if found.task == wanted.task == "pose":
        pairs.append(("images of", _size(found.crop_size), _size(wanted.crop_size)))
        pairs.append(("codec", found.codec.get("type"), wanted.codec.get("type")))
        pairs.append(("heatmaps of", *(_size(one.codec.get("heatmap_size")) for one in (found, wanted))))
    if not found.normalised_inside:
        pairs += [(what, getattr(found, what), getattr(wanted, what)) for what in ("mean", "std")]
        pairs.append(("channel order", found.channel_order, wanted.channel_order))
    for what, theirs, ours in pairs:
        if theirs != ours:
            raise CheckpointError(
                f"exported file {path}",
                found=f"{what} {theirs}",
                expected=f"{ours}, as config {wanted.name} has it",
                do=f"Test it with the config that it was exported from ({found.name}), or export it anew",
            )


def check_network_fits(found: NetworkDescription, wanted: Mapping, path: object) -> None:
    """Compares the backbone that a file holds with the config's.

    Args:
        found: What the file says of itself.
        wanted: The config's backbone (`load.network_entry`); empty where it is of another package.
        path: Of the file.

    Raises:
        CheckpointError: they differ; names the first entry that does.
    """
    theirs, ours = (json.loads(json.dumps(one)) for one in (found.network, dict(wanted)))
    if not theirs or not ours:
        return
    key = next((key for key in (*ours, *theirs) if ours.get(key) != theirs.get(key)), None)
    if key is not None:
        raise CheckpointError(
            f"exported file {path}",
            found=f"another network: {key} {theirs.get(key)!s:.80}",
            expected=f"{ours.get(key)!s:.80}, as the config has it",
            do=f"Test it with the config that it was exported from ({found.name}), or export it anew",
        )


def leave_pixels_alone(cfg: Config) -> None:
    """Takes the normalisation out of a config, for a file that normalises by itself."""
    cfg.model = model_config(cfg)  # mmpretrain has the preprocessor beside the model
    preprocessor = cfg.model.data_preprocessor
    preprocessor.update(mean=None, std=None)
    for swap in ("bgr_to_rgb", "rgb_to_bgr", "to_rgb"):
        if swap in preprocessor:
            preprocessor[swap] = False


def _named(what: str, theirs: tuple[str, ...], ours: tuple[str, ...]) -> list[tuple[str, object, object]]:
    """How two lists of names differ: their lengths, or the first name that is another."""
    if len(theirs) != len(ours):
        return [(f"number of {what}", len(theirs), len(ours))]
    index = next(index for index, pair in enumerate(zip(theirs, ours, strict=True)) if pair[0] != pair[1])
    return [(f"{what}[{index}]", repr(theirs[index]), repr(ours[index]))]


def _size(size: object) -> str:
    return "x".join(map(str, size)) if size else "none"
