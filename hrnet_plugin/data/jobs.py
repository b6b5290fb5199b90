"""A run of scenes drawn and written by one process; run as a module, it is the worker that `workers` starts."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2

from .annotate import annotation, file_name, image_id, image_row
from .scene import SPLITS, render_scene
from .sensor import encode_jpeg

JPEG_QUALITY = 90


@dataclass(frozen=True)
class Job:
    """Scenes `first` <= index < `last` of a split, to be written below a folder; `size` is width and height."""

    folder: str
    seed: int
    split: str
    first: int
    last: int
    size: tuple[int, int]

    def to_json(self) -> str:
        """One line that `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Job:
        """The job of a line."""
        values = json.loads(line)
        return cls(**{**values, "size": tuple(values["size"])})


def run_job(job: Job) -> dict[str, list[dict[str, Any]]]:
    """Write the pictures and masks of a job.

    Returns:
        Rows for the COCO file: `images` and `annotations`.

    Raises:
        OSError: if a file cannot be written.
    """
    rows: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": []}
    for index in range(job.first, job.last):
        scene = render_scene(job.seed, job.split, index, job.size)
        image = image_id(SPLITS.index(job.split), index)
        _write(job, index, "jpg", job.split, encode_jpeg(scene.image, JPEG_QUALITY))
        done, packed = cv2.imencode(".png", scene.mask, (cv2.IMWRITE_PNG_COMPRESSION, 4))
        if not done:
            raise RuntimeError("OpenCV could not encode a PNG")
        _write(job, index, "png", f"masks/{job.split}", packed.tobytes())
        rows["images"].append(image_row(scene, index, image))
        rows["annotations"] += [annotation(person, number, image) for number, person in enumerate(scene.persons)]
    return rows


def _write(job: Job, index: int, ending: str, folder: str, content: bytes) -> None:
    (Path(job.folder) / folder / file_name(index, ending)).write_bytes(content)


def main() -> int:
    """Read jobs from the standard input, one a line; answer each with a line of JSON: its rows, or an error."""
    # Ctrl-C is for the parent, which then ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = run_job(Job.from_json(line))
        except OSError as error:
            answer = {"error": [error.errno, error.strerror]}
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
