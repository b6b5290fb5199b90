"""What the configs in others' checkpoints say of upsampling, read without running anything."""

from __future__ import annotations

import copy

import pytest
from mmengine.config import Config

from hrnet_plugin.archs.spec import Fusion
from hrnet_plugin.checkpoints.loading.config_text import fusion_in_meta, read_values

EXTRA = {
    "stage1": {"num_modules": 1, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": [1], "num_channels": [8]},
    "stage2": {"num_modules": 1, "num_branches": 2, "block": "BASIC", "num_blocks": [1, 1], "num_channels": [8, 16]},
}
BILINEAR = Fusion(upsample_mode="bilinear")


def text(scope: str | None, **backbone: object) -> str:
    """A config as mmengine writes it into a checkpoint."""
    content = {"model": {"type": "Any", "backbone": {"type": "HRNet", **copy.deepcopy(backbone)}}}
    return Config(content | ({"default_scope": scope} if scope else {})).pretty_text


@pytest.mark.parametrize(
    ("scope", "backbone", "wanted"),
    [
        ("mmpose", {"extra": EXTRA}, Fusion()),
        ("mmpose", {"extra": {**EXTRA, "upsample": {"mode": "bilinear", "align_corners": False}}}, BILINEAR),
        ("mmpose", {"extra": {**EXTRA, "upsample": {"mode": "bilinear", "align_corners": True}}},
         Fusion(upsample_mode="bilinear", align_corners=True)),
        ("mmseg", {"extra": EXTRA}, BILINEAR),
        ("mmdet", {"extra": EXTRA}, Fusion()),
        ("mmpretrain", {"arch": "w18"}, Fusion()),
        ("mmdet", {"type": "mmseg.HRNet", "extra": EXTRA}, BILINEAR),
        ("mmseg", {"type": "hrnet_plugin.HRNet", "extra": EXTRA}, BILINEAR),
        ("mmseg", {"type": "hrnet_plugin.HRNet", "arch": "w18"}, Fusion()),
        ("mmseg", {"type": "hrnet_plugin.HRNet", "arch": "w18", "upsample_mode": "bilinear"}, BILINEAR),
        ("mmpose", {"type": "hrnet_plugin.HRNet", "arch": "w18", "fuse_method": "mean"}, Fusion("mean")),
    ],
)  # fmt: skip
def test_configs_of_every_framework(scope, backbone, wanted):
    assert fusion_in_meta({"cfg": text(scope, **backbone)}) == (wanted, "its config")


@pytest.mark.parametrize("entry", ["cfg", "config", "config_text"])
def test_configs_of_older_versions_name_no_scope(entry):
    meta = {entry: text(None, extra=EXTRA), "mmseg_version": "0.30.0"}
    assert fusion_in_meta(meta) == (BILINEAR, "its config")


@pytest.mark.parametrize(
    ("meta", "mode"),
    [
        ({"mmseg_version": "0.30.0"}, "bilinear"),
        ({"mmpose_version": "0.29.0", "cfg": ""}, "nearest"),
        ({"mmcls_version": "0.25.0"}, "nearest"),
    ],
)
def test_a_version_alone_stands_for_its_frameworks_convention(meta, mode):
    fusion, source = fusion_in_meta(meta)
    assert fusion.upsample_mode == mode
    assert source.startswith("the convention of mm")


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"cfg": text(None, extra=EXTRA)},  # of no known framework
        {"cfg": text("mmpose", type="ResNet")},
        {"cfg": text("mmpose", type="LiteHRNet")},
        {"cfg": text("mmpose", extra={"stage9": 1})},
        {"cfg": "model = (", "mmseg_version": "0.30.0"},
        {"cfg": "model = 3", "mmseg_version": "0.30.0"},
        {"cfg": "(" * 5000, "mmseg_version": "0.30.0"},
        {"cfg": 7},
    ],
    ids=range(9),
)
def test_what_is_not_certain_is_not_said(meta):
    assert fusion_in_meta(meta) is None


def test_nothing_runs(tmp_path):
    ran = tmp_path / "ran"
    values = read_values(
        f"a = 1\nmodel = dict(x=open({str(ran)!r}, 'w'), y=[1, -2.5], z={{'k': (True, None)}}, q=f'{{1}}')\n"
        f"default_scope = open({str(ran)!r}, 'w')",
        ("model", "default_scope"),
    )
    assert values == {"model": {"y": (1, -2.5), "z": {"k": (True, None)}}}
    assert not ran.exists()
