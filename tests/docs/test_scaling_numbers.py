"""The numbers of `scaling.md` follow from what was measured and counted, and from its formula."""

from __future__ import annotations

import json
import math
from pathlib import Path

import explained_numbers
import pytest
import scaling_numbers
from measured_gradients import ALONE, WAYS
from scaling_model import BUCKET, Link, Training, all_reduce_seconds, efficiency, exposed_seconds, norm_seconds

SLOW = Link("slow", 1, 1e-3)
#: Bytes a second, as the formula takes them.
SPEED = 0.8e9 / 8


@pytest.fixture(scope="module")
def computed() -> tuple[dict, dict]:
    """Values and tables, computed anew."""
    return scaling_numbers.compute()


@pytest.fixture
def page(docs: Path) -> str:
    """The text of the page."""
    return (docs / scaling_numbers.PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def measured(docs: Path) -> dict:
    """What `measure_scaling.py` wrote."""
    return json.loads((docs / "scaling.json").read_text(encoding="utf-8"))


def test_the_page_holds_the_computed_numbers(page, computed):
    assert explained_numbers.fill(page, *computed) == page
    assert explained_numbers.fill(page.replace("| 28,536,113 |", "| 28,536,114 |"), *computed) == page
    assert "28,536,113" in page


def test_every_number_is_used(page, computed):
    values, tables = computed
    assert {name for name in values if f"<!--{name}-->" not in page} == set()
    assert {name for name in tables if f"<!-- numbers: {name} -->" not in page} == set()


def test_rows_of_the_page_are_the_assumed_rates(page):
    for _, rates in scaling_numbers.RATES.values():
        assert all(f"\n| {rate} | " in page for rate in rates)


def test_counted_norms_are_those_of_the_network():
    from mmengine.registry import MODELS, DefaultScope
    from torch.nn import SyncBatchNorm

    import hrnet_plugin.models  # noqa: F401
    from hrnet_plugin.config_files import find_config, load_config
    from hrnet_plugin.zoo.forward import model_config

    for name in scaling_numbers.NETWORKS:
        cfg = load_config(find_config(name))
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            model = MODELS.build(model_config(cfg))
        found = sum(isinstance(layer, SyncBatchNorm) for layer in model.modules())
        assert found == scaling_numbers.SYNCHRONISED.get(name, 0), name


def test_what_was_sent_is_the_gradients(measured):
    for link in measured["gradients"]["links"]:
        sent = link["sent"]
        assert sent[ALONE] < 2000
        for name, (_, in_bf16) in WAYS.items():  # two processes send each byte once
            assert sent[name] == pytest.approx(28_536_113 * (2 if in_bf16 else 4), rel=0.01), name
        assert {len(seconds) for seconds in link["seconds"].values()} == {measured["gradients"]["turns"]}


def test_gradients_are_held_once_or_twice(measured):
    held = measured["gradients"]["held"]
    for name, (arguments, _) in WAYS.items():
        times = 1 if arguments.get("gradient_as_bucket_view") else 2
        assert held[name] == pytest.approx(times * 4 * 28_536_113, rel=1e-3), name
    assert held[ALONE] == pytest.approx(4 * 28_536_113, rel=1e-3)


def test_a_ring_sends_nearly_twice_its_bytes():
    assert all_reduce_seconds(1e8, 2, SLOW) == pytest.approx(1e8 / SPEED + 2e-3)
    assert all_reduce_seconds(1e8, 64, SLOW) == pytest.approx(2 * 63 / 64 * 1e8 / SPEED + 126e-3)


def test_what_travels_in_the_backward_pass_is_not_waited_for():
    training = Training(BUCKET)  # four buckets
    assert exposed_seconds(training, 1e6, 8, SLOW) == all_reduce_seconds(BUCKET, 8, SLOW)
    everything = all_reduce_seconds(4 * BUCKET, 8, SLOW) + 3 * 14e-3
    assert exposed_seconds(training, 0.3, 8, SLOW) == pytest.approx(everything - 0.2)
    assert exposed_seconds(Training(BUCKET, sent=2), 1e6, 8, SLOW) == all_reduce_seconds(BUCKET / 2, 8, SLOW)
    assert exposed_seconds(Training(1000), 1e6, 8, SLOW) == pytest.approx(all_reduce_seconds(4000, 8, SLOW))


def test_norms_wait_for_messages_alone():
    assert norm_seconds(Training(0, synchronised_norms=306), 8, SLOW) == pytest.approx(306 * 2 * 6e-3)
    assert norm_seconds(Training(10**9), 8, SLOW) == 0


def test_efficiency_falls_with_processes_and_rises_with_the_link():
    training = Training(25_000_000)
    shares = [efficiency(training, 0.5, processes, SLOW) for processes in (2, 8, 64)]
    assert shares == sorted(shares, reverse=True)
    assert efficiency(training, 0.5, 64, Link("fast", 100, 1e-6)) > shares[-1]
    assert math.isclose(efficiency(Training(0), 1.0, 2, Link("none", 1, 0.0)), 1.0)


def test_numbers_of_ones_own(capsys):
    scaling_numbers.main(["--config", "hrnet_w32_coco", "--seconds", "0.5", "--gigabits", "100", "--processes", "8"])
    fp32, bf16 = capsys.readouterr().out.splitlines()
    assert fp32.startswith("fp32 gradients: 114.1 MB, joined in 0.020 s, efficiency 99 %")
    assert bf16.startswith("bf16 gradients: 57.1 MB, joined in 0.010 s")
    with pytest.raises(SystemExit):
        scaling_numbers.main(["--config", "hrnet_w32_coco"])


def test_a_config_that_is_not_there_is_said_in_a_line(capsys):
    with pytest.raises(SystemExit) as ended:
        scaling_numbers.main(["--config", "nope", "--seconds", "0.5", "--gigabits", "100"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: config 'nope': found no such file")
