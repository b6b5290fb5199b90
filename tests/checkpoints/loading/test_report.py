"""A report is a few lines, and says what is different."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.checkpoints.loading.adaptation import Mismatch
from hrnet_plugin.checkpoints.loading.report import Filled, LoadReport, grouped, percent


def report(**found: object) -> LoadReport:
    """One of a network of a thousand keys."""
    return LoadReport("a.pth", Filled(990, 1000, 2_500_000, 3_000_000), **found)


def test_a_network_that_is_filled_needs_one_line():
    whole = LoadReport("a.pth", Filled(10, 10, 28_540_000, 28_540_000))
    assert whole.is_plain
    assert whole.lines() == ["weights of a.pth: 100.0 % of 28.54 M parameters, 10 of 10 keys"]
    assert whole.first_mismatch == ""


def test_thousands_of_keys_are_told_in_a_few_lines():
    keys = tuple(f"backbone.stage{stage}.{part}.conv.weight" for stage in range(40) for part in range(50))
    heads = tuple(Mismatch(f"head.{part}.weight", (19, 4), (5, 4)) for part in range(30))
    told = report(
        adapted=(Mismatch("conv1.weight", (64, 3, 3, 3), (64, 1, 3, 3)),),
        new_outputs=heads, missing=keys, mismatched=heads, unused={"a reason": keys}, unexpected=keys,
        other_outputs="same keys, other outputs",
    )  # fmt: skip
    lines = told.lines()
    assert len(lines) == 8
    assert max(map(len, lines)) < 250
    assert lines[0] == "weights of a.pth: 83.3 % of 3.00 M parameters, 990 of 1000 keys"
    assert lines[1] == "adapted: conv1.weight from 3 to 1 channels"
    assert lines[2].endswith("head.0 (19, here 5), head.1 (19, here 5), head.2 (19, here 5), head.3 (19, here 5), "
                             "and 26 layers more")  # fmt: skip
    assert "2000 keys: " in lines[3]
    assert not told.is_plain
    assert told.text() == "\n  ".join(lines)


@pytest.mark.parametrize(
    "found",
    [
        {"missing": ("a.weight",)},
        {"unexpected": ("a.weight",)},
        {"mismatched": (Mismatch("a.weight", (1,), (2,)),)},
        {"adapted": (Mismatch("a.weight", (1, 3), (1, 4)),)},
        {"new_outputs": (Mismatch("a.weight", (1,), (2,)),)},
        {"other_outputs": "other"},
    ],
)
def test_each_difference_has_its_line(found):
    assert not report(**found).is_plain
    assert len(report(**found).lines()) == 2


def test_too_little_says_what_the_checkpoint_holds():
    little = LoadReport("a.pth", Filled(4, 10, 1, 10), described="an HRNet of widths 1, 2")
    assert little.lines()[1] == "the checkpoint holds an HRNet of widths 1, 2"


@pytest.mark.parametrize(("share", "text"), [(1, "100.0 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0, "0.0 %")])
def test_only_the_whole_is_a_hundred_percent(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["fc.weight", "fc.bias"], "2 keys: fc"),
        (["fc.weight"], "1 key: fc"),
        (["scale"], "1 key: scale"),
        (["a.0.w", "a.1.w", "b.w"], "3 keys: a.0 (1), a.1 (1), b (1)"),
        ([f"head.{n}.w" for n in range(9)], "9 keys: head"),
        ([f"{n}.w" for n in range(5)], "5 keys: 0 (1), 1 (1), 2 (1), 3 (1), and 1 part more"),
        ([f"{n}.w" for n in range(9)], "9 keys: 0 (1), 1 (1), 2 (1), 3 (1), and 5 parts more"),
        ([f"backbone.stage4.2.fuse_layers.{n}.0.w" for n in (1, 2)],
         "2 keys: backbone.stage4.2.fuse_layers.1 (1), backbone.stage4.2.fuse_layers.2 (1)"),
    ],
)  # fmt: skip
def test_keys_are_grouped_by_what_they_are_of(keys, text):
    assert grouped(keys) == text


def test_it_is_plain_values_too():
    plain = json.loads(json.dumps(report(missing=("a",), unused={"why": ("b",)}).to_plain()))
    assert plain["missing"] == ["a"]
    assert plain["unused"] == {"why": ["b"]}
    assert plain["filled"]["share"] == pytest.approx(2.5 / 3)
