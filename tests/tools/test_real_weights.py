"""Released weights of a Lite-HRNet on real people: the heatmaps and the AP of mmpose's own network."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope, init_default_scope

from hrnet_plugin.cli.main import main

#: The same recipe with mmpose's own network, as its configs would write it.
THEIRS = """
_base_ = ['{ours}']
widths = [40, 80, 160, 320]
model = dict(backbone=dict(
    _delete_=True,
    type='LiteHRNet',
    extra=dict(
        stem=dict(stem_channels=32, out_channels=32, expand_ratio=1),
        num_stages=3,
        stages_spec=dict(
            num_modules=[2, 4, 2],
            num_branches=[2, 3, 4],
            num_blocks=[2, 2, 2],
            module_type=['NAIVE'] * 3,
            with_fuse=[True] * 3,
            reduce_ratios=[1, 1, 1],
            num_channels=[widths[:2], widths[:3], widths]),
        with_head=True)))
"""
#: AP with annotated boxes and without a flip test, as mmpose measures it: 9 and 19 persons.
AVERAGE_PRECISION = {"train2017": 0.667, "val2017": 0.627}


@pytest.fixture(scope="module")
def weights(shared_dir: Path) -> Path:
    return shared_dir / "weights/litehrnet_wider_naive_coco_256x192.pth"


@pytest.fixture(scope="module")
def configs(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The recipe with our network and with mmpose's."""
    ours = project_root / "configs/litehrnet_wider_naive_coco.py"
    theirs = tmp_path_factory.mktemp("configs") / "theirs.py"
    theirs.write_text(THEIRS.format(ours=ours))
    return {"ours": ours, "theirs": theirs}


@pytest.fixture(autouse=True)
def _forget_earlier_runs(forget_runs: Callable[[], None]) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    forget_runs()


@pytest.fixture(scope="module")
def networks(configs: dict[str, Path], weights: Path) -> dict[str, torch.nn.Module]:
    """Both with the released weights."""
    state = torch.load(weights, weights_only=True)["state_dict"]
    built = {}
    for name, path in configs.items():
        config = Config.fromfile(path)
        with DefaultScope.overwrite_default_scope(config.default_scope):
            built[name] = MODELS.build(copy.deepcopy(config.model))
        built[name].load_state_dict(state, strict=True)
        built[name].eval()
    assert type(built["ours"].backbone).__module__.startswith("hrnet_plugin.")
    assert type(built["theirs"].backbone).__module__.startswith("mmpose.")
    return built


@pytest.fixture(scope="module")
def persons(configs: dict[str, Path], shared_dir: Path) -> list[dict]:
    """A few real persons as the recipe cuts them out, with their annotated boxes."""
    from mmpose.registry import DATASETS

    config = Config.fromfile(configs["ours"])
    init_default_scope(config.default_scope)
    source = {**config.test_dataloader.dataset, "data_root": str(shared_dir / "data/coco_open"), "bbox_file": None}
    dataset = DATASETS.build(source)
    return [dataset[index] for index in range(0, len(dataset), 7)]


def test_heatmaps_of_real_people_are_equal_to_the_last_bit(networks, persons):
    assert len(persons) == 3
    for person in persons:
        heatmaps = {}
        for name, network in networks.items():
            data = network.data_preprocessor({"inputs": [person["inputs"]], "data_samples": [person["data_samples"]]})
            with torch.no_grad():
                heatmaps[name] = network(data["inputs"], None, mode="tensor")
        assert heatmaps["theirs"].shape == (1, 17, 64, 48)
        assert heatmaps["theirs"].max() > 0.5  # the network sees a person
        assert (heatmaps["ours"] - heatmaps["theirs"]).abs().max().item() == 0.0


@pytest.fixture
def measured(configs, weights, shared_dir, tmp_path, monkeypatch) -> Callable[[str, str], dict[str, float]]:
    """`measured(network, split)`: the metrics that `tools/test.py` writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mmengine.config.config.FormatCode", lambda text, **options: (text, False))

    def measure(network: str, split: str) -> dict[str, float]:
        annotations = f"annotations/person_keypoints_{split}.json"
        options = (
            f"test_dataloader.dataset.ann_file={annotations}",
            f"test_dataloader.dataset.data_prefix.img={split}/",
            f"test_evaluator.ann_file=data/coco/{annotations}",
            "test_dataloader.num_workers=0",
            "test_dataloader.persistent_workers=False",
        )
        command = ("test", configs[network], weights, "--data-root", shared_dir / "data/coco_open", "--gt-boxes")
        status = main([str(part) for part in (*command, "--out", "metrics.json", "--cfg-options", *options)])
        assert status == 0
        return json.loads((tmp_path / "metrics.json").read_text())

    return measure


@pytest.mark.parametrize("split", AVERAGE_PRECISION)
@pytest.mark.parametrize("network", ["ours", "theirs"])
def test_average_precision_with_annotated_boxes(measured, network, split):
    assert round(measured(network, split)["coco/AP"], 3) == AVERAGE_PRECISION[split]
