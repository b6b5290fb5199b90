"""The flow shows every branch before and after each fusion, in our networks and in the frameworks' own."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from torch import nn

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.inspection import flow_sheet
from hrnet_plugin.inspection.feature_flow import OUTPUT, FlowCell, capture_flow, flow_columns
from hrnet_plugin.inspection.flow_sheet import as_npz, choose_channels, draw_flow_sheet, mean_activation


def flow(network: nn.Module, **options: bool) -> list[FlowCell]:
    torch.manual_seed(0)
    network.eval()
    image = torch.randn(2, 3, 64, 96)
    return capture_flow(network, flow_columns(network, **options), lambda: network(image))


@pytest.fixture(scope="module")
def network() -> HRNet:
    return HRNet("w18_small_v1")


@pytest.fixture(scope="module")
def cells(network) -> list[FlowCell]:
    return flow(network)


def test_every_branch_before_and_after_every_fusion(cells):
    found = [(cell.column, cell.branch) for cell in cells]
    wanted = [("stem", 0), ("stage 1", 0)]
    for stage in (2, 3, 4):
        for step in ("before", "after"):
            wanted += [(f"stage {stage}, {step} fusion", branch) for branch in range(stage)]
    assert found == wanted + [(OUTPUT, branch) for branch in range(4)]


def test_values_are_those_of_the_image_asked_for(network):
    image = torch.randn(2, 3, 64, 96)
    network.eval()
    cells = capture_flow(network, flow_columns(network), lambda: network(image), image=1)
    with torch.no_grad():
        outputs = network(image)
        stem = network._stem(image)
    after = [cell for cell in cells if cell.column == "stage 4, after fusion"]
    for cell, output in zip(after, outputs, strict=True):
        assert np.array_equal(cell.values, output[1].numpy())
    assert np.array_equal(cells[0].values, stem[1].numpy())


def test_all_modules_gives_a_column_for_each(network):
    short, long = flow_columns(HRNet("w18_small_v2")), flow_columns(HRNet("w18_small_v2"), all_modules=True)
    titles = [column.title for column in long]
    assert "stage 3, module 1, before fusion" in titles
    assert "stage 3, module 3, after fusion" in titles
    assert len(long) - len(short) == 2 * (2 + 1)


@pytest.mark.parametrize("arch", ["litehrnet_18", "litehrnet_wider_naive"])
def test_lite_networks_have_all_branches_too(arch):
    cells = flow(LiteHRNet(arch))
    last = [cell for cell in cells if cell.column.startswith("stage 2,")]
    steps = {cell.column.rpartition(", ")[2] for cell in last}
    assert steps == {"before fusion", "after fusion"}
    wide = len({cell.branch for cell in last})
    assert len(last) == 2 * wide
    assert wide >= 3


def test_the_frameworks_own_network_flows_the_same(network):
    from mmpose.models.backbones import HRNet as Theirs

    one = {"num_modules": 1, "block": "BASIC"}
    widths = (16, 32, 64, 128)
    stages = {
        f"stage{number}": {**one, "num_branches": number, "num_blocks": (2,) * number, "num_channels": widths[:number]}
        for number in (2, 3, 4)
    }
    first = {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": (1,), "num_channels": (32,)}
    stages["stage4"]["multiscale_output"] = True
    theirs = Theirs({"stage1": first, **stages})
    theirs.load_state_dict(network.state_dict())
    ours, other = flow(network), flow(theirs)
    assert [(cell.column, cell.branch) for cell in ours] == [(cell.column, cell.branch) for cell in other]
    for mine, yours in zip(ours, other, strict=True):
        assert np.allclose(mine.values, yours.values, atol=1e-5), mine.column


def test_a_network_that_is_no_hrnet_shows_its_output():
    cells = flow(nn.Sequential(nn.Conv2d(3, 8, 3, stride=2)))
    assert [cell.column for cell in cells] == [OUTPUT]


def test_statistics_by_hand():
    values = np.stack([np.zeros((2, 2)), np.array([[0, 1], [2, 3]])]).astype(np.float32)
    found = FlowCell("x", 0, "x", None, values).statistics()
    assert found["mean"] == pytest.approx(0.75)
    assert (found["min"], found["max"]) == (0, 3)
    assert found["zeros"] == pytest.approx(5 / 8)
    assert found["constant_channels"] == pytest.approx(0.5)


def test_chosen_channels_vary_most_or_are_those_asked_for():
    values = np.zeros((4, 2, 2), np.float32)
    values[2, 0, 0], values[1, 0, 0] = 9, 4
    cell = FlowCell("x", 0, "x", None, values)
    assert choose_channels(cell, 2) == [2, 1]
    assert choose_channels(cell, 2, wanted=(3, 7)) == [3]
    assert mean_activation(cell)[0, 0] == pytest.approx(13 / 4)
    assert mean_activation(FlowCell(OUTPUT, 0, "x", 0, values))[0, 0] == 9


def test_the_sheet_has_a_tile_for_each_cell(cells):
    picture = np.full((64, 96, 3), 128, np.uint8)
    page = np.asarray(draw_flow_sheet(picture, cells, title="x", tile_width=96).page)
    columns = len({cell.column for cell in cells})
    assert page.shape[1] > columns * 96
    taller = draw_flow_sheet(picture, cells, title="x", tile_width=96, channels=0).page
    assert taller.height < page.shape[0]
    bright = cells[-1].values.copy()
    bright[...] = np.nan
    draw_flow_sheet(picture, [FlowCell("x", 0, "x", None, bright)], title="NaN is drawn, too", tile_width=96)


def test_strides_are_those_of_the_stages(cells, monkeypatch: pytest.MonkeyPatch):
    written = []
    monkeypatch.setattr(flow_sheet.Sheet, "write", lambda self, text, *args, **options: written.append(text) or 0)
    neck = FlowCell("neck", 0, "neck", None, np.zeros((8, 1, 1), np.float32))
    draw_flow_sheet(np.zeros((64, 96, 3), np.uint8), [*cells, neck], title="x", tile_width=96)
    assert [text for text in written if text.startswith("1/")] == ["1/4", "1/8", "1/16", "1/32"]


def test_arrays_come_back_under_the_names_of_modules(cells):
    arrays = np.load(io.BytesIO(as_npz(cells)), allow_pickle=False)
    assert len(arrays.files) == len(cells)
    assert np.array_equal(arrays["stage4.0:3"], next(cell for cell in cells if cell.key == "stage4.0:3").values)
