"""What is out of the ordinary is told once; what is ordinary is not."""

from __future__ import annotations

import pytest

from hrnet_plugin.engine.health.alarms import Alarms
from hrnet_plugin.engine.health.vitals import GRADIENT_NORM, GRADIENT_RMS, LARGEST, SHIFT, SPREAD, WHOLE, ZEROS

SOUND = {
    GRADIENT_NORM: {"stem": 2.0, WHOLE: 2.0},
    GRADIENT_RMS: {"stem": 1e-4, "head": 1e-3},
    LARGEST: {"stem": 30.0},
    ZEROS: {"stem": 0.94},
    SHIFT: {"stem": 0.2},
    SPREAD: {"stem": 0.4},
}


@pytest.fixture
def alarms() -> Alarms:
    """After ten sound measurements."""
    alarms = Alarms()
    for number in range(10):
        assert alarms.look(SOUND, 50 * number) == []
    return alarms


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (GRADIENT_RMS, 1e-11, "the gradient of stem has vanished: root mean square 1e-11, below 1e-10, which no"),
        (GRADIENT_RMS, 0.0, "the gradient of stem has vanished: root mean square 0, below 1e-10"),
        (
            GRADIENT_RMS,
            1e-9,
            "the gradient of stem has vanished: root mean square 1e-09, 1e+06 times smaller",
        ),
        (GRADIENT_NORM, 300.0, "the gradient of stem has exploded: norm 300, 150 times the median"),
        (LARGEST, 2e4, "the output of stem has exploded: numbers up to 2e+04, where float16 ends at 6.55e+04"),
        (ZEROS, 1.0, "the output of stem has died: 100 % of it are zeros"),
        (SHIFT, 3.0, "the batch norms of stem drift: the batch's means lie 3 running standard deviations"),
        (SPREAD, 3.0, "the batch norms of stem drift: the batch's variances differ from the running ones by a factor"),
    ],
)
def test_each_kind_is_told_once_for_each_part(alarms, kind, value, words):
    spoiled = {**SOUND, kind: {**SOUND[kind], "stem": value}}
    (told,) = alarms.look(spoiled, 1000)
    assert told.startswith(words)
    assert alarms.look(spoiled, 1050) == []
    (other,) = alarms.look({GRADIENT_RMS: {"head": 0.0, "stem": 1e-4}}, 1100)
    assert "of head has vanished" in other


def test_running_statistics_may_settle_first(alarms):
    young = {SHIFT: {"stem": 3.0}, SPREAD: {"stem": 9.0}}
    assert alarms.look(young, 99) == []
    assert len(alarms.look(young, 100)) == 2


def test_a_first_gradient_is_large_for_nobody():
    alarms = Alarms()
    assert alarms.look({GRADIENT_NORM: {"stem": 1e-3}}, 1) == []
    assert alarms.look({GRADIENT_NORM: {"stem": 1e3}}, 2) == []


def test_a_dead_stage_is_told_in_the_log(tiny, tmp_path):
    def kill(runner) -> None:
        for norm in runner.model.backbone.stage2.modules():
            if isinstance(norm, tiny.nn.BatchNorm2d):
                norm.weight.data.zero_()
                norm.bias.data.fill_(-5)

    probe = tiny.Probe(at=[2], act=kill)
    tiny.train(tmp_path, images=tiny.Images(range(12)), hooks=[probe], health={"interval": 1})
    log = next(tmp_path.glob("*/*.log")).read_text()
    warnings = [line for line in log.splitlines() if "WARNING" in line and "health" in line]
    assert any("iteration 3: the output of stage 2 has died" in line for line in warnings), log
    assert any("iteration 3: the gradient of stem has vanished" in line for line in warnings), log
    assert len({line.partition(": the ")[2][:30] for line in warnings}) == len(warnings)
