"""What holds for every shipped config. That those of the grid are the published models is shown in `tests/zoo`."""

from __future__ import annotations

import ast
import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

import hrnet_plugin
from hrnet_plugin.published.index import find_model
from hrnet_plugin.zoo.resolve import run_parts

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
ALL = sorted(path for path in CONFIGS.rglob("*.py") if path.name != "__init__.py")
#: The short names beside the grid, and the models of it that they stand for.
HEADLINES = {
    "hrnet_w32_coco": "td-hm_hrnet-w32_8xb64-210e_coco-256x192",
    "hrnet_w48_coco": "td-hm_hrnet-w48_8xb32-210e_coco-256x192",
    "hrnet_w18_cityscapes": "fcn_hr18_4xb2-160k_cityscapes-512x1024",
    "hrnet_w48_cityscapes": "fcn_hr48_4xb2-160k_cityscapes-512x1024",
}
#: Configs of our own, which no framework has.
OWN = (
    "quickstart_pose",
    "quickstart_seg",
    "hrnet_w18_coco_masks",
    "litehrnet_wider_naive_coco",
    "examples/own_head_pose",
)
#: What an architecture is spelled out with; it stands in `archs/zoo.py` and nowhere else.
SPELLED_OUT = {"num_channels", "num_blocks", "num_modules", "num_branches", "extra"}


def build(config: Config) -> torch.nn.Module:
    """The model of a config, built as the runner builds it."""
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(copy.deepcopy(config.model))


def test_each_config_beside_the_grid_is_a_headline_or_our_own():
    beside = {path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.glob("*.py")}
    beside |= {f"examples/{path.stem}" for path in (CONFIGS / "examples").glob("*.py")}
    assert beside == {*HEADLINES, *OWN}


def test_no_config_spells_out_an_architecture():
    assert len(ALL) > 200
    for path in ALL:
        words = {
            node.arg for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if type(node) is ast.keyword
        }
        assert not words & SPELLED_OUT, path


def test_no_config_has_unused_parameters_looked_for():
    """But DEKR, as upstream's: its rescoring network has no gradient (`tests/zoo/test_train_step.py`)."""
    saying = {
        path.relative_to(CONFIGS).as_posix()
        for path in ALL
        if "find_unused_parameters" in path.read_text(encoding="utf-8")
    }
    assert saying == {"_base_/models/dekr.py"}


def test_every_base_is_used():
    used = set()
    for path in ALL:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_base_":
                value = ast.literal_eval(node.value)
                bases = [value] if isinstance(value, str) else value
                used |= {(path.parent / base).resolve() for base in bases if "::" not in base}
    bases = {path for path in ALL if "_base_" in path.relative_to(CONFIGS).parts}
    assert bases
    assert bases <= used


@pytest.mark.parametrize(("name", "model"), HEADLINES.items(), ids=[*HEADLINES])
def test_a_headline_is_a_model_of_the_zoo(name, model):
    ours, listed = (Config.fromfile(str(path)) for path in (CONFIGS / f"{name}.py", find_model(model).config))
    assert run_parts(ours) == run_parts(listed)


@pytest.mark.parametrize("name", OWN)
def test_our_own_config_builds_a_model_on_our_backbone(name, monkeypatch):
    path = CONFIGS / f"{name}.py"
    monkeypatch.syspath_prepend(str(path.parent))  # as our tools do
    model = build(Config.fromfile(str(path)))
    kind = hrnet_plugin.LiteHRNet if "litehrnet" in name else hrnet_plugin.HRNet
    assert type(model.backbone) is kind
