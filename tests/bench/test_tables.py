"""Tables are complete, and show ratios first."""

from __future__ import annotations

from dataclasses import replace

from hrnet_plugin.bench.results import Measured, TargetLine
from hrnet_plugin.bench.statistics import Interval
from hrnet_plugin.bench.tables import (
    as_markdown,
    memory_table,
    parts_table,
    ratios_table,
    refusals,
    targets_table,
    times_table,
    values_table,
)


def _cells(table: str) -> list[list[str]]:
    lines = table.strip().splitlines()
    assert set(lines[1]) <= set("| -")
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


def test_ratios(run):
    header, *rows = _cells(ratios_table(run))
    assert header == ["subject", "times faster", "share of the fp32 limit", "largest difference"]
    assert rows[0][:3] == ["mmpose eager", "1", "29 % (27 to 30)"]
    assert rows[1] == ["openvino fp32", "2.35 (2.20 to 2.50)", "68 % (60 to 75)", "1e-06"]
    assert len(rows) == 3


def test_memory_in_three_senses(run):
    assert memory_table(run) == ""
    first, *others = run.measured
    step = replace(first, memory=3 * 2**20, gradient_memory=2 * 2**20, tensor_memory=2**20)
    header, *rows = _cells(memory_table(replace(run, measured=(step, *others))))
    assert len(header) == 4
    assert rows == [["mmpose eager", "2", "3", "1"]]


def test_times(run):
    header, *rows = _cells(times_table(run))
    found = dict(zip(header, rows[1], strict=True))
    assert found == {
        "subject": "openvino fp32",
        "images (width x height)": "1 of 192x256",
        "ms": "45.0 (40.0 to 50.0)",
        "images/s": "22.5",
        "peak MiB": "512",
        "parameters (M)": "0.00",
        "GMACs": "2.000",
        "GFLOP/s": "90",
    }
    assert rows[-1][0] == "limit: the convolutions alone"
    assert rows[-1][2] == "30.0 (30.0 to 30.0)"
    assert rows[-1][-1] == "133"


def test_what_was_left_out_is_told(run):
    assert refusals(run) == ["ncnn fp32: not measured: ncnn: not installed"]


def test_targets_side_by_side(report):
    lines = (
        TargetLine("a", "fast", "2 times", 2.0, False, Interval(2.5, 2.4, 2.6), "x", "openvino"),
        TargetLine("a", "small", "at most 45 %", 45, True, Interval(50, 50, 50), " %"),
        TargetLine("b", "kept", "at most 0.01", 0.01, True, None, "", "give --checkpoint"),
        TargetLine("c", "others", "reported", None, False, Interval(3, 3, 3), " ms"),
    )
    _, *rows = _cells(targets_table(replace(report, targets=lines)))
    assert rows == [
        ["fast", "2 times", "2.50x (2.40 to 2.60); openvino", "yes"],
        ["small", "at most 45 %", "50.0 % (50.0 to 50.0)", "no"],
        ["kept", "at most 0.01", "not measured: give --checkpoint", "not measured"],
        ["others", "reported", "3.0 ms (3.0 to 3.0)", ""],
    ]


def test_parts_and_values(run):
    assert _cells(parts_table(run)) == [["part", "torch fp32, ms"], ["stage 1", "10.0"]]
    assert values_table(run) == ""
    one = run.measured[1]
    with_values = replace(run, measured=(run.measured[0], Measured(one.subject, values={"AP": 0.5})))
    assert _cells(values_table(with_values)) == [["subject", "AP"], ["openvino fp32", "0.5"]]


def test_a_bar_in_a_cell_stays_in_the_cell():
    assert as_markdown(["a"], [["b|c"]]).endswith("| b\\|c |\n")
