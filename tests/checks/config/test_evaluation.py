"""Metrics against their data, and what waits for their results."""

from __future__ import annotations

import pytest
from mmpose.evaluation import metrics as pose_metrics
from mmseg.evaluation import IoUMetric

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.checks.config.metrics import results_of
from hrnet_plugin.findings import ERROR, NOTE, errors_in

POSE, SEG = "quickstart_pose", "quickstart_seg"
CROWD = "td-hm_hrnet-w32_8xb64-210e_crowdpose-256x192"
MPII = "td-hm_hrnet-w32_8xb64-210e_mpii-256x256"
HAND = "td-hm_hrnetv2-w18_8xb64-210e_onehand10k-256x256"
BEST = "default_hooks.checkpoint.save_best"


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"val_evaluator.ann_file": "data/people/annotations/person_keypoints_train.json"},
         "metric-annotations", "val_evaluator.ann_file"),
        (SEG, {"val_evaluator": {"type": "mmpose.CocoMetric"}, BEST: "(gone)"}, "metric-fits", "val_evaluator.type"),
        (POSE, {"val_evaluator": {"type": "CocoWholeBodyMetric"}, BEST: "(gone)"}, "metric-fits", "val_evaluator.type"),
        (CROWD, {"val_evaluator.use_area": True}, "metric-fits", "val_evaluator.use_area"),
        (MPII, {"val_dataloader.dataset.headbox_file": "(gone)"}, "metric-fits", "val_dataloader.dataset.headbox_file"),
        (HAND, {"val_evaluator.0.norm_item": "head", BEST: "(gone)"}, "metric-fits", "val_evaluator.0.norm_item"),
        (POSE, {BEST: "AP"}, "best-metric", BEST),
        (POSE, {BEST: "coco/mAP"}, "best-metric", BEST),
        (SEG, {BEST: "mDice"}, "best-metric", BEST),
        (SEG, {"val_evaluator.iou_metrics": ["mIou"]}, "refused-value", "val_evaluator.iou_metrics"),
        (SEG, {"val_evaluator.iou_metrics": "IoU"}, "refused-value", "val_evaluator.iou_metrics"),
        (HAND, {"val_evaluator.0.norm_item": "boxes"}, "refused-value", "val_evaluator.0"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(changed, base, change, check, where):
    found = errors_in(check_config(changed(base, change)))
    assert {(finding.check, finding.where) for finding in found} == {(check, where)}


def test_a_training_that_ends_by_no_result(planted):
    """The framework warns once an epoch, and goes on to the end."""
    hooks = [{"type": "EarlyStoppingHook", "monitor": "IoU", "rule": "greater"}]
    assert planted(SEG, {"custom_hooks": hooks}, "best-metric", "custom_hooks.0.monitor").level == ERROR


def test_the_name_of_a_result_is_suggested(planted):
    assert "'coco/AP'" in planted(POSE, {BEST: "coco/Ap"}, "best-metric", BEST).do


def test_a_best_checkpoint_without_a_validation(planted):
    gone = dict.fromkeys(("val_dataloader", "val_cfg", "val_evaluator"))
    assert planted(POSE, gone, "best-metric", BEST).level == ERROR


def test_measured_on_what_it_was_trained_on(planted):
    file = "annotations/person_keypoints_train.json"
    change = {"val_dataloader.dataset.ann_file": file, "val_evaluator.ann_file": f"data/people/{file}",
              "val_dataloader.dataset.data_prefix": {"img": "train/"}}  # fmt: skip
    assert planted(POSE, change, "same-data", "val_dataloader.dataset").level == NOTE


@pytest.mark.parametrize(
    "change",
    [
        {"val_evaluator.prefix": "people", BEST: "people/AP"},
        {"val_evaluator": [{"type": "CocoMetric"}, {"type": "EPE"}], BEST: ["coco/AR", "EPE"],
         "default_hooks.checkpoint.rule": ["greater", "less"]},
        {"val_evaluator": {"metrics": [{"type": "PCKAccuracy", "norm_item": ["bbox", "torso"]}]}, BEST: "tPCK"},
        {"val_evaluator": [{"type": "CocoMetric", "ann_file": "data/people/annotations/person_keypoints_val.json"},
                           {"type": "CocoMetric", "ann_file": "faces.json", "prefix": "faces"}]},
        {"val_evaluator": {"type": "MultiDatasetEvaluator", "metrics": [{"type": "EPE"}, {"type": "AUC"}],
                           "datasets": []}, BEST: "people/EPE"},
        {BEST: "auto", "default_hooks.checkpoint.rule": "greater"},
        {"val_evaluator.ann_file": "data/people/annotations/../annotations/person_keypoints_val.json"},
    ],
)  # fmt: skip
def test_sound_metrics(changed, change):
    assert check_config(changed(POSE, change)) == []


def test_names_of_results_are_those_of_the_metrics(monkeypatch: pytest.MonkeyPatch):
    """Held against what the metrics themselves give for random predictions."""
    import numpy as np

    rng = np.random.default_rng(0)
    size = np.full((4, 2), 10.0)
    results = [{"pred_coords": rng.random((1, 16, 2)), "gt_coords": rng.random((1, 16, 2)) * 9,
                "mask": np.ones((1, 16), bool), "bbox_size": size[:1], "head_size": size[:1], "torso_size": size[:1]}
               for _ in range(4)]  # fmt: skip
    for name, options in [
        ("PCKAccuracy", {"norm_item": ["bbox", "torso"]}), ("MpiiPCKAccuracy", {}), ("AUC", {}), ("EPE", {}),
        ("JhmdbPCKAccuracy", {"norm_item": ["bbox", "torso"]}), ("NME", {"norm_mode": "use_norm_item",
                                                                         "norm_item": "bbox_size"}),
    ]:  # fmt: skip
        kind = getattr(pose_metrics, name)
        if name == "NME":
            results = [{**result, "bbox_size": np.full((1, 1), 10.0)} for result in results]
        given = kind(**options).compute_metrics(results)
        assert results_of(kind, options) == set(given), name


def test_names_of_results_of_segmentation():
    import torch

    area = torch.ones(3)
    for chosen in (["mIoU"], ["mIoU", "mDice"], ["mFscore"]):
        metric = IoUMetric(iou_metrics=chosen)
        metric.dataset_meta = {"classes": ("a", "b", "c")}
        given = metric.compute_metrics([(area, area, area, area)])
        assert results_of(IoUMetric, {"iou_metrics": chosen}) == set(given)


def test_measures_that_mmseg_does_not_know(planted):
    """Their names are told; the hook that waits for one of them is not to blame."""
    import numpy as np

    finding = planted(SEG, {"val_evaluator.iou_metrics": ["mIou", "mDice"]}, *("refused-value",
                      "val_evaluator.iou_metrics"))  # fmt: skip
    assert finding.found == "'mIou', no measure of IoUMetric"
    assert finding.expected == "'mIoU', 'mDice' or 'mFscore'"
    areas = [np.ones(2)] * 4
    with pytest.raises(KeyError, match="mIou"):
        IoUMetric.total_area_to_metrics(*areas, metrics=["mIou"])


def test_results_of_somebodys_own_metric_are_not_known():
    class CocoMetric:
        pass

    assert results_of(CocoMetric, {}) is None
    assert results_of(None, {}) is None
