"""A training step of mmpose's network and of ours."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from hrnet_plugin.bench.measuring import perform
from hrnet_plugin.bench.subjects import TRAINING, Job, Network, Subject
from hrnet_plugin.bench.suite.subjects import training
from hrnet_plugin.locations import project_dir


def test_both_take_the_same_first_step(tiny_config, tmp_path):
    ours = Network(str(tiny_config), size=(64, 64), batch=2)
    subjects = training((replace(ours, framework="mmpose"), ours), ("fp32", "bf16"))
    found = perform(Job("times", subjects, str(tmp_path), turns=2, settle=False, threads=1))
    assert found.refused == {}
    assert {name: len(times) for name, times in found.times.items()} == dict.fromkeys(
        ("mmpose eager", "ours fp32", "ours bf16"), 2
    )
    assert found.differences["ours fp32"] < 1e-5
    assert 0 < found.differences["ours bf16"] < 0.05


def test_each_in_a_process_of_its_own(tiny_config, tmp_path):
    """The first loss of the reference is at hand where it has been measured before."""
    ours = Network(str(tiny_config), size=(64, 64), batch=2)
    for subject in training((replace(ours, framework="mmpose"), ours), ("fp32",)):
        found = perform(Job("times", (subject,), str(tmp_path), turns=1, settle=False, threads=1))
        assert found.refused == {}
        assert found.differences[subject.name] < 1e-5


def test_memory_of_a_step_and_of_its_parts(tiny_config, tmp_path):
    ours = Network(str(tiny_config), size=(64, 64), batch=2)
    first, fast = training((replace(ours, framework="mmpose"), ours), ("fp32",))
    perform(Job("prepare", (first, fast), str(tmp_path), threads=1))
    files = sorted(tmp_path.iterdir())
    found = perform(Job("memory", (fast,), str(tmp_path), threads=1))
    assert sorted(tmp_path.iterdir()) == files  # the weights of the reference: none are made in this process
    weights = 4 * 213465
    # Weights, gradients and Adam's two moments, and activations beyond them.
    assert found.tensor_memory["ours fp32"] > 4 * weights
    assert found.memory["ours fp32"] > found.tensor_memory["ours fp32"]
    assert found.gradient_memory["ours fp32"] > 2 * weights


def test_a_compiled_step_compiles_the_backbone_alone(tiny_config, tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(self))
    network = Network(str(tiny_config), size=(64, 64), batch=2)
    subject = Subject("ours", network, role=TRAINING, runtime="torch-compile")
    assert perform(Job("times", (subject,), str(tmp_path), settle=False, threads=1)).refused == {}
    assert [type(module).__name__ for module in compiled] == ["HRNet"]


def test_a_model_of_another_kind_is_refused(tmp_path):
    config = project_dir("configs") / "quickstart_seg.py"
    subject = Subject("seg", Network(str(config), size=(64, 64)), role=TRAINING)
    found = perform(Job("times", (subject,), str(tmp_path), threads=1))
    assert "training step: found EncoderDecoder with" in found.refused["seg"]
