"""Numbers of keypoints, and descriptions of them."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE, errors_in

POSE = "quickstart_pose"
MPII = "td-hm_hrnet-w32_8xb64-210e_mpii-256x256"
FACE = "td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256"
UDP = "td-hm_hrnet-w32_udp-regress-8xb64-210e_coco-256x192"
COMBINE = "td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-combine"
CHOICE = "model.test_cfg.output_keypoint_indices"
MAPPING = "train_dataloader.dataset.datasets.1.pipeline.0.mapping"
SPLITS = ("train", "val", "test")
#: Three keypoints of one's own.
MINE = {
    "dataset_name": "mine",
    "keypoint_info": {
        0: {"name": "top", "id": 0, "swap": ""},
        1: {"name": "left_end", "id": 1, "swap": "right_end"},
        2: {"name": "right_end", "id": 2, "swap": "left_end"},
    },
    "skeleton_info": {0: {"link": ("top", "left_end"), "id": 0}},
    "joint_weights": [1.0, 1.0, 1.0],
    "sigmas": [0.05, 0.05, 0.05],
}


def mine(key: str = "", value: object = None) -> dict[str, object]:
    """Changes that give the pose config three keypoints, with one value of their description replaced."""
    metainfo = copy.deepcopy(MINE)
    if key:
        node, (*path, last) = metainfo, key.split(".")
        for part in path:
            node = node[int(part) if part.isdigit() else part]
        node[int(last) if last.isdigit() else last] = value
        if value == "(gone)":
            del node[last]
    places = {f"{split}_dataloader.dataset.metainfo": metainfo for split in SPLITS}
    return {"model.head.out_channels": 3, **places}


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"model.head.out_channels": 21}, "keypoint-count", "model.head.out_channels"),
        (MPII, {"model.head.out_channels": 17}, "keypoint-count", "model.head.out_channels"),
        (UDP, {"model.head.out_channels": 17}, "keypoint-count", "model.head.out_channels"),
        (COMBINE, {CHOICE: list(range(16))}, "keypoint-count", CHOICE),
        (COMBINE, {CHOICE: [*range(16), 30]}, "keypoint-count", CHOICE),
        (COMBINE, {MAPPING: [(0, 6), (1, 19)]}, "keypoint-count", MAPPING),
        (COMBINE, {MAPPING: [(0, 6), (14, 1)]}, "keypoint-count", MAPPING),
        (FACE, {"val_evaluator.keypoint_indices": [60, 98]}, "keypoint-count", "val_evaluator.keypoint_indices"),
        (POSE, mine("sigmas", [0.1] * 2), "keypoint-values", "val_dataloader.dataset.metainfo.sigmas"),
        (POSE, mine("keypoint_info.1.swap", "right"), "keypoint-pairs",
         "train_dataloader.dataset.metainfo.keypoint_info.1.swap"),
        (POSE, mine("skeleton_info.0.link", ("top", "end")), "keypoint-skeleton",
         "train_dataloader.dataset.metainfo.skeleton_info.0.link"),
        (POSE, mine("skeleton_info", "(gone)"), "keypoint-description",
         "train_dataloader.dataset.metainfo.skeleton_info"),
        (POSE, {"train_dataloader.dataset.metainfo": {"from_file": "configs/mine.py"}}, "keypoint-description",
         "train_dataloader.dataset.metainfo.from_file"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("change", "check", "where", "level"),
    [
        (mine("keypoint_info.2.swap", ""), "keypoint-pairs", "keypoint_info.1.swap", ERROR),
        (mine("keypoint_info", {0: {"name": "top"}, 1: {"name": "top"}, 2: {"name": "left_end"}}), "keypoint-names",
         "keypoint_info", ERROR),
        (mine("keypoint_info", {1: MINE["keypoint_info"][0], 2: MINE["keypoint_info"][1], 0: MINE["keypoint_info"][2]}),
         "keypoint-names", "keypoint_info", ERROR),
        (mine("joint_weights", [1.0]), "keypoint-values", "joint_weights", NOTE),
        (mine("keypoint_info", {0: {"name": "left_end"}, 1: {"name": "right_end"}, 2: {"name": "top"}}),
         "keypoint-pairs", "keypoint_info.0.swap", NOTE),
    ],
)  # fmt: skip
def test_the_frameworks_say_nothing_of(changed, change, check, where, level):
    findings = check_config(changed(POSE, change))
    found = [finding for finding in findings if finding.check == check and finding.where.endswith(f".metainfo.{where}")]
    assert found
    assert found[0].level == level
    parse_pose_metainfo(change["train_dataloader.dataset.metainfo"])


def test_keypoints_of_ones_own_are_sound(changed):
    assert check_config(changed(POSE, mine())) == []


def test_the_class_own_keypoints_are_told_where_others_are_meant(planted):
    finding = planted(POSE, {"model.head.out_channels": 3}, "keypoint-count", "model.head.out_channels")
    assert "17, for the 17 keypoints of CocoDataset" in finding.expected
    assert "train_dataloader.dataset.metainfo" in finding.do


def test_a_description_in_a_file_of_ones_own(changed, tmp_path: Path):
    sound, wrong = tmp_path / "sound.py", tmp_path / "wrong.py"
    sound.write_text(f"dataset_info = {MINE!r}")
    wrong.write_text(f"dataset_info = {mine('sigmas', [0.1])['val_dataloader.dataset.metainfo']!r}")
    places = [f"{split}_dataloader.dataset.metainfo" for split in SPLITS]
    for path, errors in ((sound, 0), (wrong, 1)):
        files = {place: {"from_file": str(path)} for place in places}
        cfg = changed(POSE, {"model.head.out_channels": 3, **files})
        found = errors_in(check_config(cfg))
        assert len(found) == errors
    assert str(wrong) in found[0].where
    assert found[0].check == "keypoint-values"


def test_weights_of_keypoints_count_where_they_are_used(planted):
    change = mine("joint_weights", [1.0])
    change["train_dataloader.dataset.pipeline.4.use_dataset_keypoint_weights"] = True
    planted(POSE, change, "keypoint-values", "train_dataloader.dataset.metainfo.joint_weights")
