"""`--cfg-options`: put into the config, or refused in a line; a value stays a value whatever it looks like."""

from __future__ import annotations

from pathlib import Path

import pytest
from bounds import outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from junk import TEXTS
from mmengine.config import Config

from hrnet_plugin.cli.main import build_parser
from hrnet_plugin.cli.run import PreparedRun, prepare_training
from hrnet_plugin.config_files import load_config
from hrnet_plugin.errors import ConfigError, UserError

_CONFIG = """
model = dict(type='TopdownPoseEstimator', backbone=dict(type='HRNet', extra=dict(stage1=dict(num_channels=(64,)))))
train_dataloader = dict(batch_size=8, dataset=dict(pipeline=[dict(type='LoadImage'), dict(type='PackPoseInputs')]))
randomness = dict(seed=0)
"""
_KEYS = (
    "model", "model.backbone", "model.backbone.extra.stage1.num_channels", "model.backbone.extra.stage1.num_channels.0",
    "train_dataloader.batch_size", "train_dataloader.dataset.pipeline", "train_dataloader.dataset.pipeline.0.type",
    "train_dataloader.dataset.pipeline.7", "train_dataloader.dataset.pipeline.-1", "randomness.seed",
    "randomness.seed.x", "_base_", "_delete_", "model._delete_", "custom_imports", "filename", "text", "_cfg_dict",
    "pop", "__class__",
)  # fmt: skip
_VALUES = (
    "1", "-1", "0.5", "1e999", "nan", "True", "None", "none", "", "a", "'a'", '"a"', "(1,2)", "[1,2]", "[(1,2),[3]]",
    "[1,[2", "(1", "dict(a=1)", "{'a':1}", "[{'a':1}]", "a,b", ",", ",,", "[]", "()", "[" * 40 + "]" * 40, "1,(2,3",
    "__import__('os').mkdir('made')", "$(mkdir made)", "{{fileDirname}}", "{{$HOME:x}}", "=", "a=b", "9" * 6000,
)  # fmt: skip
_PARTS = st.one_of(st.sampled_from(_KEYS), TEXTS.filter(lambda text: "\ud800" not in text))
KEYS = st.one_of(_PARTS, st.lists(_PARTS, min_size=1, max_size=3).map(".".join))
VALUES = st.one_of(st.sampled_from(_VALUES), TEXTS, st.text("[]()',.=\"01a ", max_size=12))
OPTIONS = st.one_of(st.builds("{}={}".format, KEYS, VALUES), TEXTS)


#: Keys that a run reads before anything is built.
_OF_RUNS = (
    "model", "model.backbone", "model.data_preprocessor", "train_cfg", "train_cfg.max_epochs", "optim_wrapper",
    "optim_wrapper.optimizer", "optim_wrapper.accumulative_counts", "env_cfg", "env_cfg.dist_cfg", "default_hooks",
    "default_hooks.checkpoint", "default_hooks.logger", "custom_hooks", "train_dataloader", "train_dataloader.dataset",
    "train_dataloader.dataset.pipeline", "train_dataloader.dataset.ann_file", "train_dataloader.dataset.data_root",
    "train_dataloader.dataset.data_prefix", "val_dataloader", "val_evaluator", "val_cfg", "visualizer", "randomness",
    "param_scheduler", "launcher", "load_from", "resume", "default_scope", "auto_scale_lr", "model_wrapper_cfg",
    "work_dir", "speed", "speed.precision", "speed.accumulate", "find_unused_parameters", "preprocess_cfg",
    "runner_type", "model.backbone.init_cfg", "model.backbone.init_cfg.checkpoint", "model.backbone.extra", "tta_model",
    "data_root",
)  # fmt: skip
_KINDS = ("3", "0", "-1", "0.5", "x", "True", "None", "", "1,2", "a,b", "[(1,2),3]", "/dev/zero", "{'a':1}")
_FLAGS = st.sampled_from(
    (
        (),
        ("--static-graph",),
        ("--gradient-view", "--accumulate", "2", "--precision", "bf16", "--auto-scale-lr", "--seed", "1"),
        ("--fast", "--checkpoint-activations", "--no-validate"),
        ("--resume", "--health"),
    )
)


@pytest.fixture
def data(folder: Path) -> Path:
    """Files and folders where the quickstart config looks for them, with nothing in them."""
    (folder / "annotations").mkdir()
    for split in ("train", "val"):
        (folder / split).mkdir()
        (folder / "annotations" / f"person_keypoints_{split}.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def config(folder: Path) -> Path:
    """A small config of the usual shape."""
    path = folder / "config.py"
    path.write_text(_CONFIG, encoding="utf-8")
    return path


@tries(50, 10000)
@given(options=st.lists(OPTIONS, min_size=1, max_size=3))
def test_options_are_merged_or_refused(config, options, monkeypatch):
    monkeypatch.chdir(config.parent)
    found = outcome(lambda: load_config(config, options))
    assert isinstance(found, (Config, ConfigError))
    assert [path.name for path in config.parent.iterdir()] == ["config.py"]


@tries(20, 3000)
@given(option=st.builds("{}={}".format, st.sampled_from(_OF_RUNS), st.sampled_from(_KINDS)), flags=_FLAGS)
def test_a_training_is_prepared_or_refused_whatever_kind_its_keys_hold(data, option, flags, monkeypatch):
    monkeypatch.chdir(data)
    words = ["train", "quickstart_pose", "--work-dir", "work", "--data-root", str(data), *flags]
    args = build_parser(["train"]).parse_args([*words, "--cfg-options", option])
    assert isinstance(outcome(lambda: prepare_training(args)), (PreparedRun, UserError))


@tries(60, 4000)
@given(content=st.one_of(st.binary(max_size=200), TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))))
def test_a_config_of_any_bytes_is_read_or_refused(folder, content):
    path = folder / "odd.py"
    path.write_bytes(b"model = dict()\nodd = '''" + content)
    assert isinstance(outcome(lambda: load_config(path)), (Config, ConfigError))


@tries(60, 4000)
@given(place=st.integers(0, len(_CONFIG)), instead=TEXTS, gone=st.integers(0, 20))
def test_a_damaged_config_is_read_or_refused(folder, place, instead, gone):
    path = folder / "damaged.py"
    path.write_bytes((_CONFIG[:place] + instead + _CONFIG[place + gone :]).encode("utf-8", "surrogatepass"))
    assert isinstance(outcome(lambda: load_config(path)), (Config, ConfigError))
