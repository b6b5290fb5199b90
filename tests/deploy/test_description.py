"""What an exported file says of itself survives the way into the file and back."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.deploy.describing import describe
from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.version import __version__


def test_it_comes_back_as_it_was(pose_cfg, seg_cfg):
    for cfg, size in ((pose_cfg, (96, 128)), (seg_cfg, None)):
        description = describe(cfg, name="x", size=size, batch=2, network={"kind": "hrnet"})
        assert "\n" not in description.to_json()
        assert NetworkDescription.from_json(description.to_json(), "x.onnx") == description
        assert description.version == __version__


def test_entries_of_a_later_version_are_passed_over():
    text = json.dumps({"task": "pose", "input_size": [64, 96], "invented": 1})
    assert NetworkDescription.from_json(text, "x.onnx") == NetworkDescription("pose", (64, 96))


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '"pose"', "{}", '{"task": "driving"}', '{"task": ["pose"]}',
        '{"task": "pose", "input_size": "64x96"}', '{"task": "pose", "input_size": [64]}',
        '{"task": "pose", "input_size": [0, 64]}', '{"task": "pose", "batch": "two"}', '{"task": "pose", "batch": -1}',
        '{"task": "pose", "mean": 3}', '{"task": "pose", "mean": ["red"]}', '{"task": "pose", "codec": []}',
        '{"task": "pose", "flip_indices": [0.5]}', '{"task": "pose", "keypoint_names": "nose"}',
        '{"task": "pose", "precision": 32}', '{"task": "pose", "normalised_inside": "no"}',
    ],
)  # fmt: skip
def test_what_is_no_description_is_one_line(text):
    with pytest.raises(CheckpointError) as caught:
        NetworkDescription.from_json(text, "x.onnx")
    line = "metadata of x.onnx: found no description of a network, expected a file written by hrnet export"
    assert str(caught.value) == line


def test_persons_are_cut_out_in_the_input_s_size_or_the_codec_s():
    codec = {"type": "UDPHeatmap", "input_size": [192, 256]}
    assert NetworkDescription("pose", (96, 128), codec=codec).crop_size == (96, 128)
    assert NetworkDescription("pose", codec=codec).crop_size == (192, 256)
