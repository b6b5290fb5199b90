"""The random generators go on where they were, through a checkpoint that a safe load accepts."""

from __future__ import annotations

import random

import numpy as np
import torch

from hrnet_plugin.checkpoints.random_streams import capture_random_streams, restore_random_streams


def draw() -> list[float]:
    return [random.random(), random.gauss(0, 1), *np.random.rand(2), np.random.randn(), *torch.rand(2).tolist()]


def test_streams_go_on_after_a_safe_load(tmp_path):
    draw()  # an odd number of normal draws: numpy and random then keep the second of the pair
    torch.save(capture_random_streams(), tmp_path / "streams.pth")
    expected = draw()

    assert draw() != expected
    restore_random_streams(torch.load(tmp_path / "streams.pth", weights_only=True))
    assert draw() == expected
