"""The authors' networks and ours, with the same weights: every key accounted for, the same outputs, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.convert import Conversion, convert
from hrnet_plugin.checkpoints.conversion.report import ADDED, FOLDED
from hrnet_plugin.errors import CheckpointError

HEIGHT, WIDTH, SAMPLES = 64, 96, 24
NAMES = sorted(path.stem for path in (Path(__file__).parents[1] / "reference").glob("*.json"))
#: Networks of which the keys alone are stored.
KEYS_ALONE = {"cls_w18", "lite_30", "ocr_w48", "seg_w48"}
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


def spread(start: int, count: int) -> Tensor:
    """`count` values of [0, 1) in float64, from a hash of the numbers from `start` on; exact in 32 bits."""
    mask = 2**32 - 1
    number = (torch.arange(start, start + count) * 2654435761) & mask
    number = ((number ^ (number >> 15)) * 2246822519) & mask
    return (number ^ (number >> 13)).double() / 2**32


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
def test_every_key_is_accounted_for_and_is_one_of_ours(name, original):
    network = original(name)
    shapes = network.shapes
    done = convert(contents_of(network.without_content(), name))
    assert done.report.source == network.format
    assert done.report.unaccounted == []
    assert len(done.report.entries) >= len(shapes) > 300
    found = {key: value.shape for key, value in done.weights.items()}
    expected = {key: value.shape for key, value in network.ours().state_dict().items()}
    if not any(key.endswith("num_batches_tracked") for key in shapes):
        expected = {key: shape for key, shape in expected.items() if not key.endswith("num_batches_tracked")}
    assert found == expected


@pytest.fixture(scope="module", params=[name for name in NAMES if name not in KEYS_ALONE])
def case(request, original) -> tuple[str, dict[str, Tensor], Conversion]:
    """An original's name, its weights, and what they become with us."""
    name = request.param
    weights = made_up(original(name).shapes)
    if original(name).format == "seg-inplace":
        weights = with_negative_scales(weights)
    return name, weights, convert(contents_of(weights, name))


def with_negative_scales(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every other weight of a norm turned negative, which in-place batch norm takes for its magnitude."""
    return {
        key: value * (1 - 2 * (torch.arange(len(value)) % 2)) if key.endswith("weight") and value.ndim == 1 else value
        for key, value in weights.items()
    }


def test_outputs_are_those_of_the_original(case, original):
    name, _, done = case
    network = original(name).ours()
    network.load_state_dict(done.weights, strict=True, assign=True)
    stored = original(name).outputs
    differences = [relative_difference(*pair) for pair in zip(run(network), stored, strict=True)]
    assert max(differences) < TOLERANCE


def test_there_and_back_is_identical_but_for_folded_biases(case, original):
    name, weights, done = case
    origin = original(name).format
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
