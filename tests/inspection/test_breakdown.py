"""The breakdown adds up to the whole exactly, and says what is known of HRNet's branches."""

from __future__ import annotations

import json
import re

import pytest
from torch import nn

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.analysis.activation_memory import count_activation_memory
from hrnet_plugin.analysis.complexity import count_complexity
from hrnet_plugin.inspection import breakdown_views as views
from hrnet_plugin.inspection.breakdown import Breakdown, break_down
from hrnet_plugin.inspection.grouping import REST, by_branch, by_part, grouped
from hrnet_plugin.inspection.places import BRANCH, FUSE
from hrnet_plugin.reports.page import figure_png

SIZE = (96, 64)


@pytest.fixture(scope="module")
def network() -> HRNet:
    return HRNet("w18_small_v2")


@pytest.fixture(scope="module")
def breakdown(network) -> Breakdown:
    return break_down(network, SIZE)


@pytest.mark.parametrize("build", [lambda: HRNet("w18_small_v1"), lambda: LiteHRNet("litehrnet_18")])
def test_sums_equal_the_whole_exactly(build):
    network = build()
    found = break_down(network, SIZE)
    whole = count_complexity(network, SIZE)
    assert found.total.parameters == whole.parameters == sum(value.numel() for value in network.parameters())
    assert found.total.macs == whole.macs > 0
    assert found.total.activations == sum(count_activation_memory(network, SIZE).values()) > 0
    for groups in (by_part(found.costs), grouped(found.costs, lambda place: (place.part, place.module, place.branch))):
        assert sum(cost.macs for cost in groups.values()) == whole.macs
        assert sum(cost.parameters for cost in groups.values()) == whole.parameters


def test_a_branch_is_what_its_modules_are(network, breakdown):
    for index in range(4):
        modules = [
            branch
            for stage in (network.stage2, network.stage3, network.stage4)
            for module in stage
            for branch in module.branches[index : index + 1]
        ]
        own = sum(value.numel() for module in modules for value in module.parameters())
        own += sum(value.numel() for value in network.layer1.parameters()) if index == 0 else 0
        assert by_branch(breakdown.costs)[f"branch {index + 1}"].parameters == own > 0
    fuse = [module.fuse_layers for stage in (network.stage2, network.stage3, network.stage4) for module in stage]
    assert by_branch(breakdown.costs)["fusion"].parameters == sum(
        value.numel() for layers in fuse for value in layers.parameters()
    )


def test_every_branch_of_a_stage_costs_the_same_macs_as_widths_double_and_pixels_quarter(breakdown):
    stage = grouped(breakdown.costs, lambda place: place.branch if place.kind == BRANCH and place.stage == 4 else None)
    assert len({cost.macs for cost in stage.values()}) == 1
    activations = [stage[index].activations for index in range(4)]
    assert activations == sorted(activations, reverse=True)


def test_the_table_ends_with_the_sum_of_its_parts(breakdown):
    rows = list(views.table_rows(breakdown))
    assert {len(row) for row in rows} == {len(views.HEAD)}
    amounts = [int(row[1].replace(",", "")) for row in rows if not row[0].startswith(" ")]
    assert sum(amounts[:-1]) == amounts[-1] == breakdown.total.parameters
    labels = [row[0] for row in rows]
    assert labels[0] == "stem"
    assert labels[labels.index("stage 3") + 1 : labels.index("transition 3")] == [
        "  branch 1", "  branch 2", "  branch 3", "  fusion",
    ]  # fmt: skip
    shares = [float(row[2].rstrip(" %")) for row in views.branch_rows(breakdown)]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_with_modules_each_fuse_layer_has_its_row(network, breakdown):
    labels = [row[0].strip() for row in views.table_rows(breakdown, modules=True)]
    wanted = [f"module {index + 1}, fusion into branch 3" for index in range(len(network.stage3))]
    assert set(wanted) <= set(labels)


def test_plain_values_add_up_too(breakdown):
    plain = json.loads(json.dumps(views.to_plain(breakdown)))
    for unit in ("parameters", "macs", "activation_bytes"):
        assert sum(place[unit] for place in plain["places"]) == plain["total"][unit]
        assert sum(part[unit] for part in plain["parts"].values()) == plain["total"][unit]
    assert sum(place["kind"] == FUSE for place in plain["places"]) > 10


def test_plot_and_page(breakdown):
    assert figure_png(views.plot(breakdown), dpi=40).startswith(b"\x89PNG")
    labels = [axes.get_title() for axes in views.plot(breakdown).axes]
    assert labels == ["parameters, 10^6", "MACs, 10^9", "activations, MiB"]
    html = views.build_page(breakdown, {"config": "x"}).html().decode()
    assert "stage 4" in html
    assert len(re.findall("data:image/png", html)) == 1


def test_a_network_that_is_no_hrnet_is_one_part():
    found = break_down(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU()), SIZE)
    assert list(by_part(found.costs)) == ["other"]
    assert list(by_branch(found.costs)) == [REST]
    assert list(views.branch_rows(found))[-1][2] == "100.0 %"
