"""Classes that need mmpose are found by name, and only then."""

from __future__ import annotations

import sys

import pytest
from mmengine import registry as root

from hrnet_plugin import registry
from hrnet_plugin.errors import MissingDependency


@pytest.mark.parametrize("name", ["AssociativeEmbeddingHead", "AssociativeEmbeddingLoss", "HigherHRNetHead"])
def test_models_are_found_from_the_root_and_from_mmpose(name):
    from mmpose.registry import MODELS

    kind = root.MODELS.get(f"hrnet_plugin.{name}")
    assert kind.__name__ == name
    assert kind.__module__.startswith("hrnet_plugin.models.")
    assert kind is MODELS.get(f"hrnet_plugin.{name}")


def test_the_codec_is_a_child_of_mmposes():
    from mmpose.codecs import AssociativeEmbedding
    from mmpose.registry import KEYPOINT_CODECS

    assert registry.KEYPOINT_CODECS.parent is KEYPOINT_CODECS
    kind = KEYPOINT_CODECS.get("hrnet_plugin.AssociativeEmbedding")
    assert issubclass(kind, AssociativeEmbedding)
    assert KEYPOINT_CODECS.get("AssociativeEmbedding") is AssociativeEmbedding


def test_a_class_is_imported_when_it_is_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(registry, "import_module", asked.append)
    assert registry.MODELS.get("HRNet").__name__ == "HRNet"
    assert asked == []
    registry.MODELS.get("HigherHRNetHead")
    assert asked == ["hrnet_plugin.models.higher_hrnet"]


def test_without_mmpose_the_class_says_what_it_needs(monkeypatch):
    def fail(name: str):
        raise ModuleNotFoundError("No module named 'mmpose'", name="mmpose")

    monkeypatch.setattr(registry, "import_module", fail)
    with pytest.raises(MissingDependency, match=r"hrnet_plugin.HigherHRNetHead: found no module named 'mmpose'"):
        registry.MODELS.get("hrnet_plugin.HigherHRNetHead")


def test_a_module_of_ours_that_is_missing_is_no_missing_dependency(monkeypatch):
    monkeypatch.setitem(registry.MODELS._late, "Thing", "hrnet_plugin.models.no_such_thing")
    with pytest.raises(ModuleNotFoundError) as error:
        registry.MODELS.get("Thing")
    assert not isinstance(error.value, MissingDependency)


def test_the_registries_do_without_mmpose(monkeypatch):
    assert registry.KEYPOINT_CODECS is not None
    monkeypatch.setitem(sys.modules, "mmpose.registry", None)
    assert registry._codecs() is None
