"""Steps that are missing, in the wrong order, or in the wrong place."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
TRAIN, VAL = "train_dataloader.dataset", "val_dataloader.dataset"
MASKED = ({"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"})
LOAD, CUT = {"type": "LoadImage"}, {"type": "GetBBoxCenterScale", "padding": 1.0}
CROP, PACK = {"type": "TopdownAffine", "input_size": (96, 128), "use_udp": True}, {"type": "PackPoseInputs"}


@pytest.mark.parametrize(
    ("base", "change", "where"),
    [
        (POSE, {f"{TRAIN}.pipeline": []}, f"{TRAIN}.pipeline"),
        (POSE, {f"{TRAIN}.pipeline.4": "(gone)"}, f"{TRAIN}.pipeline"),
        (POSE, {f"{VAL}.pipeline.3": "(gone)"}, f"{VAL}.pipeline"),
        (POSE, {f"{VAL}.pipeline.2": CUT}, f"{VAL}.pipeline"),
        (POSE, {f"{VAL}.pipeline.1": "(gone)"}, f"{VAL}.pipeline"),
        (POSE, {f"{VAL}.pipeline.3.meta_keys": ("img_path",)}, f"{VAL}.pipeline.3.meta_keys"),
        (POSE, {f"{TRAIN}.data_mode": "bottomup"}, f"{TRAIN}.data_mode"),
        (POSE, {f"{VAL}.bbox_file": "boxes.json", f"{VAL}.test_mode": False}, f"{VAL}.test_mode"),
        (SEG, {f"{TRAIN}.pipeline.1": "(gone)"}, f"{TRAIN}.pipeline"),
        (SEG, {f"{VAL}.pipeline.1": "(gone)"}, f"{VAL}.pipeline"),
        (SEG, {f"{VAL}.pipeline.2": "(gone)"}, f"{VAL}.pipeline"),
        (SEG, {f"{VAL}.pipeline": [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"},
                                   {"type": "Resize", "scale": (64, 64)}, {"type": "PackSegInputs"}]},
         f"{VAL}.pipeline.2"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, where):
    assert planted(base, change, "pipeline", where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "where", "level"),
    [
        (
            POSE,
            {f"{VAL}.pipeline": [LOAD, CUT, {"type": "RandomBBoxTransform"}, CROP, PACK]},
            f"{VAL}.pipeline.2",
            ERROR,
        ),
        (
            SEG,
            {f"{VAL}.pipeline": [*MASKED, {"type": "PhotoMetricDistortion"}, {"type": "PackSegInputs"}]},
            f"{VAL}.pipeline.2",
            ERROR,
        ),
        (POSE, {f"{VAL}.test_mode": False}, f"{VAL}.test_mode", NOTE),
        (POSE, {f"{TRAIN}.test_mode": True}, f"{TRAIN}.test_mode", NOTE),
    ],
)
def test_the_frameworks_say_nothing_of(changed, base, change, where, level):
    found = {(finding.where, finding.level) for finding in check_config(changed(base, change))}
    assert (where, level) in found


class _Own:
    """A last step of somebody's own."""

    def __call__(self, results: dict) -> dict:
        return results


def test_a_config_without_a_training_pipeline_can_only_be_tested(planted):
    """As mmpose's for associative embedding is."""
    finding = planted(POSE, {f"{TRAIN}.pipeline": []}, "pipeline", f"{TRAIN}.pipeline")
    assert finding.do == "Without them, the config can only be tested"


def test_steps_of_ones_own_may_do_it_all(changed):
    steps = [{"type": "LoadImage"}, {"type": _Own}]
    assert check_config(changed(POSE, {f"{VAL}.pipeline": steps, f"{TRAIN}.pipeline": steps})) == []
