"""Values of another kind than their place takes."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR

POSE, SEG = "quickstart_pose", "quickstart_seg"
CLASSIFIER = "hrnet-w18_4xb32_in1k"
TRAIN = "train_dataloader"
DATA = f"{TRAIN}.dataset"
STEP = {"type": "LoadImage"}


@pytest.mark.parametrize(
    ("base", "where", "value", "found", "expected"),
    [
        (POSE, "model", 5, "5", "a dict"),
        (SEG, "model", [{"type": "EncoderDecoder"}], "[{'type': 'EncoderDecoder'}]", "a dict"),
        (POSE, "model.backbone", "w32", "'w32'", "a dict"),
        (SEG, "model.decode_head", 5, "5", "a dict, or a list of them"),
        (POSE, "model.data_preprocessor", 3, "3", "a dict"),
        (CLASSIFIER, "data_preprocessor", "ImageNet's", '"ImageNet\'s"', "a dict"),
        (POSE, "model.test_cfg", True, "True", "a dict"),
        (POSE, TRAIN, [1], "[1]", "a dict"),
        (SEG, TRAIN, 5, "5", "a dict"),
        (POSE, DATA, [STEP], "[{'type': 'LoadImage'}]", "a dict"),
        (POSE, f"{DATA}.pipeline", STEP, "{'type': 'LoadImage'}", "a list of dicts"),
        (POSE, f"{DATA}.pipeline", 3, "3", "a list of dicts"),
        (SEG, f"{DATA}.metainfo", 3, "3", "a dict"),
        (POSE, f"{TRAIN}.sampler", "DefaultSampler", "'DefaultSampler'", "a dict"),
        (POSE, "train_cfg", [1], "[1]", "a dict"),
        (POSE, "optim_wrapper", "SGD", "'SGD'", "a dict"),
        (POSE, "optim_wrapper.optimizer", "SGD", "'SGD'", "a dict"),
        (POSE, "param_scheduler", "cosine", "'cosine'", "a dict, or a list of them"),
        (POSE, "custom_hooks", {"type": "EMAHook"}, "{'type': 'EMAHook'}", "a list of dicts"),
        (POSE, "visualizer", 3, "3", "a dict"),
    ],
)
def test_a_value_of_the_wrong_kind_and_nothing_else(changed, base, where, value, found, expected):
    (finding,) = [one for one in check_config(changed(base, {where: value})) if one.check != "batch-size"]
    assert (finding.level, finding.check, finding.where) == (ERROR, "wrong-kind", where)
    assert (finding.found, finding.expected, finding.count) == (found, expected, 1)


@pytest.mark.parametrize(
    ("where", "value", "at"),
    [
        (f"{DATA}.pipeline.1", 3, f"{DATA}.pipeline.1"),
        ("param_scheduler", [1], "param_scheduler.0"),
        ("custom_hooks", ["EMAHook"], "custom_hooks.0"),
        (f"{DATA}.pipeline.1", [STEP], f"{DATA}.pipeline.1"),
        ("test_evaluator", [[1]], "test_evaluator.0"),
        ("default_hooks.logger", "LoggerHook", "default_hooks.logger"),
    ],
)
def test_one_of_a_list(planted, where, value, at):
    assert planted(POSE, {where: value}, "wrong-kind", at).expected == "a dict"


def test_a_long_value_is_shown_in_short(planted):
    assert planted(POSE, {"model": "x" * 200}, "wrong-kind", "model").found == f"'{'x' * 56}..."


@pytest.mark.parametrize(
    "change",
    [
        {"custom_hooks": {}, "tta_pipeline": None},
        {"val_evaluator": [{"type": "CocoMetric"}], "param_scheduler": {"type": "ConstantLR", "factor": 1.0}},
        {f"{DATA}.pipeline.0": lambda sample: sample},
    ],
)
def test_either_kind_where_both_are_taken(changed, change):
    assert [finding for finding in check_config(changed(POSE, change)) if finding.check == "wrong-kind"] == []


class _Own:
    """A model whose arguments are its own matter."""

    def __init__(self, backbone: str, head: int):
        pass


def test_arguments_of_somebodys_own_model_may_be_anything(changed):
    cfg = changed(POSE, {"model": {"type": _Own, "backbone": "w32", "head": 17}})
    assert [finding for finding in check_config(cfg) if finding.check == "wrong-kind"] == []
