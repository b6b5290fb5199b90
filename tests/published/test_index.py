"""The index lists every published HRNet model, and every config of the grid."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest
import yaml

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.index import find_model, read_index

TASKS = {
    "animal_2d_keypoint",
    "body_2d_keypoint",
    "face_2d_keypoint",
    "fashion_2d_keypoint",
    "hand_2d_keypoint",
    "wholebody_2d_keypoint",
    "semantic_segmentation",
    "object_detection",
    "instance_segmentation",
    "image_classification",
}


def upstream_models(framework: str) -> set[str]:
    """The HRNet-family models, less HRFormer, that an installed framework's own index lists."""
    root = Path(importlib.util.find_spec(framework).origin).parent / ".mim" / "configs"
    found = set()
    for metafile in sorted([*root.rglob("*.yml"), *root.rglob("*.yaml")]):
        index = yaml.safe_load(metafile.read_text(encoding="utf-8"))
        for row in index.get("Models") or [] if isinstance(index, dict) else []:
            words = row["Name"].lower()
            if any(word in words for word in ("hrnet", "_hr18", "_hr48")):
                found.add(row["Name"])
    return found


def test_every_config_of_the_grid_is_listed_and_every_listed_config_is_there(project_root):
    configs = project_root / "configs"
    listed = {model.config for model in read_index()}
    there = {path for task in TASKS for path in (configs / task).rglob("*.py")}
    assert len(there) > 170
    assert there == listed


def test_a_row_lies_in_the_folder_of_its_task():
    for model in read_index():
        task = model.config.parents[1].name
        assert task in TASKS
        own = {"instance_segmentation": "object_detection"}.get(task, task)
        assert own in {name.lower().replace(" ", "_") for name in model.tasks}, model.name


def test_every_model_of_the_installed_frameworks_is_listed():
    theirs = {name for framework in ("mmpose", "mmseg", "mmdet", "mmpretrain") for name in upstream_models(framework)}
    assert len(theirs) == 178
    assert theirs <= {model.name for model in read_index()}


def test_every_published_model_is_listed(shared_dir):
    with (shared_dir / "published" / "hrnet_metrics.tsv").open(encoding="utf-8") as file:
        published = {row["model"] for row in csv.DictReader(file, delimiter="\t")}
    wanted = {name for name in published if "hrformer" not in name}
    assert len(wanted) == 178
    assert wanted <= {model.name for model in read_index()}


def test_the_nearest_names_are_suggested():
    with pytest.raises(ConfigError, match=r"Did you mean 'td-hm_hrnet-w32_8xb64-210e_coco-256x192'"):
        find_model("td-hm_hrnet-w32_8xb64-210e_coco-256x129")


def test_a_model_is_found_by_the_name_of_its_config():
    found = find_model("hrnet-w18_4xb32_in1k")
    assert found.config.stem == "hrnet-w18_4xb32_in1k"
    assert found.framework == "mmpretrain"


def write_rows(folder, *names) -> None:
    """A metafile with rows of these names."""
    row = (
        "{{Name: {0}, In Collection: f, Config: configs/x/{0}.py, Metadata: {{Training Data: d}}, "
        "Results: [{{Task: t, Dataset: d, Metrics: {{AP: 0.5}}}}]}}"
    )
    folder.mkdir(parents=True)
    (folder / "metafile.yml").write_text(f"Models: [{', '.join(map(row.format, names))}]", encoding="utf-8")


def test_a_name_must_not_stand_twice(tmp_path):
    write_rows(tmp_path / "configs" / "x", "a", "a")
    with pytest.raises(ConfigError, match="a: found a second row of this name"):
        read_index(tmp_path / "configs")


def test_a_name_must_not_stand_in_two_metafiles(tmp_path):
    write_rows(tmp_path / "configs" / "x", "a")
    write_rows(tmp_path / "configs" / "y", "b", "a")
    with pytest.raises(ConfigError, match=r"y/metafile.yml: a: found a second row of this name"):
        read_index(tmp_path / "configs")


def test_a_row_must_be_whole(tmp_path):
    (tmp_path / "configs" / "x").mkdir(parents=True)
    (tmp_path / "configs" / "x" / "metafile.yml").write_text("Models: [{Name: a}]", encoding="utf-8")
    with pytest.raises(ConfigError, match="x/metafile.yml: a: found no In Collection, expected Name, In Collection"):
        read_index(tmp_path / "configs")


def test_an_empty_index_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="found no model"):
        read_index(tmp_path)
