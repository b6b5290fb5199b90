"""Every shipped config builds; the headline ones are the published recipes, compared with the installed frameworks."""

from __future__ import annotations

import copy
from pathlib import Path

import mmpose
import mmseg
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

import hrnet_plugin

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SHIPPED = sorted(
    path for path in CONFIGS.rglob("*.py") if "_base_" not in path.parts and not (path.parent / "__init__.py").exists()
)
MMPOSE = Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint/topdown_heatmap/coco"
MMSEG = Path(mmseg.__file__).parent / ".mim/configs/hrnet"
PUBLISHED = {
    "hrnet_w32_coco": MMPOSE / "td-hm_hrnet-w32_8xb64-210e_coco-256x192.py",
    "hrnet_w48_coco": MMPOSE / "td-hm_hrnet-w48_8xb32-210e_coco-256x192.py",
    "hrnet_w18_cityscapes": MMSEG / "fcn_hr18_4xb2-160k_cityscapes-512x1024.py",
    "hrnet_w48_cityscapes": MMSEG / "fcn_hr48_4xb2-160k_cityscapes-512x1024.py",
}
#: Parts of a config that are names for its other parts, and say nothing by themselves.
SCRATCH = {
    "codec",
    "data_mode",
    "dataset_type",
    "data_preprocessor",
    "norm_cfg",
    "optimizer",
    "crop_size",
    "img_ratios",
    "imagenet",
    "width",
}


def plain(config: object) -> object:
    """A config as plain dicts and lists, less the marks that mmengine sets on another package's bases."""
    if isinstance(config, dict):
        return {key: plain(value) for key, value in config.items() if key != "_scope_"}
    if isinstance(config, list | tuple):
        return [plain(value) for value in config]
    return config


def build(config: Config) -> torch.nn.Module:
    """The model of a config, built as the runner builds it."""
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(copy.deepcopy(config.model))


def test_there_are_configs():
    assert {path.stem for path in SHIPPED} >= {*PUBLISHED, "quickstart_pose", "quickstart_seg"}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_no_config_spells_out_an_architecture(path):
    text = path.read_text(encoding="utf-8")
    assert "num_channels" not in text
    assert "num_blocks" not in text


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_headline_config_is_the_published_recipe(name):
    ours, theirs = (Config.fromfile(str(path)) for path in (CONFIGS / f"{name}.py", PUBLISHED[name]))
    our_parts, their_parts = plain(ours.to_dict()), plain(theirs.to_dict())
    our_backbone, their_backbone = our_parts["model"].pop("backbone"), their_parts["model"].pop("backbone")
    their_parts["model"].pop("pretrained", None)  # ours stands in the backbone's init_cfg
    assert our_parts["model"].pop("pretrained", None) is None
    for key in (our_parts.keys() | their_parts.keys()) - SCRATCH:
        assert our_parts.get(key) == their_parts.get(key), key
    assert our_backbone["type"] == "hrnet_plugin.HRNet"
    assert their_backbone["type"] == "HRNet"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_headline_config_is_the_same_network_with_the_same_weights_and_outputs(name):
    ours, theirs = (build(Config.fromfile(str(path))) for path in (CONFIGS / f"{name}.py", PUBLISHED[name]))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    ours.eval()
    theirs.eval()
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, other = (model.forward(image, None, mode="tensor") for model in (ours, theirs))
    assert one.unique().numel() > 10
    assert (one - other).abs().max().item() == 0.0


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_headline_config_names_the_published_imagenet_weights(name):
    ours, theirs = (Config.fromfile(str(path)) for path in (CONFIGS / f"{name}.py", PUBLISHED[name]))
    weights = [entry.checkpoint for entry in ours.model.backbone.init_cfg if entry.type == "Pretrained"]
    if "pretrained" in theirs.model:
        from hrnet_plugin.models.pretrained import resolve_source

        assert weights == [resolve_source(theirs.model.pretrained)]
    else:
        assert weights == [theirs.model.backbone.init_cfg.checkpoint]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_config_builds_a_model_on_our_backbone(path, monkeypatch):
    monkeypatch.syspath_prepend(str(path.parent))  # as our tools do
    model = build(Config.fromfile(str(path)))
    assert type(model.backbone) is hrnet_plugin.HRNet
