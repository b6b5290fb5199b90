"""Reading what the frameworks' pipelines left in a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor, nn

from .sample import PoseTargets, Sample


def read_sample(results: Mapping[str, Any], inputs: Tensor, packed: Any, preprocessor: nn.Module) -> Sample:
    """A sample in plain arrays.

    Args:
        results: What the pipeline knew before it packed.
        inputs: (C, H, W), as the model's preprocessing gives it to the network.
        packed: The data sample behind the preprocessing, or None.
        preprocessor: The model's.
    """
    pixels, channels = _pixels(inputs, preprocessor)
    labels = getattr(getattr(packed, "gt_sem_seg", None), "data", None)
    boxes, classes = _input_boxes(results)
    return Sample(
        path=str(results.get("img_path") or results.get("filename") or ""),
        pixels=pixels,
        least=float(inputs.min()),
        most=float(inputs.max()),
        channels=channels,
        outline=_outline(results),
        boxes=_given_boxes(results),
        pose=_pose(results) if "keypoints" in results else None,
        labels=None if labels is None else np.asarray(labels).reshape(labels.shape[-2:]),
        input_boxes=boxes,
        classes=classes,
    )


def _pixels(inputs: Tensor, preprocessor: nn.Module) -> tuple[np.ndarray, str]:
    """The input as (H, W, 3) uint8 RGB, and the order of its channels: BGR as OpenCV reads, or swapped."""
    values = inputs.detach().float()
    if getattr(preprocessor, "_enable_normalize", False):
        values = values * preprocessor.std.cpu().view(-1, 1, 1) + preprocessor.mean.cpu().view(-1, 1, 1)
    swapped = any(
        getattr(preprocessor, name, False) for name in ("_channel_conversion", "channel_conversion", "to_rgb")
    )
    image = values.clamp(0, 255).round().byte().permute(1, 2, 0).numpy()
    if image.shape[2] == 1:
        return np.repeat(image, 3, axis=2), "grey"
    return np.ascontiguousarray(image if swapped else image[..., ::-1]), "RGB" if swapped else "BGR"


def _pose(results: Mapping[str, Any]) -> PoseTargets | None:
    keypoints = results.get("transformed_keypoints")
    keypoints = np.asarray(results["keypoints"] if keypoints is None else keypoints, np.float64)[..., :2]
    if keypoints.ndim != 3:  # no annotations: detected boxes
        return None
    visible = np.asarray(results.get("keypoints_visible", np.ones(keypoints.shape[:2])))
    visible = visible[..., 0] if visible.ndim == 3 else visible
    if not np.any(results["keypoints"]):  # mmpose's stand-ins beside detected boxes
        visible = np.zeros_like(visible)
    weights = _finest(results.get("keypoint_weights"))
    weights = visible if weights is None or weights.shape != visible.shape else weights
    maps, levels = results.get("heatmaps"), results.get("heatmaps")
    counted = _finest(results.get("heatmap_mask"))
    return PoseTargets(
        keypoints,
        visible > 0,
        np.asarray(weights, np.float64),
        _finest(maps),
        None if counted is None else counted.reshape(counted.shape[-2:]) > 0,
        len(levels) if isinstance(levels, list) else int(levels is not None),
    )


def _finest(value: Any) -> np.ndarray | None:
    """Of targets in several resolutions the largest; the one where there is one."""
    if isinstance(value, (list, tuple)):
        value = max(value, key=np.size) if len(value) else None
    return None if value is None else np.asarray(value)


def _outline(results: Mapping[str, Any]) -> np.ndarray | None:
    """Corners of a top-down input in the image file: the box that was cut out, turned, and mirrored with the image."""
    if "bbox_center" not in results or "input_size" not in results or len(results["bbox_center"]) != 1:
        return None
    centre, scale = np.asarray(results["bbox_center"][0]), np.asarray(results["bbox_scale"][0])
    turn = np.deg2rad(float(np.asarray(results.get("bbox_rotation", [0.0])).ravel()[0]))
    around = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    corners = centre + (np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * scale / 2) @ around.T
    height, width = results["ori_shape"][:2]
    direction = results.get("flip_direction") if results.get("flip") else None
    if direction in ("horizontal", "diagonal"):
        corners[:, 0] = width - 1 - corners[:, 0]
    if direction in ("vertical", "diagonal"):
        corners[:, 1] = height - 1 - corners[:, 1]
    return corners


def _given_boxes(results: Mapping[str, Any]) -> np.ndarray | None:
    """Boxes in the image file, x y width height: annotated, or of a person that a detector found (`bbox_file`)."""
    rows = results.get("raw_ann_info")
    rows = rows if isinstance(rows, (list, tuple)) else [rows]
    boxes = [row["bbox"] for row in rows if isinstance(row, Mapping) and len(row.get("bbox") or ()) == 4]
    if not boxes and "raw_ann_info" not in results and "bbox" in results and not results.get("flip"):
        corners = np.asarray(results["bbox"], np.float64).reshape(-1, 4)
        boxes = np.hstack([corners[:, :2], corners[:, 2:] - corners[:, :2]])
    return np.array(boxes, np.float64) if len(boxes) else None


def _input_boxes(results: Mapping[str, Any]) -> tuple[np.ndarray | None, tuple[int, ...]]:
    label = results.get("gt_label")
    if "gt_bboxes" not in results:
        return None, () if label is None else tuple(int(value) for value in np.atleast_1d(label))
    boxes = results["gt_bboxes"]
    corners = np.asarray(getattr(boxes, "tensor", boxes), np.float64).reshape(-1, 4)
    sizes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    return sizes, tuple(int(value) for value in results.get("gt_bboxes_labels", ()))
