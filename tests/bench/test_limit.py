"""Every convolution of a network alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hrnet_plugin.analysis.complexity import CONVOLUTION, count_complexity
from hrnet_plugin.bench.limit import ConvolutionTimer, find_convolutions
from hrnet_plugin.bench.networks import build_network, example_images
from hrnet_plugin.bench.subjects import Network


def test_all_convolutions_of_a_network_are_found(tiny_config, tmp_path):
    network = Network(str(tiny_config), size=(64, 64), batch=2)
    model = build_network(network, network, tmp_path)
    found = find_convolutions(model, example_images(network))
    assert sum(one.count for one in found) == sum(isinstance(part, nn.Conv2d) for part in model.modules())
    alone = count_complexity(model, network.size).of_kind(CONVOLUTION)
    assert sum(one.macs for one in found) == 2 * alone.macs > 10**7


def test_padding_in_words_groups_and_strides():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.same = nn.Conv2d(4, 4, 3, padding="same", dilation=2, groups=2)
            self.plain = nn.Conv2d(4, 8, 3, stride=2, padding="valid")

        def forward(self, images):
            return self.plain(self.same(self.same(images)))

    found = find_convolutions(Model(), torch.randn(1, 4, 9, 9))
    assert [(one.count, one.padding, one.macs) for one in found] == [
        (2, (2, 2), 2 * 9 * 9 * 4 * 2 * 9),
        (1, (0, 0), 4 * 4 * 8 * 4 * 9),
    ]
    timer = ConvolutionTimer(found)
    for _ in range(3):
        timer.turn()
    assert len(timer.seconds) == 1
    assert timer.seconds[0] > 0


def test_each_shape_counts_as_often_as_it_occurs(monkeypatch: pytest.MonkeyPatch):
    """With a clock that moves by one at each look, every call takes one second."""
    clock = iter(range(1000))
    monkeypatch.setattr("hrnet_plugin.bench.limit.perf_counter", lambda: next(clock))
    conv = nn.Conv2d(3, 3, 1)
    model = nn.Sequential(conv, conv, nn.Conv2d(3, 5, 1))
    timer = ConvolutionTimer(find_convolutions(model, torch.randn(1, 3, 4, 4)))
    timer.turn()
    timer.turn()
    assert timer.seconds == (3,)
