"""Whole processes of test tools: what the user gives for them, their seconds and the AP that they find."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ...errors import DataError, LaunchError
from ...locations import PACKAGE
from ..plans import Settings

#: Points the test of a config at the generated people, with annotated boxes.
TEST_DATA = """test_dataloader = dict(dataset=dict(
    data_root={root!r}, ann_file='annotations/person_keypoints_test.json', data_prefix=dict(img='test/'){boxes}))
test_evaluator = dict(ann_file={root!r} + '/annotations/person_keypoints_test.json')
"""


@dataclass(frozen=True)
class Given:
    """What the user gives for these rows.

    Args:
        checkpoint: Of a W32 trained on the generated people, as `configs/quickstart_pose.py` trains.
        data_root: The generated people: 500 images in `test`, 300 others in `val`.
        shared: A folder with the real weights of a Lite-HRNet and images for them; None to leave those out.
    """

    checkpoint: Path | None = None
    data_root: Path | None = None
    shared: Path | None = None

    def __post_init__(self):
        if self.checkpoint is not None and not self.checkpoint.is_file():
            raise DataError(f"--checkpoint {self.checkpoint}", found="no such file", expected="weights of a W32")
        annotations = None if self.data_root is None else self.data_root / "annotations"
        if annotations is not None and not (annotations / "person_keypoints_test.json").is_file():
            raise DataError(
                f"--data-root {self.data_root}",
                found="no annotations/person_keypoints_test.json",
                expected="a folder of `hrnet data make --val 300 --test 500`",
            )

    @property
    def files(self) -> tuple[Path, ...]:
        """What decides what is measured: weights and annotations."""
        real = sorted(self.shared.glob("weights/*.pth")) if self.shared is not None else ()
        return (self.checkpoint, *sorted((self.data_root / "annotations").glob("*.json")), *real)

    @property
    def is_enough(self) -> bool:
        """Whether there are weights and images."""
        return self.checkpoint is not None and self.data_root is not None


def count_test_images(data_root: Path) -> int:
    """How many images the test set has.

    Raises:
        DataError: its file holds no annotations.
    """
    path = data_root / "annotations" / "person_keypoints_test.json"
    try:
        return len(json.loads(path.read_text(encoding="utf-8"))["images"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"annotations {path}", found="no images", expected="annotations of COCO's form") from error


def run_tool(command: Sequence[str], settings: Settings, name: str) -> tuple[float, float]:
    """Seconds and AP of one run of a test tool.

    Raises:
        LaunchError: it fails.
    """
    folder = (settings.folder / "tools" / name.replace(" ", "-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    metrics, log = folder / "metrics.json", folder / "said.log"
    metrics.unlink(missing_ok=True)
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"OMP_NUM_THREADS": str(settings.threads), "PYTHONPATH": os.pathsep.join(paths)}
    whole = [*command, "--work-dir", str(folder), "--out", str(metrics)]
    with log.open("w", encoding="utf-8") as said:
        begun = perf_counter()
        status = subprocess.run(whole, stdout=said, stderr=said, env=environment, check=False).returncode
        seconds = perf_counter() - begun
    if status or not metrics.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
        raise LaunchError(f"test tool ({name})", found=f"exit status {status} ({lines[-1][:160]})", do=f"See {log}")
    return seconds, float(json.loads(metrics.read_text(encoding="utf-8"))["coco/AP"])
