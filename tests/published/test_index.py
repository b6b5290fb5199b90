"""The index lists every published HRNet model, and every config of the grid."""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.hashes import hash_in_name
from hrnet_plugin.published.index import find_model, metafiles, read_index, read_short_names

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


def test_every_other_config_has_a_short_name(project_root):
    configs = project_root / "configs"
    there = {path for path in configs.rglob("*.py") if path.name != "__init__.py"}
    there = {path.relative_to(configs) for path in there - {model.config for model in read_index()}}
    short = read_short_names()
    beside = {path.with_suffix("").as_posix() for path in there if path.parts[0] != "_base_"}
    beside = {name for name in beside if not name.startswith("examples/own_head/")}
    assert len(beside) > 5
    assert beside == set(short)
    for entry in short.values():
        assert (set(entry) == {"About"} and entry["About"]) or find_model(entry["Model"]).name == entry["Model"]


def test_openmmlabs_index_imports_every_metafile(project_root):
    index = yaml.safe_load((project_root / "model-index.yml").read_text(encoding="utf-8"))
    assert index == {"Import": [path.relative_to(project_root).as_posix() for path in metafiles()]}


def test_openmmlabs_tool_reads_the_index(project_root):
    modelindex = pytest.importorskip("modelindex")
    index = modelindex.load(str(project_root / "model-index.yml"))
    assert index.check(silent=True) == []
    assert [model.name for model in index.models] == [model.name for model in read_index()]


def test_the_hash_is_the_one_in_the_files_name():
    published = [model for model in read_index() if model.weights]
    assert len(published) > 180
    for model in published:
        digits = hash_in_name(model.weights.file_name)
        assert model.weights.sha256.startswith(digits), model.name
        assert model.weights.sha256 or "has no hash" in model.remark, model.name


def test_no_two_models_have_the_same_weights_or_figures():
    # Faster, Mask and Cascade R-CNN have one number each, and numbers of one may meet by chance.
    rows = [model for model in read_index() if model.weights]
    assert len({model.weights.url for model in rows}) == len(rows)
    figures = [(model.dataset, tuple(model.results[0].metrics.items())) for model in rows]
    several = [figure for figure in figures if len(figure[1]) > 1]
    assert len(several) > 130
    assert len(set(several)) == len(several)


def words_of(model) -> list[str]:
    """What the address of a model's weights must hold: its width, its input, its length of training, its data set."""
    name = model.name.replace("litehrnet-w18", "litehrnet_w18")
    words = re.findall(r"hr18s|hr18|hr48|lite-?hrnet[-_]w?\d+|w\d\d", name)[:1]
    words = [word.replace("w", "hrnet") for word in words] if "higherhrnet" in name else words
    words += re.findall(r"[-_](\d+k|[12]x)[-_]", name)
    words += re.findall(r"udp|dark|awing|regress|fp16|ssld|gn-head|P\d(?:_[a-z]+)?(?=-\d)", name)
    words += [model.config.parent.name.replace("imagenet", "in1k").replace("coco_wholebody_", "coco_wholebody")]
    return [plain(word) for word in words] + [plain(word) for word in re.findall(r"\d{3,4}x\d{3,4}", name)]


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.mark.parametrize("model", [model for model in read_index() if model.weights], ids=lambda model: model.name)
def test_the_address_of_the_weights_is_not_anothers(model):
    url = plain(model.weights.url)
    words = words_of(model)
    assert len(words) > 1
    assert [word for word in words if word not in url] == []


@pytest.mark.parametrize("model", read_index(), ids=lambda model: model.name)
def test_the_configs_first_line_has_the_figures_of_the_index(model):
    line = model.config.read_text(encoding="utf-8").splitlines()[0]
    said = {float(number) for number in re.findall(r"(?<![\w.])\d+\.\d+", line)}
    assert said, line
    published = {value for result in model.results for value in result.metrics.values()}
    assert said & published, (line, published)


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
    with pytest.raises(ConfigError, match=r"x/metafile.yml: a: found no In Collection, expected Name, In Collection"):
        read_index(tmp_path / "configs")


def test_an_empty_index_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="found no model"):
        read_index(tmp_path)
