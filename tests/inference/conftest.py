"""Small pictures, and a predictor of three keypoints that needs no weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.predictor import Predictor
from hrnet_plugin.deploy.runtimes.base import Runtime
from hrnet_plugin.inference.journal import Journal
from hrnet_plugin.inference.output import Output
from hrnet_plugin.inference.persons import PersonSource, WholeImages
from hrnet_plugin.inference.plan import plan_run
from hrnet_plugin.inference.session import Choices, Outcome, Session, write_results
from hrnet_plugin.inference.sources import find_sources


class Pooled(Runtime):
    """In the place of a network: its maps follow the brightness of the image, and it counts what it is given."""

    name, precisions = "pooled", ("fp32",)

    def __init__(self, channels: int, flat: bool = False):
        super().__init__()
        self.channels, self.flat, self.calls = channels, flat, []

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        self.calls.append(len(images))
        maps = functional.avg_pool2d(images.mean(1, keepdim=True), 4)
        turned = torch.cat([maps.roll((turn, 2 * turn), (2, 3)) for turn in range(self.channels)], 1)
        return (turned.mean((2, 3)) if self.flat else turned,)


_IMAGES = {"mean": (0.0, 0.0, 0.0), "std": (255.0, 255.0, 255.0), "name": "small"}


@pytest.fixture
def posing() -> Predictor:
    """Three keypoints of 32x48 crops."""
    description = NetworkDescription(
        "pose",
        (32, 48),
        keypoint_names=("head", "left_hand", "right_hand"),
        flip_indices=(0, 2, 1),
        limbs=((0, 1), (0, 2)),
        codec={"type": "MSRAHeatmap", "input_size": (32, 48), "heatmap_size": (8, 12)},
        **_IMAGES,
    )
    return Predictor(Pooled(3), description)


@pytest.fixture
def segmenting() -> Predictor:
    """Three classes, of which the data set has no colours."""
    return Predictor(Pooled(3), NetworkDescription("segmentation", classes=("sky", "sea", "sand"), **_IMAGES))


@pytest.fixture
def classifying() -> Predictor:
    """Four classes without names."""
    return Predictor(Pooled(4, flat=True), NetworkDescription("classification", (32, 32), **_IMAGES))


def picture(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    """Coloured squares, (H, W, 3)."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (height // 10 + 1, width // 10 + 1, 3), dtype=np.uint8)
    return np.kron(small, np.ones((10, 10, 1), np.uint8))[:height, :width]


def write_video(path: Path, frames: int, size: tuple[int, int] = (80, 60), rate: float = 10) -> Path:
    """Coloured squares that change with each frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    for index in range(frames):
        writer.write(picture(index, size[1], size[0]))
    writer.release()
    return path


@pytest.fixture(name="picture")
def _picture() -> Callable[..., np.ndarray]:
    """`picture(seed, height, width)`: coloured squares, (H, W, 3)."""
    return picture


@pytest.fixture(name="write_video")
def _write_video() -> Callable[..., Path]:
    """`write_video(path, frames, size, rate)`."""
    return write_video


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with seven images: two of the same name in folders of their own, one whose name is no ASCII."""
    folder = tmp_path / "photos"
    for index, name in enumerate(
        ("a.png", "b.jpg", "one/x.jpg", "two/x.jpg", "two/deep/größe 人.png", "y.bmp", "z.jpg")
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        kind = Path(name).suffix
        (folder / name).write_bytes(cv2.imencode(kind, picture(index))[1].tobytes())
    return folder


@pytest.fixture
def infer(tmp_path: Path) -> Callable[..., Outcome]:
    """`infer(predictor, inputs, ...)`: a whole run as the command line does it."""

    def run(
        predictor: Predictor,
        inputs: Sequence[Path],
        out: Path | None = None,
        persons: PersonSource | None = None,
        choices: Choices | None = None,
        overwrite: bool = False,
        **identity: str,
    ) -> Outcome:
        output, persons, choices = Output(out or tmp_path / "out"), persons or WholeImages(), choices or Choices(3)
        sources = find_sources(inputs, output.folder)
        task = predictor.description.task
        with Journal(output, {"network": "small", **identity}, overwrite=overwrite) as journal:
            journal.check_inputs(sources)
            plan = plan_run(sources, persons.has, journal, choices.batch_size, task=task, pictures=choices.pictures)
            outcome = Session(predictor, persons, journal, choices, sources).run(plan)
            write_results(journal, sources, predictor.description, persons.categories)
        return outcome

    return run
