"""Data that is known to be sound has no error: real, generated, and that of the published configs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.checks.data import check_coco, check_masks
from hrnet_plugin.checks.data.sources import data_sources
from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.data.parts import CLASS_NAMES
from hrnet_plugin.data.writer import make_dataset

#: Each with a form of its own: whole bodies, faces, hands, MPII, many categories; 0 for no class, iSAID's names; boxes;
#: labels.
CONFIGS = [
    "td-hm_hrnet-w32_8xb64-210e_coco-wholebody-256x192",
    "td-hm_hrnetv2-w18_8xb32-60e_coco-wholebody-face-256x256",
    "td-hm_hrnetv2-w18_8xb32-210e_coco-wholebody-hand-256x256",
    "td-hm_hrnet-w32_8xb64-210e_mpii-256x256",
    "td-hm_hrnet-w32_8xb64-210e_crowdpose-256x192",
    "td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256",
    "td-hm_hrnet-w32_8xb64-210e_ap10k-256x256",
    "fcn_hr18_4xb4-80k_loveda-512x512",
    "fcn_hr18_4xb4-80k_isaid-896x896",
    "faster-rcnn_hrnetv2p-w18-1x_coco",
    "hrnet-w18_4xb32_in1k",
]


@pytest.mark.parametrize("split", ["train2017", "val2017"])
@pytest.mark.parametrize("kind", ["person_keypoints", "instances"])
def test_coco(shared_dir: Path, split: str, kind: str):
    root = shared_dir / "data/coco_open"
    report = check_coco(root / f"annotations/{kind}_{split}.json", root / split, decode=True)
    assert report.errors == []
    if kind == "person_keypoints":
        assert {"crowd", "no-keypoints", "keypoint-outside-box"} <= {finding.check for finding in report.findings}


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_masks_of_coco(shared_dir: Path, split: str):
    root = shared_dir / "data/coco_open"
    report = check_masks(root / split, root / "masks" / split, ["background", "person", "vehicle", "animal", "thing"])
    assert report.findings == []


def test_generated_data(tmp_path: Path):
    info = make_dataset(tmp_path / "people", train=6, val=3, test=2, size=(128, 96), workers=1)
    for split in ("train", "val", "test"):
        people = check_coco(info.root / f"annotations/person_keypoints_{split}.json", info.root / split, decode=True)
        assert people.errors == []
        masks = check_masks(info.root / split, info.root / "masks" / split, CLASS_NAMES)
        assert masks.errors == []


@pytest.mark.parametrize("name", CONFIGS)
def test_data_of_published_configs(tmp_path: Path, name: str):
    from hrnet_plugin.zoo.miniature import with_miniature_data

    cfg = with_miniature_data(load_config(find_config(name)), tmp_path)
    sources = data_sources(cfg, ("train", "val", "test"))
    assert {split for source in sources for split in source.splits} == {"train", "val", "test"}
    for source in sources:
        report = source.check(images=True, decode=False, progress=False)
        assert report.errors == [], source.title
        assert report.counts["images"] >= 3
        assert report.frequencies
