"""`hrnet publish`: the file holds what the checkpoint held, loads in every framework, and nothing else is touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from hrnet_plugin.analysis.complexity import count_complexity
from hrnet_plugin.checkpoints.network_meta import describe_network, described_spec
from hrnet_plugin.compat.checkpoint_reading import read_checkpoint
from hrnet_plugin.published.index import find_model, find_weights_row, read_index

_DET = """
_base_ = ['mmdet::_base_/default_runtime.py']
model = dict(
    type='RetinaNet',
    data_preprocessor=dict(type='DetDataPreprocessor'),
    backbone=dict(type='hrnet_plugin.HRNet', extra=extra),
    neck=dict(type='hrnet_plugin.HRFPN', in_channels=[8, 16, 32, 64], out_channels=16),
    bbox_head=dict(
        type='RetinaHead', num_classes=2, in_channels=16, stacked_convs=1, feat_channels=16,
        anchor_generator=dict(type='AnchorGenerator', octave_base_scale=4, scales_per_octave=3,
                              ratios=[0.5, 1.0, 2.0], strides=[4, 8, 16, 32, 64]),
        bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_means=[0] * 4, target_stds=[1] * 4),
        loss_cls=dict(type='FocalLoss', use_sigmoid=True), loss_bbox=dict(type='L1Loss')),
    test_cfg=dict(nms_pre=10, min_bbox_size=0, score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=9))
test_dataloader = dict(dataset=dict(type='CocoDataset'))
"""

_CLS = """
_base_ = ['mmpretrain::_base_/default_runtime.py']
model = dict(
    type='ImageClassifier',
    backbone=dict(type='hrnet_plugin.HRNet', extra=extra),
    neck=[dict(type='HRFuseScales', in_channels=(8, 16, 32, 64)), dict(type='GlobalAveragePooling')],
    head=dict(type='LinearClsHead', in_channels=2048, num_classes=3, loss=dict(type='CrossEntropyLoss')))
test_dataloader = dict(dataset=dict(type='ImageNet', data_root='absent'))
"""

_LOADERS = {
    "mmpose": lambda config, path: __import__("mmpose.apis").apis.init_model(config, path, device="cpu"),
    "mmseg": lambda config, path: __import__("mmseg.apis").apis.init_model(config, path, device="cpu"),
    "mmdet": lambda config, path: __import__("mmdet.apis").apis.init_detector(
        config, path, palette="random", device="cpu"
    ),
    "mmpretrain": lambda config, path: __import__("mmpretrain").get_model(config, path, device="cpu"),
}
_DATASET_META = {
    "mmpose": {"dataset_name": "coco", "num_keypoints": 17, "keypoint_id2name": {0: "nose"}, "flip_indices": [0]},
    "mmseg": {"classes": ("ground", "person"), "palette": [[0, 0, 0], [9, 9, 9]], "label_map": None},
    "mmdet": {"classes": ("cat", "dog"), "palette": [(1, 2, 3), (4, 5, 6)]},
    "mmpretrain": {"classes": ["cat", "dog", "cow"]},
}
_NAMES = {"mmpose": "keypoint_id2name", "mmseg": "classes", "mmdet": "classes", "mmpretrain": "classes"}


@dataclass(frozen=True)
class Trained:
    """A config, its network, and the checkpoint of a training of it."""

    scope: str
    config: Path
    network: nn.Module
    checkpoint: Path


def build(config: Path) -> nn.Module:
    cfg = Config.fromfile(config)
    cfg.model.backbone.pop("init_cfg", None)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        return MODELS.build(cfg.model)


def save_as_trained(network: nn.Module, path: Path, **entries: object) -> None:
    """A checkpoint with all that mmengine and its EMAHook write: averaged weights, live ones, optimizer, logs."""
    from mmengine.logging import MessageHub

    hub = MessageHub(f"hub of {path}")
    hub.update_scalar("train/loss", 0.5)
    hub.update_info("last_ckpt", "/home/somebody/epoch_1.pth")
    optimizer = torch.optim.Adam(network.parameters())
    live = {f"module.{key}": torch.ones_like(value) for key, value in network.state_dict().items()}
    content = {
        "meta": {"cfg": "import os", "epoch": 1, "iter": 2, "seed": 3, "time": "now", "mmengine_version": "0.10.7"},
        "state_dict": network.state_dict(),
        "message_hub": hub.state_dict(),
        "optimizer": optimizer.state_dict(),
        "param_schedulers": [{"last_step": 3}],
        "random_streams": [{"python": (3, (1, 2), None)}],
        "ema_state_dict": {"steps": torch.tensor(5), **live},
    }
    content["meta"] |= entries.pop("meta", {})
    torch.save({**content, **entries}, path)


@pytest.fixture
def trained(workplace: Path, pose_config: Path, seg_config: Path) -> Callable[[str], Trained]:
    """A network of a framework with random weights, norms included, and a checkpoint of it at epoch_1.pth."""

    def train(scope: str) -> Trained:
        extra = pose_config.read_text().partition("_base_")[0]
        texts = {"mmpose": pose_config.read_text(), "mmseg": seg_config.read_text()}
        config = workplace / f"{scope}_{workplace.name}.py"
        config.write_text(texts.get(scope) or extra + {"mmdet": _DET, "mmpretrain": _CLS}[scope])
        torch.manual_seed(0)
        network = build(config).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor in module.state_dict().values():
                    tensor.copy_(torch.rand(tensor.shape) + 0.5)
        meta = {"dataset_meta": _DATASET_META[scope], **describe_network(network.backbone.spec)}
        save_as_trained(network, workplace / "epoch_1.pth", meta=meta)
        return Trained(scope, config, network, workplace / "epoch_1.pth")

    return train


@pytest.fixture
def pose(trained) -> Trained:
    return trained("mmpose")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def published_file(folder: Path | str = "published") -> Path:
    """The one published file in a folder."""
    (path,) = (path for path in Path(folder).iterdir() if path.suffix in (".pth", ".safetensors"))
    return path


def rows(metafile: Path | str = "published/metafile.yml") -> list[dict]:
    return yaml.safe_load(Path(metafile).read_text())["Models"]


@pytest.mark.parametrize("scope", _LOADERS)
def test_a_published_file_loads_back_in_its_framework(hrnet, trained, scope):
    source = trained(scope)
    before, image = digest(source.checkpoint), torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = source.network(image, None, mode="tensor")
    for form in ("pth", "safetensors"):
        done = hrnet("publish", source.checkpoint, "--config", source.config, "--format", form, "--out", form)
        assert done.status == 0, done.err
        path = published_file(form)
        network = _LOADERS[scope](str(source.config), str(path)).eval()
        weights = network.state_dict()
        assert weights.keys() == source.network.state_dict().keys()
        for key, value in source.network.state_dict().items():
            assert weights[key].dtype == value.dtype
            assert torch.equal(weights[key], value), key
        with torch.no_grad():
            torch.testing.assert_close(network(image, None, mode="tensor"), expected, rtol=0, atol=0)
        meta = read_checkpoint(path)["meta"]
        assert meta["dataset_meta"] == _DATASET_META[scope]
        given, names = getattr(network, "dataset_meta" if scope != "mmpretrain" else "_dataset_meta"), _NAMES[scope]
        assert given[names] == _DATASET_META[scope][names]
        assert described_spec(meta) == source.network.backbone.spec
        assert path.name == f"{source.config.stem}-{digest(path)[:8]}.{form}"
        assert digest(path) in done.out
        assert "averaged" in done.out
    assert digest(source.checkpoint) == before
    assert not list(Path().rglob("*.partial"))


def test_only_weights_and_their_description_are_published(hrnet, pose):
    assert hrnet("publish", pose.checkpoint, "--config", pose.config, "--metric", "AP=0.5").status == 0
    read = torch.load(published_file(), weights_only=True)
    assert read.keys() == {"state_dict", "meta"}
    assert read["meta"].keys() == {"dataset_meta", "hrnet_plugin"}
    own = read["meta"]["hrnet_plugin"]
    assert own.keys() == {"version", "spec", "name", "config", "results", "versions"}
    assert own["config"] == pose.config.name
    assert own["results"] == [{"Task": "Body 2D Keypoint", "Dataset": "COCO", "Metrics": {"AP": 0.5}}]
    assert own["versions"]["torch"] == torch.__version__
    assert str(pose.config.parent) not in json.dumps(read["meta"])


def test_the_averaged_weights_of_a_training_are_those_that_a_test_takes(hrnet, data, pose_config):
    pose_config.write_text(pose_config.read_text() + "custom_hooks = [dict(type='EMAHook', momentum=0.5)]\n")
    outcome = hrnet("train", pose_config, "--data-root", data, "--work-dir", "run", "--no-validate")
    assert outcome.status == 0, outcome.err
    saved = read_checkpoint("run/epoch_1.pth")
    assert "ema_state_dict" in saved
    assert any(
        not torch.equal(value, saved["ema_state_dict"][f"module.{key}"]) for key, value in saved["state_dict"].items()
    )
    done = hrnet("publish", "run/epoch_1.pth", "--config", pose_config)
    assert done.status == 0, done.err
    read = torch.load(published_file(), weights_only=True)
    assert all(torch.equal(value, saved["state_dict"][key]) for key, value in read["state_dict"].items())
    assert "optimizer" in done.out.partition("left out")[2].splitlines()[0]
    assert read["meta"]["dataset_meta"]["num_keypoints"] == 17
    network = build(pose_config)
    network.load_state_dict(read["state_dict"], strict=True)


def test_the_same_weights_give_the_same_file(hrnet, pose):
    # Also under the prefix of a wrapper, and cut out of memory that they share.
    reference = digest(_publish(hrnet, pose, "plain"))
    everything, cut, start = torch.cat([value.flatten() for value in _numbers(pose).values()]), {}, 0
    for key, value in pose.network.state_dict().items():
        cut[f"module.{key}"] = value
        if value.is_floating_point():
            cut[f"module.{key}"] = everything[start : start + value.numel()].view(value.shape)
            start += value.numel()
    save_as_trained(pose.network, pose.checkpoint, state_dict=cut, meta=_meta(pose))
    assert digest(_publish(hrnet, pose, "cut")) == reference


def _numbers(source: Trained) -> dict[str, torch.Tensor]:
    return {key: value for key, value in source.network.state_dict().items() if value.is_floating_point()}


def _meta(source: Trained) -> dict:
    return {"dataset_meta": _DATASET_META[source.scope], **describe_network(source.network.backbone.spec)}


def _publish(hrnet, source: Trained, out: str, *more: object) -> Path:
    done = hrnet("publish", source.checkpoint, "--config", source.config, "--out", out, *more)
    assert done.status == 0, done.err
    return published_file(out)


# The row


def test_the_row_says_what_was_published(hrnet, pose):
    Path("metrics.json").write_text(json.dumps({"coco/AP": 0.1, "coco/AR": 0.2}))
    path = _publish(
        hrnet, pose, "out", "--metrics-file", "metrics.json", "--metric", "coco/AP=0.3", "--name", "tiny",
        "--url", "https://example.org/weights/",
    )  # fmt: skip
    (row,) = rows("out/metafile.yml")
    backbone = row["Metadata"].pop("Backbone")
    assert (backbone["network"], backbone["upsample_mode"], len(backbone["stages"])) == ("HRNet", "nearest", 4)
    assert row["Metadata"]["Parameters"] == sum(item.numel() for item in pose.network.parameters())
    assert row["Metadata"]["Training Data"] == "COCO"
    cost = count_complexity(pose.network, (64, 64), options={"data_samples": None})
    assert row["Metadata"]["Input Size"] == "64x64"
    assert row["Metadata"]["MACs (10^9)"] == pytest.approx(cost.macs / 1e9, abs=1e-4)
    assert cost.macs > 0
    assert row["Config"] == f"../{pose.config.name}"
    assert row["Results"] == [
        {"Task": "Body 2D Keypoint", "Dataset": "COCO", "Metrics": {"coco/AP": 0.3, "coco/AR": 0.2}}
    ]
    assert row["Weights"] == f"https://example.org/weights/{path.name}"
    assert row["SHA256"] == digest(path)
    assert path.name.startswith("tiny-")


@pytest.mark.parametrize(
    ("scope", "task", "dataset"),
    [
        ("mmseg", "Semantic Segmentation", "BaseSeg"),
        ("mmdet", "Object Detection", "COCO"),
        ("mmpretrain", "Image Classification", "ImageNet"),
    ],
)
def test_the_config_tells_task_and_data_set(trained, scope, task, dataset):
    from argparse import Namespace

    from hrnet_plugin.cli.published_row import compose_row

    source = trained(scope)
    nothing = Namespace(dataset=None, collection=None, task=None)
    cfg = Config.fromfile(source.config)
    row = compose_row(nothing, "a", source.config, Path("metafile.yml"), {}, cfg, source.network)
    assert row["Results"] == [{"Task": task, "Dataset": dataset, "Metrics": {}}]
    assert row["In Collection"] == "HRNet"
    assert row["Metadata"]["Parameters"] == sum(item.numel() for item in source.network.parameters())


def test_a_row_is_added_to_the_others(hrnet, pose):
    first = _publish(hrnet, pose, "out", "--name", "first")
    metafile = Path("out/metafile.yml")
    metafile.write_text("# ours\n" + metafile.read_text())
    before = metafile.read_text()
    again = hrnet("publish", pose.checkpoint, "--config", pose.config, "--out", "out", "--name", "first")
    assert again.status == 0, again.err
    assert metafile.read_text() == before
    done = hrnet("publish", pose.checkpoint, "--config", pose.config, "--out", "out", "--name", "second",
                 "--format", "safetensors")  # fmt: skip
    assert done.status == 0, done.err
    assert metafile.read_text().startswith(before)
    assert [row["Name"] for row in rows(metafile)] == ["first", "second"]
    assert digest(first) == rows(metafile)[0]["SHA256"]


def test_the_index_reads_the_row(hrnet, pose, workplace):
    folder = workplace / "configs" / "body"
    folder.mkdir(parents=True)
    pose.config.rename(folder / "tiny.py")
    moved = Trained("mmpose", folder / "tiny.py", pose.network, pose.checkpoint)
    path = _publish(hrnet, moved, "out", "--metafile", folder / "metafile.yml", "--url", "https://example.org")
    (model,) = read_index(workplace / "configs")
    assert (model.name, model.config) == ("tiny", folder / "tiny.py")
    assert find_model("tiny", (model,)).weights.file_name == path.name
    (workplace / "configs" / "_base_" / "weights").mkdir(parents=True)
    (workplace / "configs" / "_base_" / "weights" / "metafile.yml").write_text("Models: []\n")
    assert find_weights_row("tiny", workplace / "configs").sha256 == digest(path)


# Wrong input


def test_a_metric_that_is_none(refused, pose):
    for wrong in ("AP", "AP=high", "=0.5", "AP=nan", "AP=inf"):
        assert f"--metric {wrong}: found no NAME=VALUE" in refused(
            "publish", pose.checkpoint, "--config", pose.config, "--metric", wrong
        )
    for number, content in enumerate(("[1]", '{"AP": "high"}', '{"AP": NaN}', "{")):
        Path(f"{number}.json").write_text(content)
        line = refused("publish", pose.checkpoint, "--config", pose.config, "--metrics-file", f"{number}.json")
        assert f"--metrics-file {number}.json: found" in line
    assert "no such file" in refused("publish", "a.pth", "--config", pose.config, "--metrics-file", "absent.json")
    assert not Path("published").exists()


def test_other_arguments_that_are_wrong(refused, pose):
    command = ("publish", pose.checkpoint, "--config", pose.config)
    assert "name 'a/b': found no file name" in refused(*command, "--name", "a/b")
    assert "--url here: found no URL" in refused(*command, "--url", "here")
    line = refused(*command, "--format", "safetensors", "--url", "https://host/a.pth")
    assert line.endswith(
        "--url https://host/a.pth: found a file of the other format, expected one that ends in .safetensors"
    )
    assert "config 'absent'" in refused("publish", pose.checkpoint, "--config", "absent")
    assert not Path("published").exists()


def test_weights_that_are_not_those_of_the_config(refused, pose):
    weights = pose.network.state_dict()
    cases = {
        "found 1": {key: value for key, value in weights.items() if key == "head.final_layer.weight"},
        "First mismatch: head.final_layer.weight has shape": {**weights, "head.final_layer.weight": torch.ones(2)},
        "found 1 keys that the network has no place for, the first backbone.extra": {
            **weights, "backbone.extra": torch.ones(1)
        },
    }  # fmt: skip
    for words, changed in cases.items():
        save_as_trained(pose.network, pose.checkpoint, state_dict=changed)
        assert words in refused("publish", pose.checkpoint, "--config", pose.config)
    assert not Path("published").exists()


def test_weights_of_the_same_keys_and_another_upsampling(refused, pose):
    other = pose.network.backbone.spec.with_choices(upsample_mode="bilinear")
    save_as_trained(pose.network, pose.checkpoint, meta=describe_network(other))
    line = refused("publish", pose.checkpoint, "--config", pose.config)
    assert "found same keys, other outputs: by its metadata the weights are of a network with" in line
    assert "upsample_mode='bilinear', this one has upsample_mode='nearest'" in line


def test_another_file_of_the_name_stays(refused, hrnet, pose):
    path = _publish(hrnet, pose, "out")
    path.write_text("mine")
    line = refused("publish", pose.checkpoint, "--config", pose.config, "--out", "out")
    assert f"published file {path}: found another file of that name" in line
    assert path.read_text() == "mine"
