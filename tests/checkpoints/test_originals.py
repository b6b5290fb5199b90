"""The authors' networks and ours, with the same weights: every key accounted for, the same outputs, and back.

`reference/*.json` was made by running the authors' repositories: the keys of each network in their order with their
shapes, and, with weights and an image from whole-number arithmetic, its outputs in float64. None of their code is here.
`kinds` are the weights that a layer can have, `layers` which kind each layer is of.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

from hrnet_plugin.archs import LITE_ZOO, ZOO
from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion import Conversion, convert
from hrnet_plugin.checkpoints.conversion_report import ADDED, FOLDED
from hrnet_plugin.errors import CheckpointError

FOLDER = Path(__file__).parent / "reference"
HEIGHT, WIDTH, SAMPLES = 64, 96, 24
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
REFERENCES = {name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}
#: Networks with stored outputs.
RUN = [name for name in NAMES if REFERENCES[name]["outputs"]]
#: Of an output's largest value, in float64; the stored numbers have 12 digits.
TOLERANCE = 1e-9
#: The biases that stand before a norm, with the running mean that each goes into.
MEAN_OF = {
    "last_layer.0.bias": "last_layer.1.running_mean",
    "aux_head.0.bias": "aux_head.1.running_mean",
    "conv3x3_ocr.0.bias": "conv3x3_ocr.1.running_mean",
    "final_layer.0.bias": "final_layer.1.running_mean",
    **{f"downsamp_modules.{index}.0.bias": f"downsamp_modules.{index}.1.running_mean" for index in range(3)},
}
FOLDED_IN = {
    "seg": {"last_layer.0.bias"},
    "ocr": {"aux_head.0.bias", "conv3x3_ocr.0.bias"},
    "cls": {"final_layer.0.bias", *(f"downsamp_modules.{index}.0.bias" for index in range(3))},
    "pose": set(),
    "face": set(),
    "higherhrnet": set(),
    "lite": set(),
}
#: From their format, the framework that our network is built in.
SCOPES = {"cls": "mmpretrain", "seg": "mmseg", "seg-inplace": "mmseg", "ocr": "mmseg"}


def spread(start: int, count: int) -> Tensor:
    """`count` values of [0, 1) in float64, from a hash of the numbers from `start` on; exact in 32 bits."""
    mask = 2**32 - 1
    number = (torch.arange(start, start + count) * 2654435761) & mask
    number = ((number ^ (number >> 15)) * 2246822519) & mask
    return (number ^ (number >> 13)).double() / 2**32


def shapes_of(name: str) -> dict[str, torch.Size]:
    """Shapes of an original's weights by key, in its order."""
    kinds, layers = REFERENCES[name]["kinds"], REFERENCES[name]["layers"]
    return {f"{layer}.{key}": torch.Size(shape) for layer, kind in layers.items() for key, shape in kinds[kind]}


def made_up(shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Weights with which no activation vanishes or overflows; counters count up."""
    values, start = {}, 0
    for index, (key, shape) in enumerate(shapes.items()):
        value = spread(start, shape.numel()).reshape(shape)
        start += shape.numel()
        if len(shape) > 1:
            value = (value * 2 - 1) * (3 / shape[1:].numel()) ** 0.5
        elif key.endswith(("bias", "running_mean")):
            value = value * 0.4 - 0.2
        elif len(shape) == 1:
            value = value + 0.25
        values[key] = value if len(shape) else torch.tensor(index)
    return values


def without_content(shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    return {key: torch.empty(shape, device="meta") for key, shape in shapes.items()}


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


def build(name: str) -> nn.Module:
    """Our network for an original, without content."""
    origin = REFERENCES[name]["format"]
    scope = SCOPES.get(origin, "mmpose")
    importlib.import_module(f"{scope}.models")
    config = MODELS_OF[origin](**REFERENCES[name]["model"])
    with DefaultScope.overwrite_default_scope(scope), torch.device("meta"):
        return MODELS.build(copy.deepcopy(config)).eval()


def run(network: nn.Module) -> list[Tensor]:
    """The outputs, in the order and form of the original's."""
    image = spread(7, 3 * HEIGHT * WIDTH).reshape(1, 3, HEIGHT, WIDTH).mul(2).sub(1)
    with torch.no_grad():
        features = network.backbone(image)
        if hasattr(network, "decode_head"):
            heads = network.decode_head if isinstance(network.decode_head, nn.ModuleList) else [network.decode_head]
            outputs = [heads[0](features)]
            for head in heads[1:]:
                outputs.append(head(features, outputs[-1]))
            return outputs
        if network.with_neck:
            features = network.neck(features)
        given = network.head(features)
    if isinstance(given, Tensor):
        return [given]
    heatmaps, tags = given  # the authors' first maps are heatmaps and tags in one
    return [torch.cat((heatmaps[0], tags), dim=1), *heatmaps[1:]]


def relative_difference(output: Tensor, stored: dict) -> float:
    """The largest difference of any stored number, in terms of the output's largest value."""
    assert list(output.shape) == stored["shape"]
    flat = output.flatten()
    values = flat[torch.arange(SAMPLES) * (len(flat) - 1) // (SAMPLES - 1)]
    found = torch.cat((torch.stack((flat.mean(), flat.std(), flat.abs().max())), values))
    kept = torch.tensor(
        [stored["mean"], stored["standard_deviation"], stored["largest"], *stored["values"]], dtype=torch.float64
    )
    return float((found - kept).abs().max()) / stored["largest"]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_accounted_for_and_is_one_of_ours(name):
    shapes = shapes_of(name)
    done = convert(contents_of(without_content(shapes), name))
    assert done.report.source == REFERENCES[name]["format"]
    assert done.report.unaccounted == []
    assert len(done.report.entries) >= len(shapes) > 300
    found = {key: value.shape for key, value in done.weights.items()}
    expected = {key: value.shape for key, value in build(name).state_dict().items()}
    if not any(key.endswith("num_batches_tracked") for key in shapes):
        expected = {key: shape for key, shape in expected.items() if not key.endswith("num_batches_tracked")}
    assert found == expected


@pytest.fixture(scope="module", params=RUN)
def case(request) -> tuple[str, dict[str, Tensor], Conversion]:
    """An original's name, its weights, and what they become with us."""
    name = request.param
    weights = made_up(shapes_of(name))
    if REFERENCES[name]["format"] == "seg-inplace":
        weights = with_negative_scales(weights)
    return name, weights, convert(contents_of(weights, name))


def with_negative_scales(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every other weight of a norm turned negative, which in-place batch norm takes for its magnitude."""
    return {
        key: value * (1 - 2 * (torch.arange(len(value)) % 2)) if key.endswith("weight") and value.ndim == 1 else value
        for key, value in weights.items()
    }


def test_outputs_are_those_of_the_original(case):
    name, _, done = case
    network = build(name)
    network.load_state_dict(done.weights, strict=True, assign=True)
    stored = REFERENCES[name]["outputs"]
    differences = [relative_difference(*pair) for pair in zip(run(network), stored, strict=True)]
    assert max(differences) < TOLERANCE


def test_there_and_back_is_identical_but_for_folded_biases(case):
    name, weights, done = case
    origin = REFERENCES[name]["format"]
    if origin == "seg-inplace":
        with pytest.raises(CheckpointError, match="Convert to seg"):
            convert(contents_of(done.checkpoint(), name), to=origin)
        return
    back = convert(contents_of(done.checkpoint(), name), to=origin)
    assert back.report.unaccounted == []
    folded = {entry.source for entry in done.report.entries if entry.kind == FOLDED}
    assert folded == {entry.target for entry in back.report.entries if entry.kind == ADDED} == FOLDED_IN[origin]
    assert list(back.weights) == list(weights)
    changed = {key for key, value in weights.items() if not torch.equal(value, back.weights[key])}
    assert changed == folded | {MEAN_OF[key] for key in folded}
    for key in folded:
        assert not back.weights[key].any()
        assert torch.equal(back.weights[MEAN_OF[key]], weights[MEAN_OF[key]] - weights[key])
    again = convert(contents_of(back.checkpoint(), name))
    assert list(again.weights) == list(done.weights)
    assert all(torch.equal(value, again.weights[key]) for key, value in done.weights.items())
