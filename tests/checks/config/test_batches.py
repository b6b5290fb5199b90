"""Loaders, samplers, and norms of few samples."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
TRAIN, VAL = "train_dataloader", "val_dataloader"


@pytest.mark.parametrize(
    ("base", "change", "check", "where"),
    [
        (SEG, {f"{TRAIN}.samples_per_gpu": 4}, "unknown-argument", f"{TRAIN}.samples_per_gpu"),
        (POSE, {f"{TRAIN}.numworkers": 4}, "unknown-argument", f"{TRAIN}.numworkers"),
        (POSE, {f"{TRAIN}.persistent_workers": True}, "data-loader", f"{TRAIN}.persistent_workers"),
        (POSE, {f"{TRAIN}.prefetch_factor": 2}, "data-loader", f"{TRAIN}.prefetch_factor"),
        (POSE, {f"{TRAIN}.batch_size": 0}, "data-loader", f"{TRAIN}.batch_size"),
        (POSE, {f"{TRAIN}.batch_size": -4}, "data-loader", f"{TRAIN}.batch_size"),
        (POSE, {f"{TRAIN}.num_workers": -1}, "data-loader", f"{TRAIN}.num_workers"),
        (SEG, {f"{VAL}.num_workers": "2"}, "data-loader", f"{VAL}.num_workers"),
    ],
)
def test_the_frameworks_stop_at(planted, base, change, check, where):
    assert planted(base, change, check, where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "check", "where", "level"),
    [
        (POSE, {f"{TRAIN}.sampler.type": "InfiniteSampler"}, "data-loader", f"{TRAIN}.sampler.type", ERROR),
        (SEG, {f"{VAL}.sampler": {"type": "InfiniteSampler"}}, "data-loader", f"{VAL}.sampler.type", ERROR),
        (POSE, {f"{TRAIN}.sampler": "(gone)"}, "missing-argument", f"{TRAIN}.sampler", ERROR),
        (POSE, {f"{VAL}.sampler": "(gone)"}, "missing-argument", f"{VAL}.sampler", NOTE),
        (POSE, {f"{TRAIN}.sampler.shuffle": False}, "data-loader", f"{TRAIN}.sampler.shuffle", NOTE),
        (POSE, {f"{TRAIN}.batch_size": 1}, "batch-size", f"{TRAIN}.batch_size", NOTE),
        (POSE, {"auto_scale_lr": {"base_batch_size": 512}}, "batch-size", f"{TRAIN}.batch_size", NOTE),
        (
            SEG,
            {f"{TRAIN}.batch_size": 2, "model.backbone.norm_cfg": {"type": "SyncBN"}},
            "batch-size",
            f"{TRAIN}.batch_size",
            NOTE,
        ),
    ],
)
def test_the_frameworks_say_nothing_of(planted, base, change, check, where, level):
    assert planted(base, change, check, where).level == level


def test_images_of_different_sizes_in_one_batch(planted):
    steps = [{"type": "LoadImageFromFile"}, {"type": "Resize", "scale": (128, 128), "keep_ratio": True},
             {"type": "LoadAnnotations"}, {"type": "PackSegInputs"}]  # fmt: skip
    finding = planted(SEG, {f"{VAL}.dataset.pipeline": steps}, "data-loader", f"{VAL}.batch_size")
    assert finding.level == NOTE


def test_what_the_learning_rate_is_made_for(planted, changed):
    change = {"auto_scale_lr": {"base_batch_size": 128}}
    finding = planted(POSE, change, "batch-size", f"{TRAIN}.batch_size")
    assert finding.found == "32, where the learning rate is made for 4 processes of 32"
    assert check_config(changed(POSE, {"auto_scale_lr": {"base_batch_size": 128, "enable": True}})) == []
    assert check_config(changed(POSE, {"auto_scale_lr": {"base_batch_size": 32}})) == []


def test_norms_without_statistics_of_a_batch_may_be_given_one_image(changed):
    change = {f"{TRAIN}.batch_size": 1, "model.backbone.norm_cfg": {"type": "GN", "num_groups": 4}}
    assert check_config(changed(POSE, change)) == []
