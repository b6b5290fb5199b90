"""What a training pipeline packed for associative embedding, read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigError


@dataclass(frozen=True)
class Targets:
    """The targets of a batch, lists over the resolutions, coarse to fine.

    Args:
        heatmaps: Each (B, K, H, W).
        masks: Each (B, 1, H, W); false where people are not annotated.
        indices: Of the coarsest resolution alone, for each image (N, K, 2).
    """

    heatmaps: list[Tensor]
    masks: list[Tensor]
    indices: list[Tensor]


def read_targets(samples: Sequence[Any], predicted: Sequence[Tensor]) -> Targets:
    """The targets that belong to the predicted heatmaps.

    Args:
        samples: mmpose's data samples.
        predicted: The heatmaps of each resolution, coarse to fine, each (B, K, H, W).

    Raises:
        ConfigError: the pipeline packed no heatmaps, masks or indices, or heatmaps of other resolutions.
    """
    fields = [_part(sample, "gt_fields") for sample in samples]
    heatmaps = _stacked(fields, "heatmaps", "GenerateTarget with the codec hrnet_plugin.AssociativeEmbedding")
    masks = _stacked(fields, "heatmap_mask", "BottomupGetHeatmapMask after GenerateTarget")
    # mmpose packs the mask of a single resolution as (1, H, W), those of several as (H, W).
    masks = [mask if mask.dim() == 4 else mask[:, None] for mask in masks]
    sizes = [tuple(maps.shape[-2:]) for maps in predicted]
    _check_sizes([tuple(maps.shape[-2:]) for maps in heatmaps], sizes)
    return Targets(heatmaps, masks, _indices(samples, multilevel=len(sizes) > 1))


def _part(sample: Any, name: str) -> Any:
    """A part of a data sample; an empty dict where it is not there. One without persons counts as false."""
    part = sample.get(name)
    return {} if part is None else part


def _stacked(fields: Sequence[Any], name: str, step: str) -> list[Tensor]:
    """A field of all samples, one tensor a resolution."""
    if any(name not in packed for packed in fields):
        raise ConfigError("train_pipeline", found=f"no {name} in a sample", expected=step)
    values = [packed.get(name) for packed in fields]
    levels = zip(*values, strict=True) if isinstance(values[0], list | tuple) else [values]
    return [torch.stack(list(level)) for level in levels]


def _check_sizes(packed: list[tuple[int, int]], predicted: list[tuple[int, int]]) -> None:
    if len(packed) != len(predicted):
        do = "Give GenerateTarget one codec for each resolution, and multilevel=True where there are several"
        raise ConfigError(
            "GenerateTarget.encoder",
            found=f"heatmaps of {len(packed)} resolution(s)",
            expected=f"{len(predicted)}, as the head predicts",
            do=do,
        )
    if packed != predicted:
        found, expected = (", ".join(f"{width}x{height}" for height, width in sizes) for sizes in (packed, predicted))
        raise ConfigError(
            "GenerateTarget.encoder", found=f"heatmap_size {found}", expected=f"{expected}, as the head predicts"
        )


def _indices(samples: Sequence[Any], multilevel: bool) -> list[Tensor]:
    labels = [_part(sample, "gt_instance_labels") for sample in samples]
    if any("keypoint_indices" not in packed for packed in labels):
        raise ConfigError(
            "train_pipeline",
            found="no keypoint_indices in a sample",
            expected="the codec hrnet_plugin.AssociativeEmbedding in GenerateTarget (mmpose's own does not pack them)",
        )
    indices = [packed.get("keypoint_indices") for packed in labels]
    return [levels[0] for levels in indices] if multilevel else indices
