"""The authors' networks, known by their keys and outputs, and ours in the place of each.

`reference/*.json` was made by running the authors' repositories: the keys of each network in their order with their
shapes, and, with weights and an image from whole-number arithmetic, its outputs in float64. None of their code is here.
`kinds` are the weights that a layer can have, `layers` which kind each layer is of.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

import hrnet_plugin
from hrnet_plugin.archs import LITE_ZOO, ZOO
from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.convert import Conversion, convert

FOLDER = Path(__file__).parent / "reference"


@dataclass(frozen=True)
class Original:
    """A network of the authors.

    Args:
        name: Of its file in `reference`.
        format: What its checkpoints are recognised as.
        model: What our network for it is built from.
        shapes: Of its weights by key, in its order.
        outputs: Shape, statistics and evenly spaced values of each; none where it was not run.
    """

    name: str
    format: str
    model: dict
    shapes: dict[str, torch.Size]
    outputs: list[dict]

    def without_content(self) -> dict[str, Tensor]:
        """Weights that have shapes alone."""
        return {key: torch.empty(shape, device="meta") for key, shape in self.shapes.items()}

    def ours(self) -> nn.Module:
        """Our network in the framework of its task, without content."""
        scope = SCOPES.get(self.format, "mmpose")
        importlib.import_module(f"{scope}.models")
        config = MODELS_OF[self.format](**self.model)
        with DefaultScope.overwrite_default_scope(scope), torch.device("meta"):
            return MODELS.build(copy.deepcopy(config)).eval()


@pytest.fixture(scope="session")
def original() -> Callable[[str], Original]:
    """An original by name."""
    return read_original


@cache
def read_original(name: str) -> Original:
    stored = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    shapes = {
        f"{layer}.{key}": torch.Size(shape)
        for layer, kind in stored["layers"].items()
        for key, shape in stored["kinds"][kind]
    }
    return Original(name, stored["format"], stored["model"], shapes, stored["outputs"])


def pose_model(arch: str, maps: int) -> dict:
    width = ZOO[arch].out_channels[0]
    return {
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "hrnet_plugin.HRNet", "arch": arch, "multiscale_output": False},
        "head": {"type": "HeatmapHead", "in_channels": width, "out_channels": maps, "deconv_out_channels": None},
    }


def face_model(arch: str, maps: int) -> dict:
    width = sum(ZOO[arch].out_channels)
    row = {"conv_out_channels": (width,), "conv_kernel_sizes": (1,), "deconv_out_channels": None}
    return {
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "hrnet_plugin.HRNet", "arch": arch, "upsample_mode": "bilinear"},
        "neck": {"type": "FeatureMapProcessor", "concat": True},
        "head": {"type": "HeatmapHead", "in_channels": width, "out_channels": maps, **row},
    }


def higher_model(arch: str, maps: int) -> dict:
    head = {"type": "hrnet_plugin.HigherHRNetHead", "in_channels": ZOO[arch].out_channels[0], "num_keypoints": maps}
    return {**pose_model(arch, maps), "type": "BottomupPoseEstimator", "head": head}


def lite_model(arch: str, maps: int) -> dict:
    width = LITE_ZOO[arch].stages[-1].channels[0]
    return {
        "type": "TopdownPoseEstimator",
        "backbone": {"type": "hrnet_plugin.LiteHRNet", "arch": arch},
        "head": {"type": "HeatmapHead", "in_channels": width, "out_channels": maps, "deconv_out_channels": None},
    }


def cls_model(arch: str) -> dict:
    return {
        "type": "ImageClassifier",
        "backbone": {"type": "hrnet_plugin.HRNet", "arch": arch},
        "neck": [{"type": "HRFuseScales", "in_channels": ZOO[arch].out_channels}, {"type": "GlobalAveragePooling"}],
        "head": {"type": "LinearClsHead", "in_channels": 2048, "num_classes": 1000},
    }


def scales(arch: str, maps: int, align_corners: bool) -> dict:
    """What mmseg's heads on all scales share."""
    channels = list(ZOO[arch].out_channels)
    joined = {"input_transform": "resize_concat", "in_channels": channels, "in_index": (0, 1, 2, 3)}
    return {**joined, "num_classes": maps, "norm_cfg": {"type": "BN"}, "align_corners": align_corners}


def seg_model(arch: str, maps: int, align_corners: bool) -> dict:
    fcn = {"type": "FCNHead", "channels": sum(ZOO[arch].out_channels), "kernel_size": 1, "num_convs": 1}
    upsampling = {"upsample_mode": "bilinear", "align_corners": align_corners}
    return {
        "type": "EncoderDecoder",
        "backbone": {"type": "hrnet_plugin.HRNet", "arch": arch, **upsampling},
        "decode_head": {**fcn, "concat_input": False, **scales(arch, maps, align_corners)},
    }


def ocr_model(arch: str, maps: int, align_corners: bool) -> dict:
    first = seg_model(arch, maps, align_corners)
    second = {"type": "OCRHead", "channels": 512, "ocr_channels": 256, **scales(arch, maps, align_corners)}
    heads = [first["decode_head"], second]
    return {**first, "type": "CascadeEncoderDecoder", "num_stages": 2, "decode_head": heads}


MODELS_OF: dict[str, Callable[..., dict]] = {
    "pose": pose_model,
    "face": face_model,
    "higherhrnet": higher_model,
    "lite": lite_model,
    "cls": cls_model,
    "seg": seg_model,
    "seg-inplace": seg_model,
    "ocr": ocr_model,
}


#: The framework that our network for a format is built in, where it is not MMPose.
SCOPES = {"cls": "mmpretrain", "seg": "mmseg", "seg-inplace": "mmseg", "ocr": "mmseg"}


# Conversions with nothing unaccounted for, and small networks to convert


@pytest.fixture(scope="session")
def converted() -> Callable[..., Conversion]:
    """`converted(weights, to="ours", **options)`: a conversion without any key that is unaccounted for."""

    def run(weights: Mapping, to: str = "ours", **options: object) -> Conversion:
        conversion = convert(contents_of(dict(weights), "a.pth"), to, **options)
        assert conversion.report.unaccounted == []
        return conversion

    return run


@pytest.fixture(scope="session")
def back() -> Callable[..., Conversion]:
    """`back(conversion, to, **options)`: what was converted, as read from the file that would be written."""

    def run(conversion: Conversion, to: str, **options: object) -> Conversion:
        again = convert(contents_of(conversion.checkpoint(), "b.pth"), to, **options)
        assert again.report.unaccounted == []
        return again

    return run


@pytest.fixture(scope="session")
def assert_identical() -> Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], None]:
    """The same keys in the same order, the same values to the last bit."""

    def check(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
        assert list(ours) == list(theirs)
        for key, value in theirs.items():
            assert ours[key].dtype == value.dtype, key
            assert torch.equal(ours[key], value), key

    return check


@pytest.fixture(scope="session")
def numbers() -> Callable[..., Tensor]:
    """`numbers(*shape)`: random ones."""
    return lambda *shape: torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.fixture(scope="session")
def pose_weights() -> Callable[[Mapping[str, Tensor]], dict[str, Tensor]]:
    """`pose_weights(head)`: a whole model's, by our names, with the weights of this head."""
    net = hrnet_plugin.HRNet("w18_small_v1", multiscale_output=False).state_dict()
    return lambda head: {**{f"backbone.{key}": value for key, value in net.items()}, **head}
