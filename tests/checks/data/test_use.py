"""What a config does with annotations is what the framework does with them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmpose.evaluation.metrics import CocoMetric
from xtcocotools.coco import COCO as COCO_API

from hrnet_plugin.checks.data import check_coco
from hrnet_plugin.checks.data.sources import each_once
from hrnet_plugin.checks.data.use import Use, use_of_boxes, use_of_poses

COCO = {"type": "mmpose.CocoMetric"}
#: What mmpose's metric asks for, of a data set that has told it no file.
METAINFO = {
    "dataset_name": "unheard of",
    "num_keypoints": 17,
    "sigmas": np.full(17, 0.05),
    "CLASSES": [{"id": 1, "name": "person"}],
}


DETECTED = {"bbox_file": __file__}


def used(
    evaluator: Any = None, split: str = "val", dataset: dict | None = None, of: Callable = use_of_poses, **built: Any
) -> Use:
    own = SimpleNamespace(**{"data_mode": "topdown", "test_mode": True, "ann_file": "data/val.json", **built})
    return of(evaluator, split, {"type": "CocoDataset", **(dataset or {})}, own)


def detected(evaluator: Any = None, split: str = "val") -> Use:
    return used(evaluator, split, of=use_of_boxes)


@pytest.mark.parametrize(
    ("evaluator", "metrics"),
    [
        (COCO, ("CocoMetric",)),
        ([{"type": "mmpose.PCKAccuracy"}, COCO, COCO], ("CocoMetric",)),
        ({"type": "mmpose.CocoWholeBodyMetric"}, ("CocoWholeBodyMetric",)),
        ({"type": CocoMetric}, ("CocoMetric",)),
        ({"type": "mmpose.KeypointPartitionMetric", "metric": COCO, "partitions": {"a": [0]}}, ("CocoMetric",)),
        ({**COCO, "ann_file": "./data/val.json"}, ("CocoMetric",)),
        ({**COCO, "ann_file": "data/other.json"}, ()),
        ({**COCO, "use_area": False}, ()),
        ({**COCO, "format_only": True}, ()),
        ({"type": "mmpose.PoseTrack18Metric"}, ()),
        ({"type": "mmpose.PCKAccuracy"}, ()),
        ({"type": "mmpose.NoSuchMetric"}, ()),
        (None, ()),
    ],
)
def test_metrics_that_divide_by_the_area(evaluator, metrics):
    assert used(evaluator).by_area == metrics
    assert used(evaluator, split="train").by_area == ()


def test_each_data_set_has_its_own_metric():
    datasets = [{"type": "CocoDataset"}, {"type": "AicDataset"}]
    evaluator = {"type": "MultiDatasetEvaluator", "metrics": [{**COCO, "use_area": False}, COCO], "datasets": datasets}
    assert used(evaluator).by_area == ()
    assert used(evaluator, dataset={"type": "AicDataset"}).by_area == ("CocoMetric",)


def measure(
    file: Any = None, rows: list[dict] | None = None, dataset_name: str = METAINFO["dataset_name"], **options: Any
) -> dict:
    """A prediction for the first image, measured by mmpose."""
    metric = CocoMetric(ann_file=file and str(file), **options)
    metric.dataset_meta = {**METAINFO, "dataset_name": dataset_name}
    points = {"keypoints": np.full((1, 17, 2), 20.0), "keypoint_scores": np.ones((1, 17))}
    sample = {"id": 1, "img_id": 101, "pred_instances": points, "ori_shape": (64, 96), "raw_ann_info": rows}
    metric.process([], [{**sample, "gt_instances": {"bbox_scores": np.ones(1)}}])
    return metric.evaluate(1)


def test_an_evaluation_stops_at_a_missing_area(people, tmp_path):
    """What the finding says, of mmpose."""
    for row in people.annotations:
        del row["area"]
    file, rows = people.write(), people.annotations[:2]
    with pytest.raises(KeyError, match="area"):
        measure(file)
    with pytest.raises(AssertionError, match="`area` is required"):
        measure(rows=rows)
    assert "coco/AP" in measure(file, use_area=False)
    assert measure(file, format_only=True, outfile_prefix=str(tmp_path / "out")) == {}


def test_a_missing_area_is_an_error_where_it_is_divided_by(people):
    del people.annotations[1]["area"]
    file = people.write()
    (finding,) = check_coco(file, people.images, use=Use(by_area=("CocoMetric",))).findings
    assert finding.line() == (
        "area of people.json: found 1 annotation without an area, expected one, by which CocoMetric divides. The first "
        "evaluation stops at it; with `use_area=False` the metric takes 0.53 of the box's"
    )
    assert (finding.level, finding.examples) == ("error", ("annotation 10011 (000101.jpg)",))
    (finding,) = check_coco(file, people.images, use=Use(needs="It is learnt")).findings
    assert (finding.level, finding.check) == ("note", "area-missing")


@pytest.mark.parametrize(
    ("use", "needed"),
    [
        (used(split="train"), "learns"),
        (used(), "bbox_file"),
        (used(dataset={"bbox_file": "nowhere.json"}), "bbox_file"),
        (used(dataset=DETECTED), ""),
        (used(COCO, dataset=DETECTED), "CocoMetric of the config compares"),
        (used({"type": "mmpose.PoseTrack18Metric"}, dataset=DETECTED), "PoseTrack18Metric of the config"),
        (used({**COCO, "use_area": False}, dataset=DETECTED), "compares"),
        (used({**COCO, "format_only": True}, dataset=DETECTED), ""),
        (used({**COCO, "ann_file": "data/other.json"}, dataset=DETECTED), ""),
        (used(data_mode="bottomup"), ""),
        (used(data_mode="bottomup", test_mode=False), "test_mode"),
        (detected(split="train"), "learns"),
        (detected(), ""),
        (detected({"type": "mmdet.CocoMetric"}), "compares"),
        (detected({"type": "mmdet.CocoMetric", "format_only": True}), ""),
    ],
)
def test_a_list_of_images_is_enough_to_test_on(people, use, needed):
    del people.content["annotations"]
    report = check_coco(people.write(), people.images, use=use)
    (finding,) = report.findings
    assert (finding.level, finding.check) == ("error" if needed else "note", "no-annotations")
    assert "a list of images to test on" in finding.line()
    assert needed in finding.do
    assert report.counts["images"] == 5
    assert report.frequencies == []


def test_a_list_of_images_measures_nothing(people):
    """What the findings say, of mmpose: for a metric that is given the list, or gets it from its data set."""
    del people.content["annotations"]
    file = people.write()
    with pytest.raises(AssertionError, match="Ground truth annotations are required"):
        measure(file)
    MessageHub.get_current_instance().update_info_dict({"a list_ann_file": str(file)})
    assert measure(dataset_name="a list")["coco/AP"] == -1


@pytest.mark.parametrize("keypoints", [True, False])
def test_categories_of_a_list_are_checked(people, keypoints):
    """Neither mmpose beside detected boxes nor mmdet reads a list without any."""
    del people.content["annotations"]
    people.content["categories"].append({"id": 2, "name": "dog"})
    report = check_coco(people.write(), people.images, keypoints=keypoints, metainfo={"classes": ("person", "dog")})
    assert [finding.check for finding in report.findings] == ["no-annotations"]
    report = check_coco(people.write(), people.images, keypoints=keypoints, metainfo={"classes": ("horse",)})
    assert [error.check for error in report.errors] == ([] if keypoints else ["config-classes"])
    del people.content["categories"]
    with pytest.raises(KeyError, match="categories"):
        COCO_API(str(people.write())).getCatIds()
    (error,) = check_coco(people.write(), people.images, keypoints=keypoints).errors
    assert error.check == "no-categories"


def test_images_of_a_list_are_checked(people):
    del people.content["annotations"]
    (people.images / "000101.jpg").unlink()
    people.content["images"][1]["width"] += 1
    people.content["images"][2]["id"] = people.content["images"][3]["id"]
    report = check_coco(people.write(), people.images)
    assert {finding.check for finding in report.errors} == {"image-missing", "image-size", "duplicate-image-id"}


def test_uses_of_one_file_are_joined():
    from hrnet_plugin.checks.data.sources import Source

    one, other = Use(by_area=("CocoMetric",)), Use(needs="It is learnt", by_area=("CocoMetric",))
    sources = [Source((split,), "a", "a", print, use) for split, use in (("train", other), ("val", one), ("test", one))]
    (joined,) = each_once(sources)
    assert (joined.splits, joined.use) == (("train", "val", "test"), other)
