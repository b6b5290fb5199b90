"""Profiles: every operator is booked once, on the place that it belongs to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from hrnet_plugin import HRNet
from hrnet_plugin.inspection import profile_views as views
from hrnet_plugin.inspection.breakdown import break_down
from hrnet_plugin.inspection.grouping import by_branch, by_part, grouped
from hrnet_plugin.inspection.places import BRANCH, OTHER, Place
from hrnet_plugin.inspection.profiling import PartTime, Profile, border_modules, profile_network

BATCH, WIDTH, HEIGHT = 2, 96, 64


def training_step(network: nn.Module, batch: int = BATCH):
    images = torch.randn(batch, 3, HEIGHT, WIDTH)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        sum(output.square().mean() for output in network(images)).backward()

    return step


@pytest.fixture(scope="module")
def network() -> HRNet:
    return HRNet("w18_small_v1")


@pytest.fixture(scope="module")
def profile(network, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    torch.set_num_threads(1)
    trace = tmp_path_factory.mktemp("trace") / "t.json"
    found = profile_network(network, training_step(network), steps=1, trace=trace)
    assert json.loads(trace.read_text())["traceEvents"]
    return found


def test_every_part_has_both_passes(profile, network):
    parts = by_part(profile.parts)
    assert list(parts)[:9] == [
        "stem", "stage 1", "transition 1", "stage 2", "transition 2", "stage 3", "transition 3", "stage 4", "elsewhere",
    ]  # fmt: skip
    for name, part in parts.items():
        assert part.backward > 0, name
        assert part.forward > 0 or name == "elsewhere"
    assert profile.step > 0


def test_what_a_branch_keeps_is_its_activation_memory(profile, network):
    counted = grouped(break_down(network, (WIDTH, HEIGHT)).costs, lambda place: _branch_of(place))
    kept = grouped(profile.parts, lambda place: _branch_of(place))
    assert len(counted) == 9
    for branch, cost in counted.items():
        assert kept[branch].kept == pytest.approx(BATCH * cost.activations, rel=0.1), (
            branch
        )  # a map on the border is another's
        assert kept[branch].allocated >= kept[branch].kept


def _branch_of(place: Place) -> tuple[int, int] | None:
    return (place.stage, place.branch) if place.kind == BRANCH else None


def test_nothing_is_counted_twice(network):
    """Parts add up to the ranges of the whole network, also where the backward pass runs parts again."""
    again = HRNet("w18_small_v1", with_cp=True)
    for one in (network, again):
        found = profile_network(one, training_step(one, 1), steps=1)
        assert all(part.forward >= -1e-9 and part.backward >= -1e-9 for part in by_part(found.parts).values())
    kept = sum(part.kept for part in by_branch(found.parts).values())
    assert kept < 0.5 * sum(cost.activations for cost in break_down(again, (WIDTH, HEIGHT)).costs.values())


def test_in_evaluation_there_is_no_backward_pass(network):
    images = torch.randn(1, 3, HEIGHT, WIDTH)

    def step() -> None:
        with torch.inference_mode():
            network(images)

    found = profile_network(network, step, steps=2)
    assert found.total.backward == 0
    assert found.steps == 2
    assert {row[2] for row in views.table_rows(found)} == {"-"}


def test_hooks_come_off_again(network, profile):
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())

    def fails() -> None:
        network(torch.randn(1, 5, 64, 64))

    with pytest.raises(RuntimeError, match="channels"):
        profile_network(network, fails, steps=1)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_borders_are_where_places_change(network):
    borders = list(border_modules(network))
    assert borders[0] == ""
    assert {"layer1", "stage3.0.branches.2", "stage3.0.fuse_layers.0"} <= set(borders)
    assert "stage3.0.branches.2.0" not in borders


def test_views_add_up():
    first, second = Place("stem", OTHER), Place("head", OTHER)
    profile = Profile({first: PartTime(0.001, 0.003, 2**20, 2**19), second: PartTime(0.004)}, 0.01, 3, "cpu")
    rows = list(views.table_rows(profile))
    assert rows[0] == ("stem", "1.00", "3.00", "50.0 %", "1.0", "0.5")
    assert rows[-1][:4] == ("total", "5.00", "3.00", "100.0 %")
    plain = json.loads(json.dumps(views.to_plain(profile)))
    assert plain["total"]["forward_seconds"] == pytest.approx(0.005)
    assert [axes.get_title() for axes in views.plot(profile).axes] == ["forward, ms", "backward, ms", "kept, MiB"]
    assert "10.0 ms a step" in views.build_page(profile, {}).html().decode()


def test_a_trace_goes_where_it_is_asked_for(network, tmp_path: Path):
    profile_network(network, lambda: None, steps=1, trace=tmp_path / "x.json")
    assert (tmp_path / "x.json").stat().st_size > 0
