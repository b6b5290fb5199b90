"""mmpose's and mmseg's own tools run a config that names our backbone, with one `custom_imports` line."""

from __future__ import annotations

import importlib.util
import socket
import sys
from pathlib import Path

import pytest

# A stock config of each framework, with the backbone's type changed and nothing but the data and the length of the
# run made small. The absolute path stands for the relative one of a config in the framework's own checkout.
POSE = """
_base_ = ['{stock}']
custom_imports = dict(imports=['hrnet_plugin'])
model = dict(backbone=dict(type='hrnet_plugin.HRNet', init_cfg=None))
loader = dict(batch_size=2, num_workers=0, persistent_workers=False)
train_dataloader = dict(**loader, dataset=dict(data_root='{data}/'))
val_dataloader = dict(**loader, dataset=dict(data_root='{data}/', bbox_file=None))
test_dataloader = val_dataloader
coco = dict(type='CocoMetric', ann_file='{data}/annotations/person_keypoints_val2017.json')
val_evaluator = [coco, dict(type='EPE')]
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1), logger=dict(interval=1))
randomness = dict(seed=4)
"""
SEG = """
_base_ = ['{stock}']
custom_imports = dict(imports=['hrnet_plugin'])
crop_size = (64, 64)
model = dict(
    data_preprocessor=dict(size=crop_size), pretrained=None, backbone=dict(type='hrnet_plugin.HRNet'))
loader = dict(num_workers=0, persistent_workers=False)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='PackSegInputs'),
]
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]
train_dataloader = dict(**loader, dataset=dict(data_root='{data}/', pipeline=train_pipeline))
val_dataloader = dict(**loader, dataset=dict(data_root='{data}/', pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_iters=2, val_interval=2)
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
randomness = dict(seed=4)
"""
FRAMEWORKS = {
    "mmpose": (
        POSE,
        "body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py",
        "pose_data",
        ("epoch_1.pth", "epoch_2.pth", "train_cfg.max_epochs=2", "EPE"),
    ),
    "mmseg": (
        SEG,
        "hrnet/fcn_hr18_4xb2-160k_cityscapes-512x1024.py",
        "seg_data",
        ("iter_2.pth", "iter_4.pth", "train_cfg.max_iters=4", "mIoU"),
    ),
}


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture(scope="module", params=FRAMEWORKS)
def trained(request, run, tmp_path_factory):
    """Tools and config of one framework, and a work dir in which its dist_train.sh trained on two processes."""
    template, stock, data, names = FRAMEWORKS[request.param]
    package = Path(importlib.util.find_spec(request.param).origin).parent / ".mim"
    folder = tmp_path_factory.mktemp(request.param)
    config = folder / "mine.py"
    config.write_text(template.format(stock=package / "configs" / stock, data=request.getfixturevalue(data)))
    tools, work_dir = package / "tools", folder / "work"
    run("bash", tools / "dist_train.sh", config, 2, "--work-dir", work_dir, PORT=free_port())
    return tools, config, work_dir, names


def test_dist_train_then_resume_with_train(trained, run, logged):
    tools, config, work_dir, (first, second, longer, _) = trained
    assert Path((work_dir / "last_checkpoint").read_text()).name == first
    assert len(logged(work_dir, "loss")) == 2

    options = ("--work-dir", work_dir, "--resume", "--cfg-options", longer)
    done = run(sys.executable, tools / "train.py", config, *options)

    assert f"Load checkpoint from {work_dir / first}" in done.stdout
    assert Path((work_dir / "last_checkpoint").read_text()).name == second
    assert len(logged(work_dir, "loss")) > 2


def test_test_and_dist_test_find_what_training_found(trained, run, logged, tested, tmp_path):
    tools, config, work_dir, (first, *_, key) = trained
    found = logged(work_dir, key)[0]
    assert found > 0

    run(sys.executable, tools / "test.py", config, work_dir / first, "--work-dir", tmp_path / "one")
    two = ("--work-dir", tmp_path / "two")
    run("bash", tools / "dist_test.sh", config, work_dir / first, 2, *two, PORT=free_port())

    # Two processes take smaller batches than one, which rounds differently, and the heatmaps of a network that has
    # hardly been trained are flat: a peak may move to its neighbour.
    assert tested(tmp_path / "one")[key] == pytest.approx(found, rel=5e-3)
    assert tested(tmp_path / "two")[key] == pytest.approx(found, rel=5e-3)
