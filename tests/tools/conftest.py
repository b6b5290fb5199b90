"""Data small enough to train on in seconds, and processes started as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="session")
def run(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Start a program with the checkout importable; returns the finished process with its output as text.

    `status` is the expected exit status; None accepts any. A `python` of this environment comes first on PATH.
    """
    elsewhere = tmp_path_factory.mktemp("anywhere")

    def start(*command: object, status: int | None = 0, cwd: Path = elsewhere, path: str = "", **environment: str):
        import_path = os.pathsep.join(filter(None, (str(project_root), path)))
        programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={
                **{key: value for key, value in os.environ.items() if key != "PORT"},
                **{"PYTHONPATH": import_path, "PATH": programs, "OMP_NUM_THREADS": "1", **environment},
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        if status is not None:
            assert done.returncode == status, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    return start


@pytest.fixture(scope="session")
def logged() -> Callable[[Path, str], list[float]]:
    """The values of one name ("loss", "mIoU") that a work dir's training runs logged, in their order."""

    def read(work_dir: Path, name: str) -> list[float]:
        files = sorted(work_dir.glob("*/vis_data/scalars.json"))
        rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        return [row[name] for row in rows if name in row]

    return read


@pytest.fixture(scope="session")
def tested() -> Callable[[Path], dict[str, float]]:
    """The metrics that the one test run of a work dir wrote."""

    def read(work_dir: Path) -> dict[str, float]:
        (result,) = work_dir.glob("*/*.json")
        # mmpose's own test.py lets every rank write the same metrics to this file, so that more may follow the first.
        return json.JSONDecoder().raw_decode(result.read_text())[0]

    return read


def _noise(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    coarse = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height))


@pytest.fixture(scope="session")
def pose_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """COCO's layout: 4 images with 2 persons each to train on, 2 images with one person to validate."""
    root = tmp_path_factory.mktemp("coco")
    rng = np.random.default_rng(5)
    (root / "annotations").mkdir()
    for split, images, persons in (("train2017", 4, 2), ("val2017", 2, 1)):
        (root / split).mkdir()
        annotations = []
        for image in range(images):
            _noise(rng, 160, 128).save(root / split / f"{image}.jpg")
            for _ in range(persons):
                points = np.column_stack([rng.uniform(20, 140, 17), rng.uniform(20, 108, 17), np.full(17, 2)])
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": image,
                        "category_id": 1,
                        "bbox": [10, 10, 140, 108],
                        "area": 140 * 108,
                        "iscrowd": 0,
                        "num_keypoints": 17,
                        "keypoints": points.round(1).ravel().tolist(),
                    }
                )
        content = {
            "images": [{"id": i, "file_name": f"{i}.jpg", "width": 160, "height": 128} for i in range(images)],
            "annotations": annotations,
            "categories": [{"id": 1, "name": "person"}],
        }
        (root / f"annotations/person_keypoints_{split}.json").write_text(json.dumps(content))
    return root


@pytest.fixture(scope="session")
def seg_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cityscapes' layout: 4 images of 128x64 (width x height) to train on, 2 to validate, all 19 classes."""
    root = tmp_path_factory.mktemp("cityscapes")
    rng = np.random.default_rng(6)
    for split, images in (("train", 4), ("val", 2)):
        for folder in ("leftImg8bit", "gtFine"):
            (root / folder / split).mkdir(parents=True)
        for image in range(images):
            _noise(rng, 128, 64).save(root / f"leftImg8bit/{split}/{image}_leftImg8bit.png")
            labels = np.kron(rng.integers(0, 19, (8, 16), dtype=np.uint8), np.ones((8, 8), np.uint8))
            Image.fromarray(labels).save(root / f"gtFine/{split}/{image}_gtFine_labelTrainIds.png")
    return root


@pytest.fixture(scope="session")
def short_pose_config(tmp_path_factory: pytest.TempPathFactory, project_root: Path, pose_data: Path) -> Path:
    """configs/hrnet_w32_coco.py for one epoch of two persons a step, without worker processes."""
    path = tmp_path_factory.mktemp("configs") / "short_pose.py"
    path.write_text(f"""
_base_ = ['{project_root}/configs/hrnet_w32_coco.py']
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader = dict(**loader, dataset=dict(data_root='{pose_data}/'))
val_dataloader = dict(**loader, dataset=dict(data_root='{pose_data}/', bbox_file=None))
test_dataloader = val_dataloader
coco = dict(type='CocoMetric', ann_file='{pose_data}/annotations/person_keypoints_val2017.json')
val_evaluator = [coco, dict(type='EPE')]  # AP of random persons is 0, their end-point error is a number
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1), logger=dict(interval=1))
log_processor = dict(window_size=1)
randomness = dict(seed=4)
""")
    return path


@pytest.fixture(scope="session")
def short_seg_config(tmp_path_factory: pytest.TempPathFactory, project_root: Path, seg_data: Path) -> Path:
    """configs/hrnet_w18_cityscapes.py for two iterations of two 64x64 crops a step, without worker processes."""
    path = tmp_path_factory.mktemp("configs") / "short_seg.py"
    path.write_text(f"""
_base_ = ['{project_root}/configs/hrnet_w18_cityscapes.py']
crop_size = (64, 64)
model = dict(data_preprocessor=dict(size=crop_size))
loader = dict(num_workers=0, persistent_workers=False)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomResize', scale=(128, 64), ratio_range=(1.0, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
train_dataloader = dict(**loader, batch_size=2, dataset=dict(data_root='{seg_data}/', pipeline=train_pipeline))
val_dataloader = dict(**loader, dataset=dict(data_root='{seg_data}/', pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_iters=2, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
log_processor = dict(window_size=1)
randomness = dict(seed=4)
""")
    return path
