"""Predictions drawn onto their images."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..analysis.drawing import Sheet, blend_classes, draw_box, draw_pose
from ..analysis.skeleton import Skeleton
from ..deploy.predictions import ClassPrediction, PosePrediction, Prediction, SegmentationPrediction
from ..deploy.preparing import read_image
from ..disk import write_whole
from ..errors import DataError

#: Keypoints below are not drawn where nobody asks for something else.
SURE = 0.3
#: Wider or higher pictures are no JPEG.
_JPEG = 65500
_SHARE = 0.55
_CLASSES = 3
_BEYOND = 100


def draw(
    image: str | Path | np.ndarray,
    prediction: Prediction,
    path: str | Path | None = None,
    *,
    score_thr: float = SURE,
) -> np.ndarray:
    """Draws what a predictor found in an image: poses with their boxes, classes as colours, or the likeliest classes.

    Args:
        image: A path or (H, W, 3) BGR array of 8 bits; it is left as it is.
        prediction: The predictor's, of this image.
        path: A picture file to write, too; JPEG or PNG by its suffix.
        score_thr: Keypoints below this score are not drawn.

    Returns:
        (H, W, 3) in BGR.

    Raises:
        DataError: the image cannot be read, or the picture not be written.

    Example:
        >>> predictor = hrnet_plugin.load("hrnet_w32_coco", "epoch_210.pth")  # doctest: +SKIP
        >>> predictions = predictor(["a.jpg", "b.jpg"], [boxes_of_a, boxes_of_b])  # doctest: +SKIP
        >>> hrnet_plugin.inference.draw("a.jpg", predictions[0], "drawn.jpg")  # doctest: +SKIP
    """
    picture = np.ascontiguousarray(read_image(image)[..., ::-1])
    if isinstance(prediction, PosePrediction):
        _draw_poses(picture, prediction, score_thr)
    elif isinstance(prediction, SegmentationPrediction):
        picture = _tinted(picture, prediction)
    else:
        picture = _captioned(picture, prediction)
    drawn = np.ascontiguousarray(picture[..., ::-1])
    if path is not None:
        _save(drawn, Path(path))
    return drawn


def encoded(picture: np.ndarray, suffix: str) -> bytes:
    """A picture as the bytes of a file.

    Args:
        picture: (H, W, 3) in BGR, or (H, W) of indices.
        suffix: `.jpg` or `.png`.

    Raises:
        DataError: a suffix that OpenCV does not write, or a picture too large for it.
    """
    quality = [cv2.IMWRITE_JPEG_QUALITY, 92] if suffix.lower() in (".jpg", ".jpeg") else []
    try:
        written, data = cv2.imencode(suffix, picture, quality)
    except cv2.error:
        written = False
    if not written:
        height, width = picture.shape[:2]
        raise DataError(f"a {width}x{height} picture as {suffix or 'a file without a suffix'}", expected=".jpg or .png")
    return data.tobytes()


def picture_suffix(picture: np.ndarray) -> str:
    """`.jpg`, or `.png` for a picture (H, W, ...) that is too large for a JPEG."""
    return ".jpg" if max(picture.shape[:2]) <= _JPEG else ".png"


def palette_of(palette: Sequence[Sequence[int]], count: int) -> np.ndarray:
    """A colour (R, G, B) for each of `count` classes: the data set's own, others for those that it has none for."""
    colours = [
        [round(255 * part) for part in colorsys.hsv_to_rgb(index * 0.618034 % 1, 0.65, 0.95)] for index in range(count)
    ]
    own = np.array(palette[:count], np.uint8).reshape(-1, 3)
    return np.concatenate([own, np.array(colours, np.uint8).reshape(-1, 3)[len(own) :]])


def _draw_poses(picture: np.ndarray, prediction: PosePrediction, score_thr: float) -> None:
    height, width = picture.shape[:2]
    skeleton = prediction.skeleton
    if skeleton is None or len(skeleton) != prediction.keypoints.shape[1]:
        skeleton = Skeleton.by_side([""] * prediction.keypoints.shape[1])
    for left, top, right, bottom in prediction.boxes:
        if (left, top, right, bottom) != (0, 0, width, height):  # nobody gave that one
            # OpenCV's integers end long before a box does; what lies beyond the picture is not seen anyway.
            left, right = np.clip([left, right], -_BEYOND, width + _BEYOND)
            top, bottom = np.clip([top, bottom], -_BEYOND, height + _BEYOND)
            draw_box(picture, (left, top, right - left, bottom - top))
    for keypoints, scores in zip(prediction.keypoints, prediction.scores, strict=True):
        draw_pose(picture, keypoints, (scores >= score_thr) & (scores > 0), skeleton=skeleton)


def _tinted(picture: np.ndarray, prediction: SegmentationPrediction) -> np.ndarray:
    labels = prediction.labels
    palette = palette_of(prediction.palette, max(int(labels.max()) + 1, len(prediction.classes)))
    return blend_classes(picture, (labels % 256).astype(np.uint8), palette[:256], _SHARE)


def _captioned(picture: np.ndarray, prediction: ClassPrediction) -> np.ndarray:
    """The picture with its likeliest classes on a strip below."""
    width = picture.shape[1]
    size = max(12, round(width / 32))
    best = np.argsort(-prediction.scores, kind="stable")[:_CLASSES]
    strip = Sheet(width, len(best) * (size + 8) + 8)
    for row, index in enumerate(best):
        top = 6 + row * (size + 8)
        end = strip.write(f"{100 * prediction.scores[index]:.1f} %", size // 2, top, size, bold=not row)
        strip.write(class_name(prediction.classes, int(index)), end + size, top, size, bold=not row)
    return np.concatenate([picture, np.asarray(strip.page)])


def class_name(classes: Sequence[str], index: int) -> str:
    """Name of a class, its index where the data set has no names."""
    return classes[index] if index < len(classes) else str(index)


def _save(picture: np.ndarray, path: Path) -> None:
    try:
        write_whole(encoded(picture, path.suffix), path)
    except OSError as error:
        raise DataError(f"picture {path}", found=error.strerror or str(error), expected="a file to write") from error
