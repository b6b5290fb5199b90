"""Twenty steps of training with our backbone give the losses that the frameworks' own gives, from one seed on.

Nothing is copied from one model to the other: both are built, initialised and trained from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import nn

STEPS, WIDTH = 20, 18
SIZE = {"mmpose": (64, 32), "mmseg": (64, 64)}  # (height, width)
PREPROCESSING = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": True}


def pose_model(backbone: Mapping) -> dict:
    """As mmpose's configs of HRNet on COCO write it."""
    return {
        "type": "TopdownPoseEstimator",
        "data_preprocessor": {"type": "PoseDataPreprocessor", **PREPROCESSING},
        "backbone": backbone,
        "head": {
            "type": "HeatmapHead", "in_channels": WIDTH, "out_channels": 17, "deconv_out_channels": None,
            "loss": {"type": "KeypointMSELoss", "use_target_weight": True},
            "decoder": {"type": "MSRAHeatmap", "input_size": (32, 64), "heatmap_size": (8, 16), "sigma": 2},
        },
    }  # fmt: skip


def pose_batch(generator: torch.Generator) -> dict:
    """Two images with a person each, as the pipeline packs them."""
    from mmengine.structures import InstanceData, PixelData
    from mmpose.structures import PoseDataSample

    samples = []
    for _ in range(2):
        sample = PoseDataSample(metainfo={"input_size": (32, 64)})
        sample.gt_fields = PixelData(heatmaps=torch.rand(17, 16, 8, generator=generator))
        weights = torch.randint(0, 2, (1, 17), generator=generator).float()
        sample.gt_instance_labels = InstanceData(keypoint_weights=weights)
        samples.append(sample)
    return {"inputs": images("mmpose", generator), "data_samples": samples}


def seg_model(backbone: Mapping) -> dict:
    """As mmseg's configs of HRNet on Cityscapes write it."""
    channels = [WIDTH * 2**branch for branch in range(4)]
    return {
        "type": "EncoderDecoder",
        "data_preprocessor": {
            "type": "SegDataPreProcessor", **PREPROCESSING, "pad_val": 0, "seg_pad_val": 255, "size": SIZE["mmseg"],
        },
        "backbone": backbone,
        "decode_head": {
            "type": "FCNHead", "in_channels": channels, "in_index": (0, 1, 2, 3), "channels": sum(channels),
            "input_transform": "resize_concat", "kernel_size": 1, "num_convs": 1, "concat_input": False,
            "dropout_ratio": -1, "num_classes": 19, "norm_cfg": {"type": "BN"}, "align_corners": False,
            "loss_decode": {"type": "CrossEntropyLoss", "use_sigmoid": False, "loss_weight": 1.0},
        },
    }  # fmt: skip


def seg_batch(generator: torch.Generator) -> dict:
    """Two images with their classes, some pixels ignored."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    samples = []
    for _ in range(2):
        classes = torch.randint(0, 19, (1, *SIZE["mmseg"]), generator=generator)
        classes[:, :5] = 255
        sample = SegDataSample(metainfo={"img_shape": SIZE["mmseg"]})
        sample.gt_sem_seg = PixelData(data=classes)
        samples.append(sample)
    return {"inputs": images("mmseg", generator), "data_samples": samples}


def images(framework: str, generator: torch.Generator) -> list[torch.Tensor]:
    """Two images as they are read: (3, H, W), bytes."""
    return [torch.randint(0, 256, (3, *SIZE[framework]), generator=generator, dtype=torch.uint8) for _ in range(2)]


CASES = {
    "mmpose": (pose_model, pose_batch, {"type": "Adam", "lr": 5e-4}),
    "mmseg": (seg_model, seg_batch, {"type": "SGD", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.0005}),
}


def train(framework: str, backbone: Mapping) -> tuple[dict[str, torch.Tensor], list[float], nn.Module]:
    """The weights at the start, the loss of each step, and the trained model."""
    __import__(f"{framework}.models")
    registry = __import__(f"{framework}.registry", fromlist=["MODELS"]).MODELS
    model_of, batch_of, optimizer = CASES[framework]
    with DefaultScope.overwrite_default_scope(framework):
        torch.manual_seed(0)
        model = registry.build(model_of(dict(backbone)))
        model.init_weights()
        optim_wrapper = build_optim_wrapper(model, {"type": "OptimWrapper", "optimizer": optimizer})
    start = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    generator = torch.Generator().manual_seed(0)
    batches = [batch_of(generator) for _ in range(4)]
    losses = [model.train_step(batches[step % 4], optim_wrapper)["loss"].item() for step in range(STEPS)]
    return start, losses, model


@pytest.mark.parametrize("framework", CASES)
def test_twenty_steps_give_the_losses_of_the_frameworks_own_hrnet(framework, extra_of: Callable):
    extra = extra_of(f"w{WIDTH}")
    start, losses, model = train(framework, {"type": "HRNet", "extra": extra})
    our_start, our_losses, our_model = train(framework, {"type": "hrnet_plugin.HRNet", "extra": extra})
    assert type(model.backbone).__module__.startswith(framework)
    assert type(our_model.backbone).__module__.startswith("hrnet_plugin")
    assert list(start) == list(our_start)
    for name, value in start.items():
        assert torch.equal(our_start[name], value), name
    assert our_losses == pytest.approx(losses, abs=1e-6, rel=0)
    assert len(set(losses)) == STEPS
    assert losses[16] < losses[0]  # of the same batch
    trained = our_model.state_dict()
    for name, value in model.state_dict().items():
        assert torch.allclose(trained[name], value, atol=1e-6), name
