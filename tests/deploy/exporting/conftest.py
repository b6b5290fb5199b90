"""Whole models of a tiny HRNet, as functions of tensors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.zoo.forward import build_model

#: Four stages of 8 channels, one block each.
_EXTRA = {
    "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": [1], "num_channels": [8]}
} | {
    f"stage{count}": {
        "num_modules": 1,
        "num_branches": count,
        "block": "BASIC",
        "num_blocks": [1] * count,
        "num_channels": [8 * 2**index for index in range(count)],
    }
    for count in (2, 3, 4)
}
_BACKBONE = {"type": "hrnet_plugin.HRNet", "extra": _EXTRA}
_POSE = {
    "type": "TopdownPoseEstimator",
    "backbone": _BACKBONE,
    "head": {
        "type": "HeatmapHead",
        "in_channels": 8,
        "out_channels": 17,
        "deconv_out_channels": None,
        "decoder": {"type": "MSRAHeatmap", "input_size": (64, 96), "heatmap_size": (16, 24), "sigma": 1},
    },
}
_SEGMENTATION = {
    "type": "EncoderDecoder",
    "backbone": {**_BACKBONE, "multiscale_output": True, "upsample_mode": "bilinear"},
    "decode_head": {
        "type": "FCNHead",
        "in_channels": [8, 16, 32, 64],
        "in_index": (0, 1, 2, 3),
        "channels": 16,
        "num_convs": 1,
        "kernel_size": 1,
        "input_transform": "resize_concat",
        "concat_input": False,
        "num_classes": 3,
        "norm_cfg": {"type": "BN"},
    },
}


@pytest.fixture(scope="session")
def pose() -> TensorModel:
    """Heatmaps of 17 keypoints, upsampling by nearest."""
    return TensorModel(_lively(build_model(_POSE, "mmpose")))


@pytest.fixture(scope="session")
def segmentation() -> TensorModel:
    """Logits of 3 classes, upsampling by bilinear and joined scales."""
    return TensorModel(_lively(build_model(_SEGMENTATION, "mmseg")))


def _lively(model: nn.Module) -> nn.Module:
    """With norms that differ from their neutral start, and outputs of ordinary size."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, lowest in ((module.running_mean, -0.5), (module.running_var, 0.5)):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + lowest)
        elif isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
    return model


@pytest.fixture
def description() -> NetworkDescription:
    """Of a file for any number of images of any size."""
    return NetworkDescription("pose", mean=(1.0, 2.0, 3.0), keypoint_names=("nose",), name="tiny")


@pytest.fixture
def difference() -> Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], float]:
    """The largest difference between outputs, relative to the largest number of each."""

    def measure(found: tuple[Tensor, ...], expected: tuple[Tensor, ...]) -> float:
        assert [output.shape for output in found] == [output.shape for output in expected]
        assert all(float(output.std()) > 0 for output in expected)
        pairs = zip(found, expected, strict=True)
        return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)

    return measure
