"""Which keys without a place are expected to have none."""

from __future__ import annotations

import pytest

from hrnet_plugin.checkpoints.loading.unused_keys import (
    CLASSIFIER,
    CONSTANTS,
    LAST_FUSE_LAYERS,
    OTHER_HEAD,
    sort_unused,
)

SINGLE_SCALE = ["conv1.weight", "stage3.0.fuse_layers.1.0.0.0.weight", "stage4.1.fuse_layers.0.1.0.weight"]
POSE = [f"backbone.{key}" for key in SINGLE_SCALE] + ["head.final_layer.weight"]


@pytest.mark.parametrize(
    ("key", "places", "filled", "reason"),
    [
        ("stage4.1.fuse_layers.3.0.0.0.weight", SINGLE_SCALE, SINGLE_SCALE, LAST_FUSE_LAYERS),
        ("backbone.stage4.1.fuse_layers.1.0.0.0.weight", POSE, POSE[:3], LAST_FUSE_LAYERS),
        ("stage4.0.fuse_layers.1.0.0.0.weight", SINGLE_SCALE, SINGLE_SCALE, None),  # not the last module
        ("stage3.0.fuse_layers.2.0.0.0.weight", SINGLE_SCALE, SINGLE_SCALE, None),  # not the last stage
        ("stage4.1.fuse_layers.0.9.0.weight", SINGLE_SCALE, SINGLE_SCALE, None),  # of the scale that is there
        ("incre_modules.0.0.conv1.weight", SINGLE_SCALE, SINGLE_SCALE, CLASSIFIER),
        ("head.0.0.0.conv1.weight", SINGLE_SCALE, SINGLE_SCALE, CLASSIFIER),
        ("backbone.fc.bias", POSE, POSE[:3], CLASSIFIER),
        ("head.fc.weight", POSE, POSE[:3], CLASSIFIER),
        ("neck.downsample_modules.0.0.weight", POSE, POSE[:3], CLASSIFIER),
        ("decode_head.conv_seg.weight", POSE, POSE[:3], OTHER_HEAD),
        ("head.deconv_layers.0.weight", POSE, POSE[:3], OTHER_HEAD),
        ("head.deconv_layers.0.weight", POSE, POSE, None),  # this network's own head, with something more
        ("data_preprocessor.mean", POSE, POSE, CONSTANTS),
        ("layer2.0.conv1.weight", SINGLE_SCALE, SINGLE_SCALE, None),
    ],
)
def test_reasons(key, places, filled, reason):
    assert sort_unused([key], filled, places) == ({} if reason is None else {reason: [key]})
