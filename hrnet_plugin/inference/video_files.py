"""Videos, a frame at a time."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..deploy.exporting.silence import silenced_native
from ..disk import PARTIAL
from ..errors import DataError, MissingDependency
from .output import unwritable

#: What OpenCV says in the place of a rate that it does not know, and what is then taken.
_KNOWN_RATES, _USUAL_RATE = (0.1, 1000.0), 25.0
#: Suffix and codec, the first that this machine's OpenCV can write.
_ENCODERS = ((".mp4", "mp4v"), (".avi", "MJPG"))
#: FFmpeg's own notes are pages that nobody can act on.
_FFMPEG_LEVEL = "OPENCV_FFMPEG_LOGLEVEL"


class VideoReader:
    """An open video file.

    Args:
        path: The file.

    Raises:
        DataError: no such file, nothing that OpenCV reads, or no frame that it can decode.
    """

    def __init__(self, path: Path):
        self.path = path
        if not path.is_file():
            raise DataError(f"video {path}", found="no such file")
        os.environ.setdefault(_FFMPEG_LEVEL, "-8")
        with silenced_native():
            self._capture = cv2.VideoCapture(str(path))
            self._first = self._capture.read()[1] if self._capture.isOpened() else None
        if self._first is None:
            raise DataError(f"video {path}", found=self._why_nothing(), expected=_EXPECTED, do=_DO)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        #: Frames a second.
        self.rate = rate if _KNOWN_RATES[0] <= rate <= _KNOWN_RATES[1] else _USUAL_RATE
        #: How many frames there are, as the file says; None where it does not.
        self.count = self._count()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._capture.release()

    def __iter__(self) -> Iterator[np.ndarray]:
        """The frames, (H, W, 3) in BGR."""
        frame = self._first
        while frame is not None:
            yield frame
            frame = self._capture.read()[1]

    def _count(self) -> int | None:
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        return int(count) if math.isfinite(count) and 0 < count < 1e9 else None

    def _why_nothing(self) -> str:
        if not self.path.stat().st_size:
            return "an empty file"
        if not self._capture.isOpened():
            return "nothing that OpenCV can open"
        count, code = self._count(), int(self._capture.get(cv2.CAP_PROP_FOURCC))
        codec = code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace").strip("\0 ")
        return f"{count} frames of codec {codec or 'unknown'}, none of which can be decoded" if count else "no frames"


class VideoWriter:
    """A video that is written under another name until it is whole.

    Args:
        folder: Where it goes.
        stem: Its name there, less the suffix.
        rate: Frames a second.

    Attributes:
        place: Its name with the suffix of the codec that was found, once a frame was written.
    """

    def __init__(self, folder: Path, stem: str, rate: float):
        self._folder, self._stem, self._rate = folder, stem, rate
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._partial = Path()
        self.place = ""

    def write(self, frame: np.ndarray) -> None:
        """Adds a frame (H, W, 3) in BGR; all of them get the size of the first.

        Raises:
            MissingDependency: OpenCV has no encoder here.
        """
        # Encoders leave out the last of an odd number of rows or columns.
        frame = cv2.copyMakeBorder(frame, 0, frame.shape[0] % 2, 0, frame.shape[1] % 2, cv2.BORDER_REPLICATE)
        if self._writer is None:
            self._size = (frame.shape[1], frame.shape[0])
            self._open()
        if frame.shape[1::-1] != self._size:
            frame = cv2.resize(frame, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(frame)

    def close(self) -> None:
        """Gives it its name.

        Raises:
            ConfigError: it was not written as a whole, of which OpenCV says nothing: a full disk, for one.
        """
        if self._writer is None:
            return
        self._writer.release()
        try:
            with VideoReader(self._partial):
                os.replace(self._partial, self._folder / self.place)
        except DataError:
            self._partial.unlink(missing_ok=True)
            raise unwritable(self._folder / self.place, OSError("a video that was not written as a whole")) from None

    def discard(self) -> None:
        """Takes away what there is of it."""
        if self._writer is not None:
            self._writer.release()
            self._partial.unlink(missing_ok=True)

    def _open(self) -> None:
        for suffix, codec in _ENCODERS:
            place = f"{self._stem}{suffix}"
            whole = self._folder / place
            whole.parent.mkdir(parents=True, exist_ok=True)
            partial = whole.with_name(f".{whole.name}{PARTIAL}{suffix}")
            with silenced_native():
                writer = cv2.VideoWriter(str(partial), cv2.VideoWriter_fourcc(*codec), self._rate, self._size)
            if writer.isOpened():
                self._writer, self._partial, self.place = writer, partial, place
                return
            partial.unlink(missing_ok=True)
        raise MissingDependency(
            f"video of {self._size[0]}x{self._size[1]}",
            found="no encoder in this OpenCV",
            expected=" or ".join(codec for _, codec in _ENCODERS),
            do="Install opencv-python with FFmpeg, or leave the videos out with --no-pictures",
        )


_EXPECTED = "a video that OpenCV decodes"
_DO = "Play it to see whether it is whole, or convert it: ffmpeg -i IN -c:v libx264 OUT.mp4"
