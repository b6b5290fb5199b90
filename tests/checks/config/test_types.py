"""Names that no registry has, arguments that a class does not take, values that it refuses."""

from __future__ import annotations

import sys

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.checks.config.lookup import Arguments, arguments_of, default_of
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
PIPELINE = "train_dataloader.dataset.pipeline"


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {"model.head.type": "HeatmapHed"}, "unknown-type", "model.head.type"),
        (POSE, {"model.head.loss.type": "MSE"}, "unknown-type", "model.head.loss.type"),
        (POSE, {"model.head.decoder.type": "UDPHeatMap"}, "unknown-type", "model.head.decoder.type"),
        (POSE, {"optim_wrapper.optimizer.type": "AdmW"}, "unknown-type", "optim_wrapper.optimizer.type"),
        (POSE, {"optim_wrapper.constructor": "LayerDecay"}, "unknown-type", "optim_wrapper.constructor.type"),
        (POSE, {"param_scheduler.1.type": "CosineLR"}, "unknown-type", "param_scheduler.1.type"),
        (POSE, {"default_hooks.logger.type": "LogerHook"}, "unknown-type", "default_hooks.logger.type"),
        (POSE, {"custom_hooks.0.type": "EMA"}, "unknown-type", "custom_hooks.0.type"),
        (POSE, {f"{PIPELINE}.5.type": "PackSegInputs"}, "unknown-type", f"{PIPELINE}.5.type"),
        (POSE, {f"{PIPELINE}.1.type": "(gone)"}, "unknown-type", f"{PIPELINE}.1.type"),
        (POSE, {"train_dataloader.sampler.type": "Sampler"}, "unknown-type", "train_dataloader.sampler.type"),
        (POSE, {"visualizer.type": "PoseVisualizer"}, "unknown-type", "visualizer.type"),
        (POSE, {"model.backbone.init_cfg.0.type": "Gaussian"}, "unknown-type", "model.backbone.init_cfg.0.type"),
        (SEG, {"test_evaluator.type": "IouMetric"}, "unknown-type", "test_evaluator.type"),
        (SEG, {"model.decode_head.norm_cfg.type": "BatchNorm"}, "unknown-type", "model.decode_head.norm_cfg.type"),
        (POSE, {"model.head.flip_test": True}, "unknown-argument", "model.head.flip_test"),
        (POSE, {"model.backbone.frozen_stage": 1}, "unknown-argument", "model.backbone.frozen_stage"),
        (POSE, {"optim_wrapper.optimizer.learning_rate": 1}, "unknown-argument",
         "optim_wrapper.optimizer.learning_rate"),
        (POSE, {"param_scheduler.1.milestone": [1]}, "unknown-argument", "param_scheduler.1.milestone"),
        (SEG, {"train_dataloader.dataset.classes": ("a", "b")}, "unknown-argument", "train_dataloader.dataset.classes"),
        (SEG, {"train_cfg.max_epochs": 3}, "unknown-argument", "train_cfg.max_epochs"),
        (SEG, {f"{PIPELINE}.2.size": 3}, "unknown-argument", f"{PIPELINE}.2.size"),
        (POSE, {f"{PIPELINE}.3.input_size": "(gone)"}, "missing-argument", f"{PIPELINE}.3.input_size"),
        (SEG, {"train_cfg.max_iters": "(gone)"}, "missing-argument", "train_cfg.max_iters"),
        (POSE, {"default_scope": "(gone)"}, "default-scope", "default_scope"),
        (POSE, {"default_scope": "mmseg"}, "default-scope", "default_scope"),
        (SEG, {"default_scope": "mmsegmentation"}, "default-scope", "default_scope"),
        (SEG, {"param_scheduler.0.begin": 50}, "refused-value", "param_scheduler.0"),
        (SEG, {f"{PIPELINE}.3.prob": 3}, "refused-value", f"{PIPELINE}.3"),
        (POSE, {"default_hooks.checkpoint.rule": "(gone)"}, "refused-value", "default_hooks.checkpoint"),
        (POSE, {"optim_wrapper.optimizer.lr": -0.1}, "refused-value", "optim_wrapper.optimizer"),
        (POSE, {"val_evaluator.nms_mode": "soft"}, "refused-value", "val_evaluator"),
        (POSE, {f"{PIPELINE}.4.encoder.heatmap_type": "offsets", "model.head.decoder.heatmap_type": "offsets"},
         "refused-value", "model.head.decoder"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "where", "do"),
    [
        (POSE, {"model.head.type": "HeatmapHed"}, "model.head.type", "Did you mean 'HeatmapHead'"),
        (POSE, {"model.backbone.type": "hrnet_plugin.HRnet"}, "model.backbone.type", "hrnet_plugin.HRNet"),
        (POSE, {"model.head.flip_test": True}, "model.head.flip_test", "Put it at model.test_cfg.flip_test"),
        (POSE, {"model.backbone.frozen_stage": 1}, "model.backbone.frozen_stage", "Did you mean 'frozen_stages'?"),
        (SEG, {"train_dataloader.dataset.img_dir": "a"}, "train_dataloader.dataset.img_dir", "data_prefix.img_path"),
        (POSE, {"custom_hooks.0.type": "Mine"}, "custom_hooks.0.type", "custom_imports"),
    ],
)
def test_it_says_what_is_meant(changed, base, change, where, do):
    (finding,) = [finding for finding in check_config(changed(base, change)) if finding.where == where]
    assert do in finding.do


def test_another_frameworks_class_is_named_with_its_scope(changed):
    import mmseg.datasets  # noqa: F401  so that its names are known

    cfg = changed(POSE, {f"{PIPELINE}.5.type": "PackSegInputs"})
    (finding,) = [finding for finding in check_config(cfg) if finding.check == "unknown-type"]
    assert "Write 'mmseg.PackSegInputs'" in finding.do


def test_a_class_of_another_kind_is_told(changed):
    cfg = changed(POSE, {"custom_hooks.0.type": "CocoMetric"})
    (finding,) = [finding for finding in check_config(cfg) if finding.check == "unknown-type"]
    assert finding.do == "It is a metric"


def test_a_framework_that_is_missing_is_a_note(changed, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "mmpose.registry", None)
    findings = check_config(changed(SEG, {"model.decode_head.sampler": {"type": "hrnet_plugin.HigherHRNetHead"}}))
    assert [finding for finding in findings if finding.level == ERROR and finding.check == "unknown-type"] == []
    assert {finding.level for finding in findings if finding.check == "not-installed"} <= {NOTE}


class _Base:
    def __init__(self, first, second=2):
        pass


class _HandsOn(_Base):
    def __init__(self, *args, own=1, **kwargs):
        super().__init__(*args, **kwargs)


class _FixesOne(_Base):
    def __init__(self, **kwargs):
        super().__init__("first", second=3, **kwargs)


class _TakesAny(_Base):
    def __init__(self, own, **kwargs):
        self.rest = kwargs.pop("rest", None)
        super().__init__(**kwargs)


class _PassesOver(_HandsOn):
    def __init__(self, own, **kwargs):
        super(_HandsOn, self).__init__(**kwargs)


@pytest.mark.parametrize(
    ("kind", "names", "required"),
    [
        (_Base, {"first", "second"}, {"first"}),
        (_HandsOn, {"own", "first", "second"}, {"first"}),
        (_FixesOne, set(), set()),
        (_TakesAny, None, {"own"}),
        (_PassesOver, None, {"own"}),
    ],
)
def test_arguments_of_a_class(kind, names, required):
    found = arguments_of(kind)
    assert (found.names, found.required) == (names, required)


def test_arguments_of_a_function_and_of_what_is_written_in_c():
    assert arguments_of(lambda a, b=1: None) == Arguments(frozenset("ab"), frozenset("a"), frozenset("ab"))
    assert arguments_of(dict).names is None


def test_the_default_of_the_class_that_names_it_first():
    assert default_of(_HandsOn, "second") == 2
    assert default_of(_HandsOn, "third", "none") == "none"
