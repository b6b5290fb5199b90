"""What the index says of each network, computed anew from its config: parameters, MACs, data sets."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from hrnet_plugin.config_tree import leaf_datasets
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.index import ZooModel, find_model, read_index
from hrnet_plugin.zoo.figures import (
    UNITS,
    WITHOUT_INSTANCES,
    WITHOUT_PROPOSALS,
    FigureCounter,
    is_within_rounding,
    network_key,
    published_differences,
    read_input_size,
)

MODELS = read_index()
#: The data sets of the index by the class that a config validates with.
DATASETS = {
    "AnimalKingdomDataset": "AnimalKingdom",
    "AnimalPoseDataset": "Animal-Pose",
    "AP10KDataset": "AP-10K",
    "CocoDataset": "COCO",
    "CrowdPoseDataset": "CrowdPose",
    "AicDataset": "AI Challenger",
    "ExlposeDataset": "ExLPose",
    "HumanArtDataset": "Human-Art",
    "MpiiDataset": "MPII",
    "PoseTrack18Dataset": "PoseTrack18",
    "Face300WDataset": "300W",
    "Face300WLPDataset": "300W-LP",
    "AFLWDataset": "AFLW",
    "CocoWholeBodyFaceDataset": "COCO-WholeBody-Face",
    "COFWDataset": "COFW",
    "WFLWDataset": "WFLW",
    "DeepFashionDataset": "DeepFashion",
    "CocoWholeBodyHandDataset": "COCO-WholeBody-Hand",
    "OneHand10KDataset": "OneHand10K",
    "Rhd2DDataset": "RHD",
    "CocoWholeBodyDataset": "COCO-WholeBody",
    "ImageNet": "ImageNet-1k",
    "CityscapesDataset": "Cityscapes",
    "ADE20KDataset": "ADE20K",
    "PascalVOCDataset": "Pascal VOC 2012 + Aug",
    "PascalContextDataset": "Pascal Context",
    "PascalContextDataset59": "Pascal Context 59",
    "LoveDADataset": "LoveDA",
    "PotsdamDataset": "Potsdam",
    "ISPRSDataset": "Vaihingen",
    "iSAIDDataset": "iSAID",
}
#: What the index says that was trained on, where it is not what the class of the data set says.
TRAINED_ON = {
    "UBody2dDataset": "UBody",
    "AnimalKingdomDataset": "AnimalKingdom_",
    "ExlposeDataset": "ExLPose-LL",
}


@pytest.fixture(scope="module")
def configs() -> dict[str, Config]:
    """Every config of the index, resolved."""
    return {model.name: Config.fromfile(str(model.config)) for model in MODELS}


@pytest.fixture(scope="module")
def counter() -> FigureCounter:
    """One for all tests, so that a network is counted once."""
    return FigureCounter()


@pytest.fixture(scope="module")
def networks(configs) -> dict[str, list[ZooModel]]:
    """The models by what their networks are, as far as it costs anything."""
    found: dict[str, list[ZooModel]] = {}
    for model in MODELS:
        cfg = configs[model.name]
        found.setdefault(network_key(cfg, read_input_size(cfg)), []).append(model)
    return found


def test_a_row_names_the_data_set_that_its_config_measures_on(configs):
    for model in MODELS:
        (validated,) = leaf_datasets(configs[model.name].val_dataloader)
        assert DATASETS[str(validated["type"]).rpartition(".")[2]] == model.dataset, model.name


def test_a_row_names_the_data_sets_that_its_config_trains_on(configs):
    for model in MODELS:
        said = model.metadata["Training Data"]
        kinds = {str(leaf["type"]).rpartition(".")[2] for leaf in leaf_datasets(configs[model.name].train_dataloader)}
        trained = {TRAINED_ON.get(kind, DATASETS.get(kind)) for kind in kinds}
        if "humanart" in model.name:  # one annotation file for both
            trained.add("COCO")
        named = {said} if isinstance(said, str) else set(said)
        assert {name.partition("_")[0] for name in named} == {name.partition("_")[0] for name in trained}, model.name
        if "animalkingdom" in model.name:
            assert said.removeprefix("AnimalKingdom_") in model.name


def test_the_same_networks_have_the_same_figures(networks, configs):
    assert 90 < len(networks) < len(MODELS)
    for models in networks.values():
        fields = [
            {key: model.metadata.get(key) for key in ("Input Size", "Parameters", "MACs (10^9)")} for model in models
        ]
        assert all(one == fields[0] for one in fields), [model.name for model in models]
        width, height = read_input_size(configs[models[0].name])
        assert fields[0]["Input Size"] == f"{width}x{height}"


def assert_figures(models: list[ZooModel], configs, counter) -> None:
    """The index has exactly what is computed of a network."""
    figures = counter.count(configs[models[0].name]).as_metadata()
    assert figures == {key: models[0].metadata.get(key) for key in figures}, models[0].name
    assert ("Counted" in figures) == ("Counted" in models[0].metadata)


def test_the_figures_of_a_spread_of_networks_are_those_of_the_index(networks, configs, counter):
    families = {models[0].family: models for models in networks.values()}
    assert len(families) > 12
    for models in [*families.values(), *list(networks.values())[::12]]:
        assert_figures(models, configs, counter)


@pytest.mark.slow
def test_the_figures_of_every_network_are_those_of_the_index(networks, configs, counter):
    for models in networks.values():
        assert_figures(models, configs, counter)


@pytest.mark.parametrize("family", ["HRNetV2p", "CID"])
def test_what_works_on_what_is_found_is_left_out_and_said_so(family):
    counted = {model.metadata.get("Counted") for model in MODELS if model.family == family and "fcos" not in model.name}
    assert counted == {WITHOUT_PROPOSALS if family == "HRNetV2p" else WITHOUT_INSTANCES}
    others = {model.metadata.get("Counted") for model in MODELS if model.family not in ("HRNetV2p", "CID")}
    assert others == {None}


def published_entries() -> list[tuple[ZooModel, dict]]:
    """One model for each published figure of each network."""
    entries = {
        (entry["Figure"], entry["Source"], model.metadata["Input Size"], bool(model.remark)): (model, entry)
        for model in MODELS
        for entry in model.metadata.get("Published Complexity", ())
    }
    return list(entries.values())


@pytest.mark.parametrize("entry", published_entries(), ids=lambda entry: f"{entry[0].name} {entry[1]['Figure']}")
def test_a_published_figure_is_what_is_computed_or_has_a_remark(entry, configs, counter):
    model, published = entry
    size = tuple(map(int, published["Input Size"].split("x"))) if "Input Size" in published else None
    found = published_differences(published, counter.count(configs[model.name], size).cost)
    if found:
        told = ("published figure", "Published are", "mmcv's counter", "published 38.9")
        assert any(words in model.remark for words in told), (found, model.remark)
        assert not any("parameters" in line for line in found)


def test_most_published_figures_are_computed_to_the_digit(configs, counter):
    met = [
        model.name
        for model, published in published_entries()
        if "Input Size" not in published
        if not published_differences(published, counter.count(configs[model.name]).cost)
    ]
    assert len(met) > 13


def test_two_rows_differ_in_size_alone_by_their_areas():
    small, large = (find_model(f"td-hm_hrnet-w32_8xb64-210e_coco-{size}") for size in ("256x192", "384x288"))
    assert small.metadata["Parameters"] == large.metadata["Parameters"]
    assert large.metadata["MACs (10^9)"] / small.metadata["MACs (10^9)"] == pytest.approx(2.25, rel=1e-4)


@pytest.mark.parametrize(
    ("computed", "printed", "within"),
    [(7.12, "7.1 GFLOPs", True), (7.21, "7.1 GFLOPs", False), (28.536, "28.5M", True), (28.7, "28.5M", False)],
)
def test_rounding(computed, printed, within):
    assert is_within_rounding(computed, printed) is within


def test_every_unit_of_the_index_is_known():
    used = {entry["Unit"] for model in MODELS for entry in model.metadata.get("Published Complexity", ())}
    assert used == set(UNITS)


def test_a_config_without_a_size_is_told(configs):
    cfg = configs["fcn_hr18_4xb2-160k_cityscapes-512x1024"].copy()
    cfg.model.data_preprocessor.size = None
    cfg.pop("data_preprocessor", None)
    with pytest.raises(ConfigError, match="config of mmseg: found no size of the pictures"):
        read_input_size(cfg)
