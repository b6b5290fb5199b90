"""What an exported file says of itself survives the way into the file and back."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.analysis.skeleton import COCO, Skeleton
from hrnet_plugin.deploy.describing import dataset_meta, describe
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
        '{"task": "pose", "keypoint_names": ["a", "b"], "limbs": [[0, 2]]}', '{"task": "pose", "limbs": [[0]]}',
        '{"task": "pose", "keypoint_names": ["a"], "keypoint_colours": [[0, 0, 300]]}',
        '{"task": "pose", "keypoint_names": ["a"], "keypoint_colours": [[1, 2, 3], [1, 2, 3]]}',
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


def test_poses_are_drawn_as_the_data_set_says(pose_cfg):
    described = describe(pose_cfg)
    assert described.skeleton == Skeleton.from_metainfo(dataset_meta(pose_cfg))
    assert len(described.limbs) == 19
    again = NetworkDescription.from_json(described.to_json(), "x.onnx")
    assert again.skeleton == described.skeleton


def test_a_file_of_before_there_were_limbs(pose_cfg):
    """Its keypoints are drawn all the same, and COCO's with their limbs."""
    values = json.loads(describe(pose_cfg).to_json())
    for key in ("limbs", "keypoint_colours", "limb_colours"):
        del values[key]
    assert NetworkDescription.from_json(json.dumps(values), "x.onnx").skeleton == COCO
    values["keypoint_names"] = ["left_wing", "tail"]
    found = NetworkDescription.from_json(json.dumps(values), "x.onnx").skeleton
    assert found == Skeleton.by_side(["left_wing", "tail"])
