"""Plots are drawn of what there is."""

from __future__ import annotations

from dataclasses import replace

import cv2

from hrnet_plugin.bench.plots import PUBLISHED_AP, draw_plots, plot_files


def _sized(one, pixels: int, **values: float):
    network = replace(one.subject.network, size=(pixels, 64))
    times = tuple(tuple(time * pixels for time in turns) for turns in one.times)
    subject = replace(one.subject, name=f"{one.subject.name} {pixels}", network=network)
    return replace(one, subject=subject, times=times, values=values)


def test_all_kinds(report, tmp_path):
    run = report.runs[0]
    one = run.find("torch fp32")
    growth = replace(run, name="growth", measured=tuple(_sized(one, width) for width in (64, 128, 256)))
    choices = replace(
        run, name="choices", measured=tuple(_sized(one, width, **{PUBLISHED_AP: width / 500}) for width in (64, 128))
    )
    structure = replace(
        run,
        name="structure",
        measured=(_sized(one, 64, width=18.0), _sized(one, 128, width=32.0), _sized(one, 96, branches=2.0)),
    )
    full = replace(report, runs=(run, growth, choices, structure))
    drawn = draw_plots(full, tmp_path)
    assert {title: path.name for title, path in drawn.items()} == plot_files(full)
    assert set(drawn) == {
        "Time per stage and branch, batch-1",
        "Time per stage and branch, growth",
        "Time per stage and branch, choices",
        "Time per stage and branch, structure",
        "Latency against pixels, growth",
        "Latency against accuracy",
        "Latency against width",
        "Latency against branches",
    }
    for path in drawn.values():
        picture = cv2.imread(str(path))
        assert picture.shape[0] > 400
        assert picture.std() > 10


def test_nothing_is_drawn_of_nothing(report, tmp_path):
    assert draw_plots(replace(report, runs=()), tmp_path) == {}
