"""Results to JSON and back, and what is read from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hrnet_plugin.bench.results import TargetLine, read_report, write_report
from hrnet_plugin.bench.statistics import Interval
from hrnet_plugin.errors import DataError


def test_round_trip(report, tmp_path):
    line = TargetLine("a", "b", "c", 2.0, False, Interval(1, 0.5, 2), "x", "d")
    full = replace(report, targets=(line, replace(line, measured=None, bound=None)), remarks=("busy",))
    write_report(full, tmp_path / "results.json")
    assert read_report(tmp_path / "results.json") == full


def test_speed_up_and_share_of_the_limit(run):
    fast = run.find("openvino fp32")
    assert run.speed_up(fast).low == pytest.approx(2.2)
    assert run.speed_up(fast).high == pytest.approx(2.5)
    assert run.share_of_limit(fast).high == pytest.approx(0.75)
    assert run.share_of_limit(run.baseline_of(fast)).high == pytest.approx(0.3)


def test_throughput_and_arithmetic(run):
    fast = run.find("openvino fp32")
    assert fast.throughput.high == pytest.approx(25)
    assert fast.achieved.high == pytest.approx(2 * 2e9 / 0.04)


def test_a_batch_is_compared_image_by_image(run):
    """Where no baseline of the same images was measured."""
    fast = run.find("openvino fp32")
    network = replace(fast.subject.network, batch=8)
    batch = replace(fast, subject=replace(fast.subject, network=network), times=((0.4,) * 3, (0.44,) * 3))
    assert run.speed_up(batch).median == pytest.approx(2.0)


def test_what_was_refused_is_not_found(run):
    assert run.find("ncnn fp32") is None
    assert [one.subject.name for one in run.timed] == ["mmpose eager", "openvino fp32", "torch fp32"]


def _spoil(text: str, kind: str) -> str:
    whole = json.loads(text)
    if kind == "unknown field":
        whole["speed"] = 1
    elif kind == "missing field":
        del whole["machine"]["cpu"]
    elif kind == "other kind":
        whole["runs"][0]["turns"] = "many"
    return text[:-30] if kind == "cut" else json.dumps(whole)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", "broken JSON"),
        ("unknown field", "an unknown field 'speed'"),
        ("missing field", "machine: found no field 'cpu'"),
        ("other kind", "turns: found 'many', expected a value of kind int"),
    ],
)
def test_a_broken_file_is_told_in_one_line(report, tmp_path, kind, words):
    path = tmp_path / "results.json"
    write_report(report, path)
    path.write_text(_spoil(path.read_text(), kind))
    with pytest.raises(DataError, match=words) as error:
        read_report(path)
    assert "\n" not in str(error.value)
    assert "results.json" in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_report(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("bound", "at_most", "measured", "met"),
    [(2.0, False, 2.0, True), (2.0, False, 1.9, False), (45, True, 44, True), (45, True, 46, False)],
)
def test_whether_a_target_is_met(bound, at_most, measured, met):
    line = TargetLine("row", "what", "target", bound, at_most, Interval(measured, 0, 99))
    assert line.is_met is met


def test_nothing_is_met_without_a_number():
    assert TargetLine("row", "what", "target", 2.0).is_met is None
    assert TargetLine("row", "what", "reported", measured=Interval(1, 1, 1)).is_met is None
