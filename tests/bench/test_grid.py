"""A config in every way that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.bench.grid import RUNTIMES, Grid, plan_grid
from hrnet_plugin.bench.subjects import EAGER, LIMIT
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.locations import project_dir


def test_every_combination_that_there_is(tiny_config):
    grid = Grid(("torch", "openvino"), ("fp32", "int8"), ((64, 64), (96, 64)), (1, 2), "mmpose")
    plan = plan_grid(tiny_config, grid)
    ways = [(one.runtime, one.precision) for one in plan.subjects if one.runtime != EAGER]
    assert ways == [("torch", "fp32"), ("openvino", "fp32"), ("openvino", "int8")] * 4
    baselines = [one for one in plan.subjects if one.name.startswith("mmpose eager")]
    assert [(one.network.size, one.network.batch) for one in baselines] == [
        ((64, 64), 1),
        ((64, 64), 2),
        ((96, 64), 1),
        ((96, 64), 2),
    ]
    assert {one.source.framework for one in plan.subjects} == {"mmpose"}
    assert sum(one.role == LIMIT for one in plan.subjects) == 4
    assert len({one.name for one in plan.subjects}) == len(plan.subjects) == 20


def test_without_another_s_network_ours_is_the_baseline(tiny_config):
    plan = plan_grid(tiny_config, Grid())
    assert [one.name for one in plan.subjects] == ["ours eager", "torch fp32", "limit"]
    assert {one.network.size for one in plan.subjects} == {(64, 64)}


def test_the_size_of_a_segmentation_is_the_config_s_own():
    plan = plan_grid(Path(project_dir("configs") / "hrnet_w18_cityscapes.py"), Grid())
    assert plan.subjects[0].network.size == (1024, 512)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runtimes": ("tensort",)}, "--runtimes tensort: found not known. Did you mean 'torch'"),
        ({"precisions": ("fp23",)}, "--precisions fp23: found not known. Did you mean 'fp32'"),
        ({"against": "mmdet"}, "--against mmdet: found not known"),
        ({"precisions": ("int8",)}, "--precisions int8: found not computed by torch, expected a runtime of onnxr"),
        ({"sizes": ((200, 64),), "against": "mmpose"}, "--sizes 200x64: .* multiples of 32, which mmpose's HRNet need"),
        ({"sizes": ((0, 64),)}, "--sizes 0x64: found a size that does not fit"),
        ({"batches": (0,)}, "--batches: found 0, expected whole numbers of at least 1"),
    ],
)
def test_bad_input(options, words):
    with pytest.raises(ConfigError, match=words):
        Grid(**options)


def test_every_runtime_computes_fp32():
    assert all("fp32" in precisions for precisions in (runtime.precisions for runtime in RUNTIMES.values()))
