"""Clipped and accumulated gradients, and options of single parameters."""

from __future__ import annotations

import inspect
import re

import pytest
import torch
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.checks.config.optimizing import PARAMWISE, RULE
from hrnet_plugin.findings import ERROR

POSE, SEG = "quickstart_pose", "quickstart_seg"
COUNT, CLIP = "optim_wrapper.accumulative_counts", "optim_wrapper.clip_grad"
RULES = "optim_wrapper.paramwise_cfg"
KEYS = f"{RULES}.custom_keys"


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (POSE, {COUNT: 0}, "refused-value", COUNT),
        (POSE, {COUNT: "4"}, "refused-value", COUNT),
        (POSE, {CLIP: 5}, "refused-value", CLIP),
        (POSE, {CLIP: {}}, "missing-argument", f"{CLIP}.max_norm"),
        (POSE, {CLIP: {"max_nrom": 1.0}}, "unknown-argument", f"{CLIP}.max_nrom"),
        (POSE, {CLIP: {"max_norm": 1.0, "clip_value": 1.0}}, "unknown-argument", f"{CLIP}.clip_value"),
        (POSE, {CLIP: {"max_norm": None}}, "refused-value", f"{CLIP}.max_norm"),
        (POSE, {CLIP: {"type": "values", "clip_value": 1.0}}, "refused-value", f"{CLIP}.type"),
        (SEG, {CLIP: {"type": "value"}}, "missing-argument", f"{CLIP}.clip_value"),
        (POSE, {"optim_wrapper.optimizer.weight_decay": "(gone)", RULES: {"norm_decay_mult": 0.0}},
         "missing-argument", "optim_wrapper.optimizer.weight_decay"),
        (POSE, {"optim_wrapper.optimizer.weight_decay": "(gone)", KEYS: {"head": {"decay_mult": 0.0}}},
         "missing-argument", "optim_wrapper.optimizer.weight_decay"),
    ],
)  # fmt: skip
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("change", "check", "where"),
    [
        ({CLIP: {"max_norm": 0}}, "refused-value", f"{CLIP}.max_norm"),
        ({RULES: {"norm_decay_mul": 0.0}}, "unknown-argument", f"{RULES}.norm_decay_mul"),
        ({KEYS: {"backbone": {"lr_mul": 0.1}}}, "unknown-argument", f"{KEYS}.backbone.lr_mul"),
        ({KEYS: {"backbone_net": {"lr_mult": 0.1}}}, "learning-rate", f"{KEYS}.backbone_net"),
    ],
)
def test_the_frameworks_say_nothing_of(planted, change, check, where):
    assert planted(POSE, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("change", "where", "meant"),
    [
        ({CLIP: {"max_nrom": 1.0}}, f"{CLIP}.max_nrom", "'max_norm'"),
        ({RULES: {"norm_decay_mul": 0.0}}, f"{RULES}.norm_decay_mul", "'norm_decay_mult'"),
        ({KEYS: {"backbone": {"lr_mul": 0.1}}}, f"{KEYS}.backbone.lr_mul", "'lr_mult'"),
    ],
)
def test_it_says_what_is_meant(planted, change, where, meant):
    assert meant in planted(POSE, change, "unknown-argument", where).do


@pytest.mark.parametrize(
    "change",
    [
        {COUNT: 4, CLIP: {"max_norm": 1, "norm_type": 2, "error_if_nonfinite": True}},
        {CLIP: {"type": "value", "clip_value": 0.5, "foreach": False}},
        {CLIP: None},
        {RULES: {"custom_keys": {"backbone": {"lr_mult": 0.1}, "head.final_layer": {"lr_mult": 2}}}},
        # What else a rule holds is an option of its parameters in the optimizer.
        {
            KEYS: {"head": {"lr": 1e-4, "betas": (0.9, 0.99), "decay_mult": 0}},
            "optim_wrapper.optimizer.weight_decay": 1,
        },
        # Other constructors have options of their own.
        {"optim_wrapper.constructor": "LayerDecayOptimWrapperConstructor", RULES: {"layer_decay_rate": 0.8}},
    ],
)
def test_sound_options(changed, change):
    assert check_config(changed(POSE, change)) == []


def test_options_are_those_that_mmengine_reads():
    source = inspect.getsource(DefaultOptimWrapperConstructor)
    assert set(re.findall(r"paramwise_cfg\.get\(\s*'(\w+)'", source)) == set(PARAMWISE)
    assert set(re.findall(r"custom_keys\[key\]\.get\(\s*'(\w+)'", source)) == set(RULE)


def test_mmengine_stops_where_it_is_said_to():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    for options in ({"accumulative_counts": 0}, {"clip_grad": {}}, {"clip_grad": 5}, {"clip_grad": {"type": "values"}}):
        with pytest.raises((AssertionError, ValueError)):
            OptimWrapper(optimizer, **options)
    config = {"optimizer": {"type": "SGD", "lr": 0.1}}
    with pytest.raises(ValueError, match="base_wd"):
        DefaultOptimWrapperConstructor(config, {"custom_keys": {"head": {"decay_mult": 0.0}}})
