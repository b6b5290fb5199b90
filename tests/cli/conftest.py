"""A command line run in this process, and data and configs small enough for it to take a second."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """The error lines."""
        return [line for line in self.err.splitlines() if " error: " in line]


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on tensors this small."""


@pytest.fixture(autouse=True)
def _forget_earlier_runs(forget_runs: Callable[[], None]) -> Iterator[None]:
    yield
    forget_runs()


@pytest.fixture(autouse=True)
def _unformatted_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """mmengine formats the config anew for each file it writes, which takes as long as the rest of a tiny run."""
    monkeypatch.setattr("mmengine.config.config.FormatCode", lambda text, **options: (text, False))


@pytest.fixture
def hrnet(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run `hrnet` with these arguments."""
    from hrnet_plugin.cli.main import main

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return run


@pytest.fixture
def refused(hrnet: Callable[..., Outcome]) -> Callable[..., str]:
    """Run `hrnet` with arguments that it has to refuse in one line; returns that line."""

    def run(*arguments: object) -> str:
        outcome = hrnet(*arguments)
        assert outcome.status == 2, outcome
        assert "Traceback" not in outcome.out + outcome.err
        assert len(outcome.errors) == 1, outcome.err
        assert outcome.errors[0].startswith("hrnet: error: ")
        return outcome.errors[0]

    return run


@pytest.fixture(scope="session")
def _pristine_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "coco"
    rng = np.random.default_rng(7)
    for split, count in (("train2017", 4), ("val2017", 2)):
        images, annotations = [], []
        for index in range(count):
            name = f"{split[:-4]}_{index}.jpg"
            picture = np.kron(rng.integers(0, 255, (12, 12, 3), dtype=np.uint8), np.ones((8, 8, 1), np.uint8))
            _save(root / split / name, picture)
            mask = np.kron(rng.integers(0, 2, (12, 12), dtype=np.uint8), np.ones((8, 8), np.uint8))
            _save(root / "masks" / split / name.replace(".jpg", ".png"), mask)
            images.append({"id": index, "file_name": name, "width": 96, "height": 96})
            points = np.column_stack([rng.uniform(15, 80, (17, 2)), np.full(17, 2)]).round(1)
            annotations.append(
                {"id": index + 1, "image_id": index, "category_id": 1, "bbox": [8, 8, 80, 80], "area": 6400,
                 "iscrowd": 0, "num_keypoints": 17, "keypoints": points.ravel().tolist()}
            )  # fmt: skip
        content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
        file = root / "annotations" / f"person_keypoints_{split}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
    return root


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def saved() -> Callable[[Path, Path], Path]:
    """`saved(config, path)`: a checkpoint of a config's network, with weights under which all classes occur."""

    def save(config: Path, path: Path) -> Path:
        import torch
        from mmengine.config import Config
        from torch import nn

        from hrnet_plugin.zoo.forward import build_model, model_config

        cfg = Config.fromfile(config)
        cfg.model.backbone.pop("init_cfg", None)
        torch.manual_seed(0)
        model = build_model(model_config(cfg), cfg.default_scope)
        for parameter in model.parameters():
            if parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter)
        torch.save({"state_dict": model.state_dict(), "meta": {}}, path)
        return path

    return save


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty and the test's own; weights are looked for below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path


@pytest.fixture
def data(workplace: Path, _pristine_data: Path) -> Path:
    """COCO's layout with 4 training and 2 validation images of 96x96, one person each, and binary masks.

    It lies at elsewhere/coco, not at the data/coco of the configs.
    """
    return Path(shutil.copytree(_pristine_data, workplace / "elsewhere" / "coco"))


@pytest.fixture
def pose_config(workplace: Path) -> Path:
    """Top-down pose at 64x64, one epoch of two steps, one validation; it expects its data in data/coco."""
    return _written(workplace / f"pose_{workplace.name}.py", _NETWORK + _POSE)


@pytest.fixture
def seg_config(workplace: Path) -> Path:
    """Segmentation of 64x64 crops, two steps, one validation; it expects its data in data/coco."""
    return _written(workplace / f"seg_{workplace.name}.py", _NETWORK + _SEG)


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


#: A four-stage HRNet of 8 channels, with one block where the published ones have four.
_NETWORK = """
extra = dict(
    stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=[1], num_channels=[8]),
    **{f'stage{n}': dict(num_modules=1, num_branches=n, block='BASIC', num_blocks=[1] * n,
                         num_channels=[8 * 2**i for i in range(n)]) for n in (2, 3, 4)})
"""

_POSE = """
_base_ = ['mmpose::_base_/default_runtime.py']
data_root = 'data/coco/'
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor', mean=[120, 120, 120], std=[60, 60, 60]),
    backbone=dict(
        type='hrnet_plugin.HRNet',
        extra=extra,
        multiscale_output=False,
        init_cfg=dict(type='Pretrained', checkpoint='https://example.org/models/hrnet_w18.pth')),
    head=dict(type='HeatmapHead', in_channels=8, out_channels=17, deconv_out_channels=None,
              loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec),
    test_cfg=dict(flip_test=False))
pipeline = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=codec['input_size'])]
loader = dict(batch_size=2, num_workers=0)
dataset = dict(type='CocoDataset', data_root=data_root, data_mode='topdown')
train_dataloader = dict(
    **loader, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**dataset, ann_file='annotations/person_keypoints_train2017.json', data_prefix=dict(img='train2017/'),
                 pipeline=[*pipeline, dict(type='GenerateTarget', encoder=codec), dict(type='PackPoseInputs')]))
val_dataloader = dict(
    **loader, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, ann_file='annotations/person_keypoints_val2017.json', data_prefix=dict(img='val2017/'),
                 bbox_file='data/coco/person_detection_results/val.json', test_mode=True,
                 pipeline=[*pipeline, dict(type='PackPoseInputs')]))
test_dataloader = val_dataloader
val_evaluator = dict(type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_val2017.json')
test_evaluator = val_evaluator
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(checkpoint=dict(interval=1, save_best='coco/AP', rule='greater'), logger=dict(interval=1))
auto_scale_lr = dict(base_batch_size=512)
"""

_SEG = """
_base_ = ['mmseg::_base_/default_runtime.py']
data_root = 'data/coco'
channels = [8, 16, 32, 64]
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[120] * 3, std=[60] * 3, size=(64, 64)),
    backbone=dict(type='hrnet_plugin.HRNet', extra=extra, multiscale_output=True, upsample_mode='bilinear'),
    decode_head=dict(type='FCNHead', in_channels=channels, in_index=(0, 1, 2, 3), channels=16, num_convs=1,
                     input_transform='resize_concat', kernel_size=1, concat_input=False, dropout_ratio=-1,
                     num_classes=2, norm_cfg=dict(type='BN')),
    test_cfg=dict(mode='whole'))
crop = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
dataset = dict(type='BaseSegDataset', data_root=data_root, metainfo=dict(classes=('ground', 'person')))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(type='RepeatDataset', times=2, dataset=dict(
        type='ConcatDataset', datasets=[
            dict(**dataset, data_prefix=dict(img_path='train2017', seg_map_path='masks/train2017'),
                 pipeline=[*crop, dict(type='RandomCrop', crop_size=(64, 64)), dict(type='PackSegInputs')])])))
val_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**dataset, data_prefix=dict(img_path='val2017', seg_map_path='masks/val2017'),
                 pipeline=[dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='PackSegInputs')]))
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='TestTimeAug', transforms=[
        [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)],
        [dict(type='LoadAnnotations')], [dict(type='PackSegInputs')]])]
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
train_cfg = dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
                     checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2, save_best='mIoU'),
                     visualization=dict(type='SegVisualizationHook'))
"""
