"""The time of stages and branches."""

from __future__ import annotations

from dataclasses import replace

from hrnet_plugin.bench.networks import build_network, example_images
from hrnet_plugin.bench.stages import time_parts
from hrnet_plugin.bench.subjects import Network

PARTS = [
    "stem and transitions",
    "stage 1",
    *("stage 2 branch 1", "stage 2 branch 2", "stage 2 fusion"),
    *("stage 3 branch 1", "stage 3 branch 2", "stage 3 branch 3", "stage 3 fusion"),
    *("stage 4 branch 1", "stage 4 branch 2", "stage 4 branch 3", "stage 4 branch 4", "stage 4 fusion"),
    "neck and head",
    "whole",
]


def test_parts_of_ours_and_mmpose_s(tiny_config, tmp_path):
    ours = Network(str(tiny_config), size=(64, 64))
    for network in (ours, replace(ours, framework="mmpose")):
        model = build_network(network, ours, tmp_path)
        parts = time_parts(model, example_images(network), 3)
        assert list(parts) == PARTS
        assert all(seconds > 0 for seconds in parts.values())
        assert parts["whole"] == max(parts.values())
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
