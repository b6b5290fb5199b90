"""Flags and `speed` become what mmengine reads; what cannot be had is refused in one line."""

from __future__ import annotations

import argparse
import shutil

import mmengine.device
import pytest
from mmengine.config import Config

from hrnet_plugin.cli import train
from hrnet_plugin.cli.train_speed import FAST, apply_speed
from hrnet_plugin.errors import ConfigError, MissingDependency

CHANNELS_LAST = {"type": "hrnet_plugin.ChannelsLastHook"}
KEEP_MEMORY = {"type": "hrnet_plugin.FreedMemoryHook", "how": "keep"}
RETURN_MEMORY = {"type": "hrnet_plugin.FreedMemoryHook", "how": "return"}
COMPILE = {"type": "hrnet_plugin.CompileHook", "mode": "default"}


def flags(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(["config.py", *given])


def config(**other: object) -> Config:
    return Config(
        {
            "model": {"type": "TopdownPoseEstimator", "backbone": {"type": "hrnet_plugin.HRNet", "arch": "w32"}},
            "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 1e-3}},
            **other,
        }
    )


@pytest.fixture(params=["flag", "config"])
def applied(request):
    """`applied(flag, entry)`: a config after the flag, or after the entry of its `speed`."""

    def apply(flag: str, entry: dict, **other: object) -> Config:
        cfg = config(**other) if request.param == "flag" else config(speed=entry, **other)
        assert apply_speed(cfg, flags(*flag.split()) if request.param == "flag" else flags()) == []
        assert "speed" not in cfg
        return cfg

    return apply


def test_nothing_is_on_by_itself():
    cfg = config()
    before = cfg.to_dict()
    assert apply_speed(cfg, flags()) == []
    assert cfg.to_dict() == before


def test_channels_last_joins_the_hooks_once(applied):
    cfg = applied("--channels-last", {"channels_last": True}, custom_hooks=[{"type": "SyncBuffersHook"}])
    assert cfg.custom_hooks == [{"type": "SyncBuffersHook"}, CHANNELS_LAST]
    apply_speed(cfg, flags("--channels-last"))
    assert len(cfg.custom_hooks) == 2


def test_memory_accumulation_and_cudnn(applied):
    cfg = applied("--checkpoint-activations", {"checkpoint_activations": True})
    assert cfg.model.backbone.with_cp is True
    cfg = applied("--checkpoint-nested", {"checkpoint_activations": "nested"})
    assert cfg.model.backbone.with_cp == "nested"
    assert cfg.custom_hooks == [RETURN_MEMORY]
    cfg = config(speed={"keep_memory": True, "checkpoint_activations": True})
    apply_speed(cfg, flags())
    assert cfg.custom_hooks == [RETURN_MEMORY]
    assert applied("--keep-memory", {"keep_memory": True}).custom_hooks == [KEEP_MEMORY]
    cfg = applied("--accumulate 4", {"accumulate": 4})
    assert cfg.optim_wrapper.accumulative_counts == 4
    cfg = applied("--cudnn-benchmark", {"cudnn_benchmark": True}, env_cfg={"dist_cfg": {"backend": "gloo"}})
    assert cfg.env_cfg == {"dist_cfg": {"backend": "gloo"}, "cudnn_benchmark": True}
    cfg = applied("--fused-optimizer", {"fused_optimizer": True})
    assert cfg.optim_wrapper.optimizer.fused is True


def test_compile_of_a_backbone_within_another_model(applied):
    assert applied("--compile", {"compile": True}).custom_hooks == [COMPILE]
    inner = {"type": "Wrapper", "module": {"type": "EncoderDecoder", "backbone": {"type": "HRNet"}}}
    cfg = config(model=inner)
    apply_speed(cfg, flags("--checkpoint-activations"))
    assert cfg.model.module.backbone.with_cp is True


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        ("cpu", "bf16", {"type": "AmpOptimWrapper", "dtype": "bfloat16"}),
        ("cuda", "bf16", {"type": "AmpOptimWrapper", "dtype": "bfloat16", "loss_scale": 1.0}),
        ("cuda", "fp16", {"type": "AmpOptimWrapper", "dtype": "float16", "loss_scale": "dynamic"}),
        ("cpu", "fp32", {}),
    ],
)
def test_precision_by_name(device, precision, expected, monkeypatch, applied):
    monkeypatch.setattr(mmengine.device, "get_device", lambda: device)
    cfg = applied(f"--precision {precision}", {"precision": precision})
    assert cfg.optim_wrapper == {"optimizer": {"type": "Adam", "lr": 1e-3}, **expected}


def test_fp32_turns_mixed_precision_off():
    cfg = config(optim_wrapper={"type": "AmpOptimWrapper", "loss_scale": "dynamic", "dtype": "float16"})
    apply_speed(cfg, flags("--precision", "fp32"))
    assert cfg.optim_wrapper == {"type": "OptimWrapper"}


WRAPPER = {"type": "MMDistributedDataParallel", "broadcast_buffers": False, "find_unused_parameters": False}
BF16_GRADIENTS = {"type": "hrnet_plugin.Bf16GradientsHook"}


def in_several(cfg: Config, *given: str) -> Config:
    """The config after the flags, in a training of several processes."""
    assert apply_speed(cfg, flags(*given, "--launcher", "pytorch")) == []
    return cfg


@pytest.mark.parametrize(
    ("flag", "entry", "argument"),
    [
        ("--gradient-view", "gradient_view", "gradient_as_bucket_view"),
        ("--static-graph", "static_graph", "static_graph"),
    ],
)
def test_options_of_the_wrapper_keep_what_mmengine_says_by_itself(flag, entry, argument):
    for cfg in (in_several(config(), flag), in_several(config(speed={entry: True}))):
        assert cfg.model_wrapper_cfg == {**WRAPPER, argument: True}
        assert "custom_hooks" not in cfg
    unused = in_several(config(find_unused_parameters=True), flag).model_wrapper_cfg
    assert unused == {**WRAPPER, "find_unused_parameters": True, argument: True}
    given = {"broadcast_buffers": True, "bucket_cap_mb": 50}
    assert in_several(config(model_wrapper_cfg=given), flag).model_wrapper_cfg == {**given, argument: True}


def test_gradients_in_bf16_need_no_other_wrapper():
    for cfg in (in_several(config(), "--bf16-gradients"), in_several(config(speed={"bf16_gradients": True}))):
        assert cfg.custom_hooks == [BF16_GRADIENTS]
        assert "model_wrapper_cfg" not in cfg


def test_one_process_is_told_that_it_sends_nothing():
    cfg = config(speed={"gradient_view": True})
    before = config().to_dict()
    (notice,) = apply_speed(cfg, flags("--bf16-gradients"))
    assert notice == (
        "--gradient-view, --bf16-gradients: of no effect in one process; start several with tools/dist_train.sh"
    )
    assert cfg.to_dict() == before


@pytest.mark.parametrize(
    ("given", "other", "line"),
    [
        ("--static-graph --accumulate 4", {}, r"--static-graph: found 4 batches a step .*expected one of the two"),
        (
            "--static-graph",
            {"optim_wrapper": {"accumulative_counts": 2}},
            r"--static-graph: found 2 batches a step of the optimizer \(--accumulate\)",
        ),
        (
            "--gradient-view --bf16-gradients",
            {"model_wrapper_cfg": {"type": "mmengine.MMFullyShardedDataParallel"}},
            r"--gradient-view, --bf16-gradients: found model_wrapper_cfg of type MMFullySharded.*, expected MMDistrib",
        ),
    ],
)
def test_what_several_processes_cannot_have_is_told(given, other, line):
    with pytest.raises(ConfigError, match=line):
        apply_speed(config(**other), flags(*given.split(), "--launcher", "pytorch"))


def test_fast_is_the_base_of_the_same_name(project_root):
    assert Config.fromfile(project_root / "configs/_base_/runtime/fast.py").to_dict() == {"speed": FAST}
    by_flag, by_config = config(), config(speed=dict(FAST))
    for cfg, given in ((by_flag, flags("--fast")), (by_config, flags())):
        assert apply_speed(cfg, given) == []
        assert cfg.custom_hooks == [CHANNELS_LAST, KEEP_MEMORY]
        assert cfg.optim_wrapper.optimizer.fused is True
        assert cfg.env_cfg.cudnn_benchmark is True


def test_fast_leaves_an_optimizer_alone_that_has_no_fused_form():
    cfg = config(optim_wrapper={"optimizer": {"type": "RMSprop", "lr": 1e-3}})
    (notice,) = apply_speed(cfg, flags("--fast"))
    assert notice == "fused optimizer: optimizer of type RMSprop has none in torch, so it is used as it is"
    assert "fused" not in cfg.optim_wrapper.optimizer


def test_what_the_user_types_wins():
    cfg = config(speed={"accumulate": 2, "precision": "fp32", "channels_last": True})
    apply_speed(cfg, flags("--accumulate", "8", "--precision", "bf16"))
    assert cfg.optim_wrapper.accumulative_counts == 8
    assert cfg.optim_wrapper.type == "AmpOptimWrapper"
    assert cfg.custom_hooks == [CHANNELS_LAST]


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ({"chanels_last": True}, r"speed\.chanels_last: found no such option\. .*channels_last"),
        ({"compile": "yes"}, r"speed\.compile: found 'yes', expected True or False"),
        ({"precision": "int8"}, r"speed\.precision: found 'int8', expected fp32 or bf16 or fp16"),
        ({"checkpoint_activations": "deep"}, r"found 'deep', expected True, False or 'nested'"),
        ({"accumulate": 0}, r"speed\.accumulate: found 0, expected a whole number of at least 1"),
        ({"accumulate": True}, r"speed\.accumulate: found True"),
        ({"fused_optimizer": "always"}, r"speed\.fused_optimizer: found 'always', expected True, False or 'auto'"),
    ],
)
def test_a_wrong_entry_is_told(entry, line):
    with pytest.raises(ConfigError, match=line):
        apply_speed(config(speed=entry), flags())


def test_a_speed_that_is_no_dict_is_told():
    with pytest.raises(ConfigError, match=r"speed: found 'fast', expected a dict"):
        apply_speed(config(speed="fast"), flags())


@pytest.mark.parametrize(
    ("given", "other", "line"),
    [
        ("--precision fp16", {}, r"--precision fp16: found no GPU, expected bf16 or fp32 on a CPU"),
        ("--cuda-graphs", {}, r"--cuda-graphs: found no GPU, expected a CUDA device"),
        ("--compile --checkpoint-activations", {}, r"--compile: found model\.backbone\.with_cp, .*one of the two"),
        ("--accumulate 0", {}, r"speed\.accumulate: found 0"),
        ("--checkpoint-activations", {"model": {"type": "YOLO"}}, r"speed\.checkpoint_activations: found YOLO without"),
        (
            "--fused-optimizer",
            {"optim_wrapper": {"optimizer": {"type": "Lamb"}}},
            r"--fused-optimizer: found optimizer of type Lamb, expected Adam or AdamW or SGD or Adagrad",
        ),
        ("--fused-optimizer", {"optim_wrapper": {"constructor": "Own"}}, r"found no optim_wrapper\.optimizer"),
        ("--precision bf16", {"optim_wrapper": {"type": "OwnWrapper"}}, r"found optim_wrapper of type OwnWrapper"),
        ("--fast", {"optim_wrapper": None}, r"optim_wrapper: found nothing, expected an optimizer"),
        ("--accumulate 2", {"optim_wrapper": {}}, r"optim_wrapper: found nothing, expected an optimizer"),
    ],
)
def test_what_cannot_be_had_is_told(given, other, line, monkeypatch):
    monkeypatch.setattr(mmengine.device, "get_device", lambda: "cpu")
    with pytest.raises(ConfigError, match=line):
        apply_speed(config(**other), flags(*given.split()))


def test_compile_without_a_compiler_names_the_command(monkeypatch):
    monkeypatch.setattr(mmengine.device, "get_device", lambda: "cpu")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingDependency, match=r"apt install g\+\+.*train without --compile"):
        apply_speed(config(), flags("--compile"))


def test_a_training_runs_with_all_that_a_cpu_has(hrnet, data, pose_config):
    outcome = hrnet(
        "train", pose_config, "--data-root", data, "--work-dir", "run", "--fast", "--precision", "bf16",
        "--checkpoint-activations", "--accumulate", "2",
    )  # fmt: skip
    assert outcome.status == 0, outcome.err
    written = Config.fromfile(f"run/{pose_config.name}")
    assert written.model.backbone.with_cp is True
    assert written.optim_wrapper.accumulative_counts == 2
    assert written.optim_wrapper.optimizer.fused is True
    assert written.optim_wrapper.type == "AmpOptimWrapper"
