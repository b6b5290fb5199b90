"""No config of the zoo would still be the upstream config with one line less; every kind of difference is seen.

That each is the upstream config now is shown in `test_verify.py`.
"""

from __future__ import annotations

import ast
import copy
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

from hrnet_plugin.errors import MissingDependency
from hrnet_plugin.locations import project_dir
from hrnet_plugin.published.index import ZooModel, find_model, read_index
from hrnet_plugin.zoo.resolve import differences, upstream_path

MODELS = [model for model in read_index() if model.upstream]
BASES = project_dir("configs") / "_base_"
#: Bases of configs that stand for no config of a framework.
OWN_BASES = ("generated", "quickstart", "coco_masks", "higher", "runtime/")
#: What upstream's unfinished config has nothing to compare with; `tests/configs/test_associative_embedding.py` has.
SEEN_ELSEWHERE = {"codecs/ae_512x512.py": ("codec: heatmap_size", "jitter: ", "encode: ")}


@cache
def upstream_config(model: ZooModel) -> Config:
    """The config of the framework, read once."""
    return Config.fromfile(str(upstream_path(model)))


def found_differences(model: ZooModel, config: Path) -> list[str]:
    """What is different in `config`, or the error that it cannot be read by."""
    try:
        return differences(Config.fromfile(str(config)), upstream_config(model), model.differs)
    except Exception as error:  # a config is code: with a line less it may fail in any way
        return [repr(error)]


def removals(source: str) -> Iterator[tuple[str, str]]:
    """Each way to take one thing out of a config: a base, a top-level value, a keyword of a dict; with its name."""
    tree = ast.parse(source)
    for index, statement in enumerate(tree.body):
        if not isinstance(statement, ast.Assign):
            continue
        name = ast.unparse(statement.targets[0])
        if name != "_base_":
            shorter = copy.deepcopy(tree)
            del shorter.body[index]
            yield name, ast.unparse(shorter)
        for depth, node in enumerate(ast.walk(statement)):
            items = node.keywords if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.List) else []
            if isinstance(node, ast.List) and name != "_base_":
                continue
            for position, item in enumerate(items):
                if isinstance(item, ast.keyword) and item.arg is None:
                    continue
                shorter = copy.deepcopy(tree)
                twin = list(ast.walk(shorter.body[index]))[depth]
                del (twin.keywords if isinstance(twin, ast.Call) else twin.elts)[position]
                yield f"{name}: {ast.unparse(item)[:60]}", ast.unparse(shorter)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_leaf_does_not_inherit_an_upstream_model(model):
    text = model.config.read_text(encoding="utf-8")
    tree = ast.parse(text)
    (bases,) = [ast.literal_eval(node.value) for node in tree.body if ast.unparse(node).startswith("_base_ =")]
    assert bases
    assert all("/_base_/" in f"/{base.partition('::')[2]}" for base in bases if "::" in base), bases
    assert "num_channels" not in text
    assert "num_blocks" not in text


def bases_of(config: Path) -> set[Path]:
    """The files of our own that a config is built on, near and far."""
    found = set()
    for node in ast.parse(config.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_base_":
            named = ast.literal_eval(node.value)
            own = [base for base in ([named] if isinstance(named, str) else named) if "::" not in base]
            for base in [(config.parent / base).resolve() for base in own]:
                found |= {base} | bases_of(base)
    return found


USERS = {path: [model for model in MODELS if path in bases_of(model.config)] for path in sorted(BASES.rglob("*.py"))}
USED = {path: users for path, users in USERS.items() if users}


@pytest.fixture(scope="module")
def copied(tmp_path_factory, project_root) -> Path:
    """A copy of the configs to take things out of."""
    configs = tmp_path_factory.mktemp("copied") / "configs"
    shutil.copytree(project_root / "configs", configs)
    return configs


def copy_of(path: Path, copied: Path) -> Path:
    """The same file in the copied tree."""
    return copied / path.relative_to(BASES.parent)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_nothing_in_a_leaf_can_be_taken_out(model, copied):
    leaf = copy_of(model.config, copied)
    source = leaf.read_text(encoding="utf-8")
    ways = dict(removals(source))
    assert ways
    try:
        for name, shorter in ways.items():
            leaf.write_text(shorter, encoding="utf-8")
            assert found_differences(model, leaf), f"{leaf.name} is the same without {name}"
    finally:
        leaf.write_text(source, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("path", USED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_nothing_in_a_base_can_be_taken_out(path, copied):
    base = copy_of(path, copied)
    source = base.read_text(encoding="utf-8")
    elsewhere = SEEN_ELSEWHERE.get(path.relative_to(BASES).as_posix(), ())
    ways = {name: shorter for name, shorter in removals(source) if not name.startswith(tuple(elsewhere))}
    assert ways
    try:
        for name, shorter in ways.items():
            base.write_text(shorter, encoding="utf-8")
            found = any(found_differences(model, copy_of(model.config, copied)) for model in USED[path])
            assert found, f"every model is the same without {name} in {path.name}"
    finally:
        base.write_text(source, encoding="utf-8")


def test_the_bases_that_no_model_of_the_zoo_uses_are_those_of_our_own_configs():
    unused = {path.relative_to(BASES).as_posix() for path, users in USERS.items() if not users}
    assert all(any(word in name for word in OWN_BASES) for name in unused), unused
    assert len(USED) > 90


def test_what_differs_on_purpose_is_no_more_than_what_upstream_left_unfinished():
    on_purpose = {model.name: model.differs for model in MODELS if model.differs}
    heads = ("model.head.type", "model.head.decoder.type", "model.head.tag_loss.type")
    assert on_purpose == {"ae_hrnet-w32_8xb24-300e_coco-512x512": (*heads, "train_dataloader.dataset.pipeline")}


def test_an_allowed_difference_that_is_none_is_told():
    model = find_model("td-hm_hrnet-w32_8xb64-210e_coco-256x192")
    (line,) = differences(Config.fromfile(str(model.config)), upstream_config(model), ["model.head"])
    assert line == "model.head: the same, though the index says that it differs"


def test_the_backbone_is_compared_by_what_it_builds():
    model = find_model("td-hm_hrnet-w32_8xb64-210e_coco-256x192")
    ours = Config.fromfile(str(model.config))
    ours.model.backbone.upsample_mode = "bilinear"
    (line,) = differences(ours, upstream_config(model))
    assert line == "model.backbone.spec.upsample_mode: ours 'bilinear', upstream 'nearest'"


@pytest.mark.parametrize(
    "change", [{"arch": "w48"}, {"init_cfg": None}, {"norm_eval": True}], ids=lambda change: next(iter(change))
)
def test_another_backbone_is_seen(change):
    model = find_model("td-hm_hrnet-w32_8xb64-210e_coco-256x192")
    ours = Config.fromfile(str(model.config))
    ours.model.backbone.update(change)
    assert differences(ours, upstream_config(model))


def test_a_framework_that_is_not_installed_is_named():
    model = ZooModel("a", Path("a.py"), "mmnothing::a.py", ("t",), "d")
    with pytest.raises(MissingDependency, match="mmnothing: found not installed"):
        upstream_path(model)


def test_a_config_that_the_framework_lacks_is_named():
    model = ZooModel("a", Path("a.py"), "mmpose::nowhere/a.py", ("t",), "d")
    with pytest.raises(MissingDependency, match=r"mmpose's config nowhere/a\.py: found nothing at"):
        upstream_path(model)
