"""The authors' segmentation checkpoints beyond plain weights: training, in-place batch norm, corners."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.archs import ZOO
from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.conversion.convert import convert
from hrnet_plugin.checkpoints.conversion.report import ADDED, DROPPED, FOLDED
from hrnet_plugin.checkpoints.network_meta import describe_network, described_spec
from hrnet_plugin.errors import CheckpointError, SpecError

SEG, OCR = "seg_w18_small_v1", "ocr_w18_small_v2"
CLASS_WEIGHTS = torch.tensor([0.8373, 0.918, 0.866, 1.0345])


def numbered(shapes):
    """Weights in which every value is another, alternating in sign."""
    weights, start = {}, 1
    for key, shape in shapes.items():
        values = torch.arange(start, start + shape.numel()).float()
        weights[key] = (values * (1 - 2 * (values % 2)) / 1e5).reshape(shape) if len(shape) else torch.tensor(start)
        start += shape.numel()
    return weights


@pytest.mark.parametrize("name", [SEG, OCR])
@pytest.mark.parametrize("wrapper", ["", "module."])
def test_what_a_training_saves_comes_with_its_loss_and_returns(name, wrapper, original):
    origin = original(name).format
    plain = numbered(original(name).shapes)
    saved = {f"{wrapper}model.{key}": value for key, value in plain.items()}
    saved[f"{wrapper}loss.criterion.weight"] = CLASS_WEIGHTS
    done = convert(contents_of({"epoch": 3, "state_dict": saved}, name))
    assert (done.report.source, done.report.unaccounted) == (f"{origin}-training", [])
    dropped = done.report.of_kinds([DROPPED])
    assert [entry.source for entry in dropped] == [f"{wrapper}loss.criterion.weight"]
    assert "class weights" in dropped[0].note
    assert "left out: epoch" in done.report.notes
    expected = convert(contents_of(plain, name)).weights
    assert list(done.weights) == list(expected)
    assert all(torch.equal(value, expected[key]) for key, value in done.weights.items())

    back = convert(contents_of(done.checkpoint(), name), to=f"{origin}-training")
    assert back.container == "state_dict"
    assert list(back.weights) == list(saved)
    assert torch.equal(back.weights[f"{wrapper}loss.criterion.weight"], CLASS_WEIGHTS)
    biases = {entry.source for entry in done.report.of_kinds([FOLDED])}
    assert {wrapper + entry.target for entry in back.report.of_kinds([ADDED])} == biases
    changed = {key for key, value in saved.items() if not torch.equal(value, back.weights[key])}
    assert changed == biases | {key.replace(".0.bias", ".1.running_mean") for key in biases}


@pytest.mark.parametrize("name", [SEG, OCR])
def test_in_place_norms_scale_by_magnitude_and_epsilon(name, original):
    shapes = {key: shape for key, shape in original(name).shapes.items() if not key.endswith("num_batches_tracked")}
    weights = numbered(shapes)
    plain = original(name).format
    done = convert(contents_of(weights, name))
    assert (done.report.source, done.report.unaccounted) == (f"{plain}-inplace", [])
    as_batch_norm = convert(contents_of(weights, name), source=plain).weights
    assert list(done.weights) == list(as_batch_norm)
    scales = {key for key, value in done.weights.items() if key.endswith("weight") and value.ndim == 1}
    changed = {key for key, value in done.weights.items() if not torch.equal(value, as_batch_norm[key])}
    assert changed == scales
    assert len(scales) > 70
    for key in scales:
        assert (as_batch_norm[key] < 0).any()
        assert torch.equal(done.weights[key], as_batch_norm[key].abs() + 1e-5)
    with pytest.raises(CheckpointError, match=f"format {plain}-inplace: found a conversion into it, .*to {plain},"):
        convert(contents_of(done.checkpoint(), name), to=f"{plain}-inplace")


@pytest.mark.parametrize(("name", "aligned"), [(SEG, False), (OCR, True)])
def test_networks_are_described_as_bilinear_and_the_corners_are_told(name, aligned, original):
    done = convert(contents_of(original(name).without_content(), name))
    spec = described_spec(done.meta)
    assert (spec.upsample_mode, spec.align_corners) == ("bilinear", aligned)
    assert any("align_corners" in note and "backbone" in note for note in done.report.notes)


@pytest.mark.parametrize(("name", "usual"), [(SEG, False), (OCR, True)])
def test_other_corners_can_be_held_and_are_told(name, usual, original):
    ours = convert(contents_of(original(name).without_content(), name)).weights
    arch = ZOO[original(name).model["arch"]]
    for aligned in (False, True):
        spec = arch.with_choices(upsample_mode="bilinear", align_corners=aligned)
        back = convert(contents_of({"state_dict": ours, "meta": describe_network(spec)}, name), original(name).format)
        assert back.report.unaccounted == []
        assert any(f"align_corners={aligned}" in note for note in back.report.notes) == (aligned != usual)


def test_a_network_with_nearest_upsampling_is_refused(original):
    ours = convert(contents_of(original(SEG).without_content(), SEG)).weights
    meta = describe_network(ZOO["w18_small_v1"])
    with pytest.raises(CheckpointError, match="format seg cannot hold the network: found upsample_mode='nearest'"):
        convert(contents_of({"state_dict": ours, "meta": meta}, SEG), to="seg")


@pytest.mark.parametrize(
    "damage", [{"dtype": "load"}, {"dtype": 3}, {"index": "first"}, {"value": ["a"]}, {"key": None, "value": {}}, None]
)
def test_damaged_metadata_are_told(damage, original):
    saved = {f"model.{key}": value for key, value in numbered(original(SEG).shapes).items()}
    saved["loss.criterion.weight"] = CLASS_WEIGHTS
    done = convert(contents_of({"state_dict": saved}, SEG)).checkpoint()
    aside = done["meta"]["hrnet_plugin"]["converted"]["aside"]
    if damage is None:
        aside[0].pop("index")
    else:
        aside[0] |= damage
    with pytest.raises(CheckpointError, match=r"a\.pth: meta\.hrnet_plugin\.converted\.aside: found "):
        convert(contents_of(done, "a.pth"), to="seg-training")


def test_a_format_that_it_is_not_is_told(original):
    ours = convert(contents_of(numbered(original(SEG).shapes), SEG))
    with pytest.raises(CheckpointError, match=r"checkpoint a\.pth, read as timm: found no .*Leave out --from"):
        convert(contents_of(ours.checkpoint(), "a.pth"), to="ours", source="timm")


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("name", [SEG, OCR])
def test_the_user_says_what_keys_do_not_tell(name, aligned, original):
    contents = contents_of(numbered(original(name).shapes), name)
    done = convert(contents, align_corners=aligned)
    assert described_spec(done.meta).align_corners is aligned
    assert not any("align_corners" in note for note in done.report.notes)
    assert any("align_corners" in note for note in convert(contents).report.notes)


def test_a_network_of_nearest_neighbours_has_no_corners_to_align(original):
    contents = contents_of(numbered(original("pose_w32").shapes), "pose")
    with pytest.raises(SpecError, match="align_corners: found True with upsample_mode='nearest'"):
        convert(contents, align_corners=True)
