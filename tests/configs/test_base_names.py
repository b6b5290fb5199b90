"""Names of the bases that would be mistaken for another file."""

from __future__ import annotations

from pathlib import Path

import mmpose
from mmpose.datasets import CocoDataset

METAINFO = Path(mmpose.__file__).parent / ".mim/configs/_base_/datasets"


def test_no_base_of_a_data_set_is_called_as_one_of_mmposes(project_root):
    # mmpose opens `configs/_base_/datasets/coco.py` below the current folder first, for the names of the keypoints.
    ours, theirs = (
        {path.name for path in folder.glob("*.py")} for folder in (project_root / "configs/_base_/datasets", METAINFO)
    )
    assert {"coco.py", "mpii.py"} <= theirs
    assert "coco_topdown.py" in ours
    assert not ours & theirs


def test_the_keypoints_of_a_data_set_are_read_from_mmpose_in_the_projects_folder(project_root, monkeypatch):
    monkeypatch.chdir(project_root)
    dataset = CocoDataset(ann_file="", lazy_init=True, test_mode=True)
    assert dataset.metainfo["dataset_name"] == "coco"
    assert len(dataset.metainfo["keypoint_id2name"]) == 17
