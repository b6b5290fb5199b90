"""What lens, light and camera do to a picture: shade, colour cast, blur, noise, compression."""

from __future__ import annotations

import cv2
import numpy as np

from .noise import clouds, grain


def expose(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Turn a clean picture into a photograph.

    Args:
        rng: Source of randomness.
        image: (3, H, W) float32 RGB from 0 to 1; may be changed.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    height, width = image.shape[1:]
    if rng.random() < 0.6:
        image *= 1.0 + np.float32(rng.uniform(0.05, 0.25)) * clouds(rng, height, width, rng.uniform(2, 5))
    if rng.random() < 0.3:
        _shadow_edge(rng, image)
    _blur(rng, image, height / 192)
    gain = np.exp(rng.normal(0.02, 0.13)) * (1 + rng.normal(0, 0.05, 3)) * max(rng.normal(1.0, 0.14), 0.6)
    image -= np.float32(0.45)
    image *= gain.astype(np.float32)[:, None, None]
    if rng.random() < 0.12:
        image += (image.mean(0) - image) * np.float32(rng.uniform(0.5, 1.0))
    image += grain(rng, height, width) * np.float32(rng.gamma(2.0, 0.0065))
    image *= np.float32(255)
    image += np.float32(0.45 * 255 + 0.5)
    np.minimum(np.maximum(image, 0.0, out=image), 255.0, out=image)
    pixels = np.ascontiguousarray(image.astype(np.uint8).transpose(1, 2, 0))
    return _compress(rng, pixels) if rng.random() < 0.3 else pixels


def _shadow_edge(rng: np.random.Generator, image: np.ndarray) -> None:
    """The soft edge of a large shadow that falls across the scene."""
    height, width = image.shape[1:]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)[None] * np.float32(np.cos(angle))
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    ramp = (across + down - np.float32(rng.uniform(-0.3, 0.3))) * np.float32(rng.uniform(4, 30))
    image *= 1.0 - np.float32(rng.uniform(0.15, 0.45)) * np.minimum(np.maximum(ramp + 0.5, 0.0), 1.0)


def _blur(rng: np.random.Generator, image: np.ndarray, unit: float) -> None:
    kind = rng.random()
    if kind < 0.45:
        spread = float(rng.uniform(0.3, 1.1)) * unit
        for plane in image:
            cv2.GaussianBlur(plane, (0, 0), spread, dst=plane)
    elif kind < 0.53:
        kernel = _smear(int(rng.integers(3, 6) * unit) | 1, float(rng.uniform(0, np.pi)))
        for plane in image:
            cv2.filter2D(plane, -1, kernel, dst=plane, borderType=cv2.BORDER_REPLICATE)


def _smear(length: int, angle: float) -> np.ndarray:
    """The kernel of a straight movement, (length, length), of sum one."""
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    reach = np.array((np.cos(angle), np.sin(angle))) * middle
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    return kernel / kernel.sum()


def _compress(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    return decode(encode_jpeg(pixels, int(rng.integers(35, 88))))


def encode_jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """RGB pixels (H, W, 3) uint8 as the bytes of a JPEG file; `quality` from 1 to 100."""
    done, packed = cv2.imencode(".jpg", pixels[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    return packed.tobytes()


def decode(packed: bytes) -> np.ndarray:
    """The RGB pixels (H, W, 3) uint8 of an image file's bytes."""
    return cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].copy()
