from __future__ import annotations

import json

import numpy as np
import pytest

from hrnet_plugin.data.dataset import DatasetInfo
from hrnet_plugin.data.scene import render_scene
from hrnet_plugin.data.skeleton import FLIP_PAIRS, LIMBS, NAMES, SIGMAS, coco_skeleton


@pytest.mark.parametrize("library", ["pycocotools.coco", "xtcocotools.coco"])
def test_coco_libraries_read_the_files(dataset: DatasetInfo, library, capsys):
    coco = pytest.importorskip(library).COCO(str(dataset.annotation_file("val")))
    assert len(coco.getImgIds()) == 12
    people = coco.loadAnns(coco.getAnnIds())
    assert len(people) == dataset.statistics["val"]["persons"]
    for person in people:
        keypoints = np.reshape(person["keypoints"], (17, 3))
        assert person["num_keypoints"] == (keypoints[:, 2] > 0).sum()
    category = coco.loadCats(coco.getCatIds())[0]
    assert category["keypoints"] == list(NAMES)
    assert category["skeleton"] == coco_skeleton()


def test_a_perfect_prediction_scores_one(dataset: DatasetInfo, capsys):
    from xtcocotools.coco import COCO
    from xtcocotools.cocoeval import COCOeval

    truth = COCO(str(dataset.annotation_file("val")))
    results = [
        {"image_id": person["image_id"], "category_id": 1, "keypoints": person["keypoints"], "score": 1.0}
        for person in truth.loadAnns(truth.getAnnIds())
    ]
    evaluation = COCOeval(truth, truth.loadRes(results), "keypoints", np.array(SIGMAS))
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_mmpose_reads_the_data_set(dataset: DatasetInfo):
    from mmpose.datasets import CocoDataset

    for split in ("train", "val"):
        found = CocoDataset(
            data_root=str(dataset.root),
            ann_file=f"annotations/person_keypoints_{split}.json",
            data_prefix={"img": split},
            data_mode="topdown",
            test_mode=split == "val",
            pipeline=[],
        )
        content = json.loads(dataset.annotation_file(split).read_text())
        assert len(found) == len(content["annotations"])
        for sample, person in zip((found[index] for index in range(len(found))), content["annotations"], strict=True):
            truth = np.reshape(person["keypoints"], (17, 3))
            assert np.allclose(sample["keypoints"][0], truth[:, :2], atol=0.01)
            assert np.array_equal(sample["keypoints_visible"][0] > 0, truth[:, 2] > 0)
            x, y, wide, tall = person["bbox"]
            # mmpose keeps the last pixel inside the image.
            assert np.allclose(sample["bbox"][0], (x, y, x + wide, y + tall), atol=1.01)


def test_mmpose_knows_the_same_skeleton():
    from mmpose.datasets import CocoDataset

    meta = CocoDataset(lazy_init=True).metainfo
    assert [meta["keypoint_id2name"][index] for index in range(17)] == list(NAMES)
    assert {tuple(sorted(link)) for link in meta["skeleton_links"]} == {tuple(sorted(limb)) for limb in LIMBS}
    for left, right in FLIP_PAIRS:
        assert meta["flip_indices"][left] == right
    assert np.allclose(meta["sigmas"], SIGMAS)


def test_mmseg_reads_the_masks(dataset: DatasetInfo):
    from mmseg.datasets import BaseSegDataset

    from hrnet_plugin.data.parts import CLASS_NAMES, PALETTE

    found = BaseSegDataset(
        data_root=str(dataset.root),
        data_prefix={"img_path": "val", "seg_map_path": "masks/val"},
        img_suffix=".jpg",
        seg_map_suffix=".png",
        metainfo={"classes": CLASS_NAMES, "palette": PALETTE},
        pipeline=[{"type": "mmseg.LoadAnnotations"}],
    )
    assert len(found) == 12
    for index in range(12):
        assert np.array_equal(found[index]["gt_seg_map"], render_scene(3, "val", index).mask)
