"""YAML that mmengine reads for a data set: data comes out of it, and nothing runs."""

from __future__ import annotations

import re

import mmengine
import pytest
import yaml
from mmengine.config import Config

from hrnet_plugin.compat import reports


@pytest.mark.parametrize("ending", [".yaml", ".yml"])
@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.mkdir [made]",
        "!!python/object/new:os.mkdir [made]",
        "!!python/object/apply:subprocess.check_output [[mkdir, made]]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/tuple [!!python/object/apply:os.mkdir [made]]",
    ],
)
def test_nothing_runs(tmp_path, monkeypatch, tag, ending):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"boxes{ending}"
    path.write_text(f"- image_id: 1\n  bbox: {tag}\n")
    with pytest.raises(yaml.constructor.ConstructorError, match=re.escape("python/")):
        mmengine.load(path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_data_is_read_as_before(tmp_path):
    content = [{"image_id": 1, "bbox": [1, 2, 3.5, 4], "score": 0.5, "name": "ä", "none": None}]
    mmengine.dump(content, tmp_path / "boxes.yaml")
    assert mmengine.load(tmp_path / "boxes.yaml") == content


def test_a_config_that_mmengine_wrote_is_read(tmp_path):
    cfg = Config({"model": {"size": (192, 256), "stages": [(1, (2, 3))]}})
    cfg.dump(tmp_path / "config.yaml")
    assert Config.fromfile(tmp_path / "config.yaml").model == cfg.model
    assert reports()["yaml-files"].state == "applied"
