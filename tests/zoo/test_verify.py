"""Every model of the zoo against the installed frameworks, as `hrnet zoo verify` compares them."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.published.index import ZooModel, find_model, read_index
from hrnet_plugin.zoo.report import FAILED, NEEDS_MMCV, NONE, PASSED, Verdict, environment, report
from hrnet_plugin.zoo.verify import Verifier

MODELS = read_index()
ON_LITE = environment().startswith("mmcv-lite")


def needs_full_mmcv(model: ZooModel) -> bool:
    """Whether a model predicts with compiled operators: detectors need nms, DEKR deformable convolutions."""
    return model.framework == "mmdet" or model.name.startswith("dekr_")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[str, Verdict]:
    """The verdict on every model, by name."""
    verifier = Verifier(tmp_path_factory.mktemp("zoo"))
    return {verdict.name: verdict for verdict in verifier.verify(MODELS)}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_config_is_the_upstream_config(model, verdicts):
    assert verdicts[model.name].resolved == (PASSED if model.upstream else NONE), verdicts[model.name].findings


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_predicts_and_loses_as_upstreams_does(model, verdicts):
    verdict = verdicts[model.name]
    if model.upstream is None:
        assert verdict.forward == NONE
    elif ON_LITE and needs_full_mmcv(model):
        assert verdict.forward == NEEDS_MMCV
    else:
        assert verdict.forward == PASSED, verdict.findings
        assert verdict.comparison.largest == 0.0
        assert verdict.comparison.parameters == verdict.comparison.upstream_parameters > 1e6


def test_one_model_of_each_kind_trains(verdicts):
    failed = {verdict.name: verdict.findings for verdict in verdicts.values() if verdict.trained == FAILED}
    assert failed == {}
    untrained = {verdict.kind for verdict in verdicts.values()} - {
        verdict.kind for verdict in verdicts.values() if verdict.trained == PASSED
    }
    lacking = {verdict.kind for verdict in verdicts.values() if verdict.trained == NEEDS_MMCV}
    assert untrained <= (lacking if ON_LITE else set())
    assert len({verdict.kind for verdict in verdicts.values() if verdict.trained == PASSED}) > 30


def test_the_report_adds_up(verdicts):
    found = json.loads(json.dumps(report(list(verdicts.values()))))
    assert found["models"] == len(MODELS) == len(found["rows"])
    assert found["networks_compared"] > 90
    assert sum(found["resolved"].values()) == sum(1 for model in MODELS if model.upstream)
    assert set(found["largest_difference"]) == {"mmpose", "mmseg", "mmpretrain"} | (set() if ON_LITE else {"mmdet"})


def wrong(model: ZooModel, change: str, tmp_path) -> ZooModel:
    """The model with a config of which one line says something else."""
    config = tmp_path / model.config.name
    config.write_text(f"_base_ = ['{model.config.as_posix()}']\n{change}\n", encoding="utf-8")
    return ZooModel(model.name, config, model.upstream, model.tasks, model.dataset)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("model = dict(backbone=dict(arch='w19'))", "resolved: arch: found 'w19', expected a preset of HRNet"),
        ("model = dict(backbone=dict(type='hrnet_plugin.HRNett'))", "resolved: model.backbone.type: found"),
        (
            "model = dict(backbone=dict(_delete_=True, type='hrnet_plugin.HRNet'))",
            "resolved: model.backbone: found neither arch nor extra, expected a preset by name",
        ),
        ("model = dict(backbone=dict(type='HRNet'))", "ours 'HRNet', expected a class of hrnet_plugin"),
        ("model = dict(backbone=dict(upsample_mode='nearest'))", "prediction differs by"),
        ("model = dict(backbone=dict(arch='w18_small_v2'))", "forward: RuntimeError: Error(s) in loading state_dict"),
        ("optim_wrapper = dict(optimizer=dict(lr=1.0))", "optim_wrapper.optimizer.lr: ours 1.0, upstream 0.002"),
    ],
    ids=["unknown preset", "unknown class", "no preset", "not ours", "upsampling", "width", "learning rate"],
)
def test_a_wrong_config_fails(change, finding, tmp_path):
    model = wrong(find_model("td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256"), change, tmp_path)
    (verdict,) = Verifier(tmp_path, steps=("resolved", "forward")).verify([model])
    assert verdict.failed
    assert verdict.resolved == FAILED
    assert any(finding in line for line in verdict.findings), verdict.findings


def test_a_config_that_cannot_be_read_fails_alone(tmp_path):
    model = find_model("td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256")
    broken = wrong(model, "model = dict(", tmp_path)
    one, other = Verifier(tmp_path, steps=("resolved",)).verify([broken, model])
    assert one.resolved == FAILED
    assert other.resolved == PASSED
