"""A network of 8 channels, and results that no clock has touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.bench.machine import Machine
from hrnet_plugin.bench.results import Measured, Report, Run
from hrnet_plugin.bench.subjects import LIMIT, Network, Subject

_CONFIG = """
_base_ = ['mmpose::_base_/default_runtime.py']
extra = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=[1], num_channels=[8]),
    **{f'stage{n}': dict(num_modules=1, num_branches=n, block='BASIC', num_blocks=[1] * n,
                         num_channels=[8 * 2**i for i in range(n)]) for n in (2, 3, 4)})
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor', mean=[120, 120, 120], std=[60, 60, 60]),
    backbone=dict(type='hrnet_plugin.HRNet', extra=extra, multiscale_output=False,
                  init_cfg=dict(type='Pretrained', checkpoint='https://example.org/models/hrnet_w18.pth')),
    head=dict(type='HeatmapHead', in_channels=8, out_channels=17, deconv_out_channels=None,
              loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec),
    test_cfg=dict(flip_test=False))
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
"""


@pytest.fixture(scope="session")
def tiny_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A top-down pose network for 64x64."""
    path = tmp_path_factory.mktemp("config") / "tiny.py"
    path.write_text(_CONFIG)
    return path


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on networks this small."""


@pytest.fixture
def run() -> Run:
    """A baseline of 100 and 110 ms, a runtime of 40 and 50 ms, another of 80 ms, one that was refused, the limit."""
    theirs, ours = Network("mmpose::theirs.py"), Network("ours.py")
    fast = Subject("openvino fp32", ours, theirs, runtime="openvino")
    slow = Subject("torch fp32", ours, theirs, runtime="torch")
    absent = Subject("ncnn fp32", ours, theirs, runtime="ncnn")
    macs = {"parameters": 1000, "macs": 2 * 10**9}
    measured = (
        Measured(Subject("mmpose eager", theirs), ((0.1, 0.1, 0.4), (0.11, 0.11, 0.11)), 0.0, **macs),
        Measured(fast, ((0.04, 0.04, 0.04), (0.05, 0.05, 0.05)), 1e-6, memory=2**29, gradient_memory=2**28, **macs),
        Measured(slow, ((0.08, 0.08, 0.08), (0.08, 0.08, 0.08)), 1e-6, parts={"stage 1": 0.01}, **macs),
        Measured(absent, refused="ncnn: not installed"),
        Measured(Subject("limit", theirs, role=LIMIT), ((0.03,), (0.03,)), convolution_macs=2 * 10**9, macs=1),
    )
    return Run("batch-1", "Inference", measured, processes=2, turns=3, threads=2)


@pytest.fixture
def report(run: Run) -> Report:
    """That run on a made-up machine."""
    machine = Machine("A processor", 2, ("avx2",), 2**34, "Linux", {"torch": "2.13.0"})
    return Report(machine, (run,), date="2026-01-31", version="1.0")
