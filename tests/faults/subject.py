"""The training that faults are injected into: a small network on generated people, by the commands of users."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil
import torch

from hrnet_plugin.checkpoints.newest import find_newest
from hrnet_plugin.compat.checkpoint_reading import read_checkpoint

#: Iterations between two checkpoints.
INTERVAL = 3
CONFIG = """
_base_ = ['{root}/configs/quickstart_pose.py']
custom_imports = dict(imports=['planted'], allow_failed_imports=False)
data_root = '{data}/'
codec = dict(type='UDPHeatmap', input_size=(48, 64), heatmap_size=(12, 16), sigma=1, blur_kernel_size=5)
pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomFlip', direction='horizontal'),
    dict(type='RandomBBoxTransform'),
    dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [pipeline[0], pipeline[1], pipeline[4], pipeline[6]]
train_dataloader = dict(batch_size=4, dataset=dict(data_root=data_root, pipeline=pipeline))
val_dataloader = dict(batch_size=4, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_val.json')
test_evaluator = val_evaluator
model = dict(backbone=dict(frozen_stages=-1), head=dict(decoder=codec))
train_cfg = dict(max_epochs=3, val_interval=1)
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(by_epoch=False, interval={interval}, max_keep_ckpts=3, save_best=None))
custom_hooks = [dict(type='mmengine.Planted'), dict(type='EMAHook')]
log_processor = dict(window_size=1)
"""
#: What a test plants by the environment: a pause at each step, and a fault at one.
PLANTED = """
import os
import time

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.registry import HOOKS


@HOOKS.register_module()
class Planted(Hook):
    priority = 'HIGHEST'

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        time.sleep(float(os.environ.get('PAUSE', '0')))
        what, _, at = os.environ.get('FAULT', '').partition('@')
        if not what or runner.iter + 1 != int(at):
            return
        if what == 'nan':
            for image in data_batch['inputs'][:1]:
                image[:] = 0
            data_batch['data_samples'][0].gt_fields.heatmaps[:] = float('nan')
        first = os.environ.get('TORCHELASTIC_RESTART_COUNT', '0') == '0'
        if what == 'die' and get_rank() == 1 and first:
            os.kill(os.getpid(), 9)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        time.sleep(float(os.environ.get('SLOW_VALIDATION', '0')))


def slowly(evaluate):
    def slow(self, *args, **kwargs):
        time.sleep(float(os.environ.get('SLOW_EVALUATION', '0')))
        return evaluate(self, *args, **kwargs)
    return slow


from mmpose.evaluation.metrics import CocoMetric
CocoMetric.compute_metrics = slowly(CocoMetric.compute_metrics)
"""


class Subject:
    """A config, its data, and work dirs below one folder.

    Args:
        folder: Empty, or made by an earlier one.
        root: Of the project.
    """

    def __init__(self, folder: Path, root: Path):
        self.folder, self.root = folder, root
        self.data, self.config = folder / "data", folder / "subject.py"
        if not self.config.exists():
            folder.mkdir(parents=True, exist_ok=True)
            make = ["data", "make", "--out", self.data, "--train", 24, "--val", 8, "--test", 4, "--seed", 1]
            self.hrnet(*make).check_returncode()
            (folder / "planted.py").write_text(PLANTED)
            self.config.write_text(CONFIG.format(root=root, data=self.data, interval=INTERVAL))

    def environment(self, **more: object) -> dict[str, str]:
        """The variables of a run."""
        path = os.pathsep.join([str(self.root), str(self.folder)])
        ours = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHON": sys.executable, "TORCH_NUM_THREADS": "1"}
        return {**os.environ, **ours, **{name: str(value) for name, value in more.items()}}

    def hrnet(self, *arguments: object, **variables: object) -> subprocess.CompletedProcess:
        """Runs `hrnet` to its end."""
        command = [sys.executable, "-m", "hrnet_plugin", *map(str, arguments)]
        return subprocess.run(command, env=self.environment(**variables), capture_output=True, text=True, timeout=600)

    def start(
        self, name: str, *flags: object, processes: int = 0, before: Sequence[object] = (), **variables: object
    ) -> Run:
        """Starts a training, all of whose processes are of one group.

        Args:
            name: Of the work dir.
            flags: Of `hrnet train`.
            processes: Started by `tools/dist_train.sh`; 0 for one without torchrun.
            before: What the command is run by, such as `ip netns exec`.
            variables: Of the environment.
        """
        work_dir = self.folder / name
        train = [sys.executable, "-m", "hrnet_plugin", "train", self.config]
        if processes:
            train = [self.root / "tools/dist_train.sh", self.config, processes]
        command = [*map(str, [*before, *train, "--work-dir", work_dir, *flags])]
        log = self.folder / f"{name}.{len(list(self.folder.glob(f'{name}.*.txt')))}.txt"
        with log.open("w") as out:
            process = subprocess.Popen(
                command, env=self.environment(**variables), stdout=out, stderr=out, start_new_session=True
            )
        return Run(process, work_dir, log)

    def train(self, name: str, *flags: object, **options: object) -> Run:
        """Runs a training to its end."""
        run = self.start(name, *flags, **options)
        run.wait()
        return run


class Run:
    """A training that runs, or has run."""

    def __init__(self, process: subprocess.Popen, work_dir: Path, log: Path):
        self.process, self.work_dir, self._log = process, work_dir, log
        self.began = time.monotonic()

    def wait(self, seconds: float = 400) -> int:
        """Its exit status; it is killed where it takes longer."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def wait_until(self, there: Callable[[], object], seconds: float = 120, every: float = 0.001) -> bool:
        """Waits for something to happen while it runs; False where it ended before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if there():
                return True
            if self.process.poll() is not None:
                return bool(there())
            time.sleep(every)
        self.kill()
        raise TimeoutError(f"not within {seconds} s: {self.output()[-2000:]}")

    def wait_for_iteration(self, iteration: int) -> bool:
        """Waits until it has logged an iteration."""
        return self.wait_until(lambda: iteration in logged(self.work_dir), every=0.02)

    def seconds(self) -> float:
        """Since it was started."""
        return time.monotonic() - self.began

    def kill(self) -> None:
        """SIGKILL to all of its processes; those that torchrun starts are in groups of their own."""
        for one in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()

    def processes(self) -> list[psutil.Process]:
        """All that are alive, the first one first."""
        try:
            first = psutil.Process(self.process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def output(self) -> str:
        """What it has printed."""
        return self._log.read_text(errors="replace")

    def message(self) -> str:
        """Its last line that begins with `hrnet:`."""
        lines = [line for line in self.output().splitlines() if line.startswith("hrnet:")]
        return lines[-1] if lines else ""


def logged(work_dir: Path) -> dict[int, float]:
    """The loss of each iteration, from all runs in a work dir; a later one counts."""
    losses = {}
    for path in sorted(work_dir.glob("*/vis_data/scalars.json")):
        for line in path.read_text().splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # cut off by a kill
                continue
            if "loss" in row:
                losses[row["iter"]] = row["loss"]
    return losses


def newest(work_dir: Path) -> int:
    """Iterations that the newest sound checkpoint has seen; 0 where there is none."""
    path = find_newest(work_dir.glob("*.pth")).path
    return 0 if path is None else read_checkpoint(path, mapped=True)["meta"]["iter"]


def largest_differences(work_dir: Path, other: Path) -> dict[str, float]:
    """Between the last checkpoints of two trainings: of weights, their average, optimizer and random streams."""
    first, second = (read_checkpoint(find_newest(folder.glob("*.pth")).path) for folder in (work_dir, other))
    parts = {
        "weights": "state_dict", "average": "ema_state_dict", "optimizer": "optimizer", "streams": "random_streams"
    }  # fmt: skip
    return {name: _difference(first[key], second[key]) for name, key in parts.items()}


def _difference(one: object, other: object) -> float:
    if isinstance(one, torch.Tensor):
        return float((one.double() - other.double()).abs().max()) if one.numel() else 0.0
    if isinstance(one, Mapping):
        assert one.keys() == other.keys()
        return max((_difference(one[key], other[key]) for key in one), default=0.0)
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        return max((_difference(*pair) for pair in zip(one, other, strict=True)), default=0.0)
    return float(one != other)
