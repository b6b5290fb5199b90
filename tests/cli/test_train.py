"""`hrnet train` on configs of both frameworks, as a user runs it."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import torch
from mmengine.config import Config

URL = "https://example.org/models/hrnet_w18.pth"


def _losses(text: str) -> list[float]:
    return [float(value) for value in re.findall(r"\bloss: ([\d.]+)", text)]


def test_pose_trains_saves_and_resumes(hrnet, data: Path, pose_config: Path):
    outcome = hrnet("train", pose_config, "--data-root", data, "--work-dir", "run", "--seed", 3)
    assert outcome.status == 0, outcome.err
    assert len(_losses(outcome.out)) == 2
    saved = torch.load("run/epoch_1.pth", weights_only=False)
    assert saved["meta"]["epoch"] == 1
    assert saved["meta"]["seed"] == 3
    # hrnet_plugin's own hook writes the random streams, mmengine's does not.
    assert len(saved["random_streams"]) == 1
    assert "CheckImageFiles" in Path("run", pose_config.name).read_text()

    told = outcome.out.partition("training finished")[2]
    assert "best coco/AP" in told
    assert "run/epoch_1.pth" in told
    assert "run/best_coco_AP_epoch_1.pth" in told
    assert URL in told
    assert f"is not at {Path('weights/hrnet_w18.pth').resolve()} (to use them: hrnet zoo fetch {URL})" in told
    assert "ground-truth" in told
    before = outcome.out.partition("Epoch(train)")[0]
    assert f"starting from random weights: {URL}" in before
    assert "evaluating with the annotated (ground-truth) person boxes" in before

    again = hrnet(
        "train", pose_config, "--data-root", data, "--work-dir", "run", "--resume", "--no-validate",
        "--cfg-options", "train_cfg.max_epochs=2",
    )  # fmt: skip
    assert again.status == 0, again.err
    assert "resumed epoch: 1, iter: 2" in again.out
    assert len(_losses(again.out)) == 2
    assert "Epoch(val)" not in again.out
    assert URL not in again.out.partition("training finished")[2]
    assert torch.load("run/epoch_2.pth", weights_only=False)["meta"]["iter"] == 4


def test_segmentation_trains_in_bf16_on_a_cpu(hrnet, data: Path, seg_config: Path):
    outcome = hrnet("train", seg_config, "--data-root", data, "--amp", "--show-dir", "drawn")
    assert outcome.status == 0, outcome.err
    assert len(_losses(outcome.out)) == 2
    work_dir = Path("work_dirs", seg_config.stem)
    assert (work_dir / "iter_2.pth").is_file()
    assert len(list(Path("drawn").rglob("*.png"))) == 2
    assert "best mIoU" in outcome.out.partition("training finished")[2]
    if not torch.cuda.is_available():
        text = (work_dir / seg_config.name).read_text()
        assert "dtype='bfloat16'" in text
        assert "type='AmpOptimWrapper'" in text


def test_pretrained_weights_at_hand_are_used(hrnet, data: Path, pose_config: Path):
    from hrnet_plugin import HRNet

    weights = HRNet(extra=Config.fromfile(pose_config).extra, multiscale_output=False).state_dict()
    weights["conv1.weight"].fill_(0.125)
    Path("weights").mkdir()
    torch.save(weights, "weights/hrnet_w18.pth")
    outcome = hrnet(
        "train", pose_config, "--data-root", data, "--require-pretrained", "--no-validate", "--work-dir", "run",
        "--cfg-options", "optim_wrapper.optimizer.lr=0.0",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert "not found" not in outcome.out
    saved = torch.load("run/epoch_1.pth", weights_only=False)["state_dict"]
    assert torch.equal(saved["backbone.conv1.weight"], torch.full((64, 3, 3, 3), 0.125))


def test_pure_python_config_trains(hrnet, data: Path, workplace: Path):
    config = workplace / "pure_python.py"
    config.write_text(_PURE_PYTHON)
    outcome = hrnet("train", config, "--data-root", data)
    assert outcome.status == 0, outcome.err
    assert len(_losses(outcome.out)) == 2
    saved = torch.load("work_dirs/pure_python/epoch_1.pth", weights_only=False)
    assert len(saved["random_streams"]) == 1
    written = Config.fromfile("work_dirs/pure_python/pure_python.py")
    assert written.model.backbone.type == "hrnet_plugin.HRNet"
    assert written.train_dataloader.dataset.data_root == str(data)


def test_other_runner_of_the_config_is_built(hrnet, data: Path, pose_config: Path):
    pose_config.write_text(
        pose_config.read_text()
        + "\nrunner_type = 'CountingRunner'\ncustom_imports = dict(imports=['counting_runner_of_a_user'])\n"
    )
    from mmengine.registry import RUNNERS
    from mmengine.runner import Runner

    class CountingRunner(Runner):
        trained = 0

        def train(self):
            CountingRunner.trained += 1
            return super().train()

    RUNNERS.register_module(module=CountingRunner, force=True)
    sys.modules["counting_runner_of_a_user"] = types.ModuleType("counting_runner_of_a_user")
    assert hrnet("train", pose_config, "--data-root", data, "--no-validate").status == 0
    assert CountingRunner.trained == 1


_PURE_PYTHON = """
from mmengine.dataset import DefaultSampler
from mmengine.hooks import CheckpointHook, LoggerHook
from mmengine.optim import OptimWrapper
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets import CocoDataset, GenerateTarget, GetBBoxCenterScale, LoadImage, PackPoseInputs, TopdownAffine
from mmpose.models import HeatmapHead, KeypointMSELoss, PoseDataPreprocessor, TopdownPoseEstimator
from torch.optim import SGD

from hrnet_plugin import HRNet

default_scope = 'mmpose'
codec = dict(type=MSRAHeatmap, input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
model = dict(
    type=TopdownPoseEstimator,
    data_preprocessor=dict(type=PoseDataPreprocessor),
    backbone=dict(type=HRNet, arch='w18_small_v2', multiscale_output=False,
                  pretrained='https://example.org/models/hrnet_w18.pth'),
    head=dict(type=HeatmapHead, in_channels=18, out_channels=17, deconv_out_channels=None,
              loss=dict(type=KeypointMSELoss), decoder=codec))
train_dataloader = dict(
    batch_size=2, num_workers=0, sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        type=CocoDataset, data_root='data/coco', data_mode='topdown', data_prefix=dict(img='train2017'),
        ann_file='annotations/person_keypoints_train2017.json',
        pipeline=[dict(type=LoadImage), dict(type=GetBBoxCenterScale), dict(type=TopdownAffine, input_size=(64, 64)),
                  dict(type=GenerateTarget, encoder=codec), dict(type=PackPoseInputs)]))
optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lr=0.1))
train_cfg = dict(by_epoch=True, max_epochs=1)
default_hooks = dict(checkpoint=dict(type=CheckpointHook, interval=1), logger=dict(type=LoggerHook, interval=1))
"""
