"""Flags put into configs: values, data roots of configs of both frameworks, config names."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path

import pytest
from mmengine.config import Config

from hrnet_plugin.cli import overrides, train
from hrnet_plugin.cli.data_root import LOADERS, point_at, use_ground_truth_boxes
from hrnet_plugin.cli.image_checks import check_images_when_loaded
from hrnet_plugin.cli.pretrained_sources import localise_weights, require_weights
from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.config_tree import leaf_datasets, type_name
from hrnet_plugin.errors import CheckpointError, ConfigError, DataError

POSE = "mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"
COMBINED = "mmpose::body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb256-420e_body8-256x192.py"
SEG = "mmseg::hrnet/fcn_hr18_4xb2-160k_cityscapes-512x1024.py"


@pytest.fixture
def installed(tmp_path: Path):
    """Read a config of an installed framework."""

    def read(base: str) -> Config:
        file = tmp_path / "config.py"
        file.write_text(f"_base_ = ['{base}']")
        return load_config(file)

    return read


def _train_args(**given: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return argparse.Namespace(**{**vars(parser.parse_args(["config.py"])), **given})


def _strings(node: object) -> list[str]:
    if isinstance(node, dict):
        return [text for key in node for text in _strings(node[key])]
    if isinstance(node, (list, tuple)):
        return [text for item in node for text in _strings(item)]
    return [node] if isinstance(node, str) else []


def test_data_root_of_mmpose_topdown_config(installed, tmp_path: Path):
    cfg = installed(POSE)
    point_at(cfg, str(tmp_path))
    for key in LOADERS:
        dataset = cfg[key].dataset
        assert dataset.data_root == f"{tmp_path}/"
        assert dataset.ann_file.startswith("annotations/")
    assert cfg.val_evaluator.ann_file == f"{tmp_path}/annotations/person_keypoints_val2017.json"
    assert cfg.test_evaluator.ann_file == cfg.val_evaluator.ann_file
    boxes = "person_detection_results/COCO_val2017_detections_AP_H_56_person.json"
    assert cfg.test_dataloader.dataset.bbox_file == f"{tmp_path}/{boxes}"


def test_data_root_of_mmseg_config(installed, tmp_path: Path):
    cfg = installed(SEG)
    point_at(cfg, str(tmp_path))
    assert [cfg[key].dataset.data_root for key in LOADERS] == [f"{tmp_path}/"] * 3
    assert cfg.train_dataloader.dataset.data_prefix.img_path == "leftImg8bit/train"


@pytest.mark.parametrize(
    ("config", "places"),
    [
        ("instance_segmentation/coco/htc_hrnetv2p-w18_20e_coco", 5),
        ("image_classification/imagenet/hrnet-w18_4xb32_in1k", 3),
        ("semantic_segmentation/voc12aug/ocrnet_hr18s_4xb4-20k_voc12aug-512x512", 4),
    ],
    ids=["mmdet with its evaluators", "mmpretrain", "mmseg with two training sets"],
)
def test_data_root_reaches_every_loader_and_evaluator(config: str, places: int, project_root: Path, tmp_path: Path):
    cfg = load_config(project_root / "configs" / f"{config}.py")
    point_at(cfg, str(tmp_path))
    paths = [text for key in (*LOADERS, "val_evaluator", "test_evaluator") for text in _strings(cfg[key])]
    assert sum(text.startswith(str(tmp_path)) for text in paths) == places
    assert not [text for text in paths if text.startswith("data/")]


def test_data_root_of_combined_data_sets_keeps_their_folders(installed, tmp_path: Path):
    cfg = installed(COMBINED)
    before = [dict(item) for item in leaf_datasets(cfg.train_dataloader)]
    assert len(before) == 7
    point_at(cfg, str(tmp_path))
    after = list(leaf_datasets(cfg.train_dataloader))
    for old, new in zip(before, after, strict=True):
        assert new["data_root"].rstrip("/") == old["data_root"].rstrip("/").replace("data", str(tmp_path), 1)
        assert new["ann_file"] == old["ann_file"]
    paths = [text for key in (*LOADERS, "val_evaluator", "test_evaluator") for text in _strings(cfg[key])]
    assert sum(text.startswith(str(tmp_path)) for text in paths) >= len(after)
    assert not [text for text in paths if text.startswith("data/")]


def test_data_root_below_the_old_one_is_put_in_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("data/other").mkdir(parents=True)
    loader = {"dataset": {"type": "CocoDataset", "data_root": "data", "ann_file": "data/a.json"}}
    cfg = Config({"val_dataloader": loader})
    cfg.test_dataloader = cfg.val_dataloader  # one object under two names
    point_at(cfg, "data/other")
    assert cfg.val_dataloader.dataset.data_root == "data/other"
    assert cfg.test_dataloader.dataset.ann_file == "data/other/a.json"


def test_data_root_opens_wrapped_data_sets(tmp_path: Path):
    leaf = {"type": "A", "data_root": "x/y/"}
    nested = {"type": "RepeatDataset", "dataset": {"type": "ConcatDataset", "datasets": [leaf, {**leaf, "type": "B"}]}}
    cfg = Config({"train_dataloader": {"dataset": nested}})
    assert [type_name(item) for item in leaf_datasets(cfg.train_dataloader)] == ["A", "B"]
    point_at(cfg, str(tmp_path))
    assert [item["data_root"] for item in leaf_datasets(cfg.train_dataloader)] == [f"{tmp_path}/"] * 2


def test_data_root_needs_a_folder_and_a_root_to_replace(tmp_path: Path):
    cfg = Config({"train_dataloader": {"dataset": {"type": "A", "ann_file": "a.json"}}})
    with pytest.raises(ConfigError, match="no data_root in the config"):
        point_at(cfg, str(tmp_path))
    with pytest.raises(DataError, match="no such folder"):
        point_at(cfg, str(tmp_path / "absent"))
    two = [{"type": "A", "data_root": "a/x"}, {"type": "A", "data_root": "b/y"}]
    with pytest.raises(ConfigError, match=r"without a common folder in the config: a/x, b/y"):
        point_at(Config({"train_dataloader": {"dataset": {"type": "C", "datasets": two}}}), str(tmp_path))


def test_ground_truth_boxes_are_told_for_the_loader_that_evaluates(tmp_path: Path):
    there = tmp_path / "boxes.json"
    there.write_text("[]")
    cfg = Config(
        {
            "val_dataloader": {"dataset": {"type": "A", "bbox_file": str(there)}},
            "test_dataloader": {"dataset": {"type": "A", "bbox_file": "absent.json"}},
        }
    )
    assert use_ground_truth_boxes(cfg, "val_dataloader", always=False) == []
    assert cfg.val_dataloader.dataset.bbox_file == str(there)
    assert cfg.test_dataloader.dataset.bbox_file is None
    told = use_ground_truth_boxes(cfg, "val_dataloader", always=True)
    assert told[0].startswith("--gt-boxes: evaluating with the annotated (ground-truth) person boxes")
    assert cfg.val_dataloader.dataset.bbox_file is None


def test_checkpoints_are_saved_by_our_hook():
    from mmengine.hooks import CheckpointHook

    for hook in ({"type": "CheckpointHook", "interval": 5}, {"type": CheckpointHook, "interval": 5}):
        cfg = Config({"model": {}, "default_hooks": {"checkpoint": dict(hook)}})
        overrides.apply_train_flags(cfg, _train_args())
        assert cfg.default_hooks.checkpoint == {"type": "hrnet_plugin.CheckpointHook", "interval": 5}
    other = Config({"model": {}, "default_hooks": {"checkpoint": {"type": "MyHook"}}})
    overrides.apply_train_flags(other, _train_args())
    assert other.default_hooks.checkpoint.type == "MyHook"
    bare = Config({"model": {}})
    overrides.apply_train_flags(bare, _train_args())
    assert bare.default_hooks["checkpoint"]["type"] == "hrnet_plugin.CheckpointHook"
    without = Config({"model": {}, "default_hooks": {"checkpoint": None}})
    overrides.apply_train_flags(without, _train_args())
    assert without.default_hooks.checkpoint is None


@pytest.mark.parametrize(("device", "expected"), [("cpu", {"dtype": "bfloat16"}), ("cuda", {"loss_scale": "dynamic"})])
def test_amp_is_bf16_on_a_cpu_and_scaled_on_a_gpu(device: str, expected: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("mmengine.device.get_device", lambda: device)
    cfg = Config({"model": {}, "optim_wrapper": {"optimizer": {"type": "Adam"}}})
    overrides.apply_train_flags(cfg, _train_args(precision="auto"))
    assert cfg.optim_wrapper == {"type": "AmpOptimWrapper", "optimizer": {"type": "Adam"}, **expected}


def test_flags_that_the_config_has_nothing_for_are_refused():
    cfg = Config({"model": {"head": {}}, "optim_wrapper": {"type": "ApexOptimWrapper"}, "test_evaluator": {}})
    with pytest.raises(ConfigError, match="optim_wrapper of type ApexOptimWrapper"):
        overrides.apply_train_flags(cfg, _train_args(precision="auto"))
    with pytest.raises(ConfigError, match=r"auto_scale_lr\.base_batch_size"):
        overrides.apply_train_flags(cfg, _train_args(auto_scale_lr=True))
    arguments = {"checkpoint": "a.pth", "dump": None, "out": None}
    with pytest.raises(ConfigError, match=r"expected a \.pkl file"):
        overrides.apply_test_flags(cfg, argparse.Namespace(**{**arguments, "dump": "a.json"}))
    with pytest.raises(ConfigError, match="expected a file for the metrics"):
        overrides.apply_test_flags(cfg, argparse.Namespace(**{**arguments, "out": "folder"}))
    seg = Config({"model": {"decode_head": {}}, "test_evaluator": {}})
    with pytest.raises(ConfigError, match="--tta: found no tta_pipeline"):
        overrides.set_test_time_augmentation(seg)


@pytest.mark.parametrize("scope", ["mmdet", "mmpretrain"])
def test_time_augmentation_of_other_frameworks_is_described_in_the_config(scope: str):
    cfg = Config({"default_scope": scope, "model": {}, "test_dataloader": {"dataset": {"pipeline": [1]}}})
    with pytest.raises(ConfigError, match="--tta: found no tta_pipeline in the config"):
        overrides.set_test_time_augmentation(cfg)
    cfg.merge_from_dict({"tta_pipeline": [2], "tta_model": {"type": "TTA"}})
    assert overrides.set_test_time_augmentation(cfg) == []
    assert cfg.model == {"type": "TTA", "module": {}}
    assert cfg.test_dataloader.dataset.pipeline == [2]


def test_auto_scale_and_no_validate():
    cfg = Config({"model": {}, "auto_scale_lr": {"base_batch_size": 64}, "val_dataloader": {"a": 1}, "val_cfg": {}})
    overrides.apply_train_flags(cfg, _train_args(auto_scale_lr=True, no_validate=True, seed=5))
    assert cfg.auto_scale_lr.enable is True
    assert (cfg.val_cfg, cfg.val_dataloader, cfg.val_evaluator) == (None, None, None)
    assert cfg.randomness.seed == 5


def test_drawing_flags_of_each_framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    args = argparse.Namespace(show=False, show_dir="drawn", interval=3, wait_time=2.0)
    pose = Config({"model": {"head": {}}, "default_hooks": {"visualization": {"type": "PoseVisualizationHook"}}})
    overrides.apply_drawing_flags(pose, args)
    folder = str(tmp_path / "drawn")
    assert pose.default_hooks["visualization"] == {
        "type": "PoseVisualizationHook", "show": False, "interval": 3, "enable": True, "out_dir": folder
    }  # fmt: skip
    seg = Config({"model": {"decode_head": {}}})
    overrides.apply_drawing_flags(seg, argparse.Namespace(**{**vars(args), "show": True}))
    assert seg.default_hooks["visualization"] == {
        "type": "SegVisualizationHook", "show": True, "interval": 3, "draw": True, "wait_time": 2.0
    }  # fmt: skip
    assert seg.visualizer["save_dir"] == folder


def test_every_pipeline_checks_its_images_once(installed):
    cfg = installed(COMBINED)
    for _ in range(2):
        check_images_when_loaded(cfg)
        kinds = [type_name(item) for item in cfg.val_dataloader.dataset.pipeline]
        assert kinds[:2] == ["CheckImageFiles", "LoadImage"]
        assert kinds.count("CheckImageFiles") == 1
    train = [type_name(item) for item in cfg.train_dataloader.dataset.pipeline]
    assert train[:2] == ["CheckImageFiles", "LoadImage"]


def test_pretrained_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    at_hand = tmp_path / "c.pth"
    at_hand.touch()
    normal, url = {"type": "Normal", "std": 0.001}, "https://example.org/a.pth"
    cfg = Config(
        {
            "model": {
                "pretrained": "https://example.org/c.pth",
                "backbone": {"init_cfg": [dict(normal), {"type": "Pretrained", "checkpoint": url}]},
                "head": {"init_cfg": {"type": "Pretrained", "checkpoint": url}},
                "neck": {"init_cfg": {"type": "Pretrained", "checkpoint": "here.pth"}},
            },
            "load_from": "https://example.org/b.pth",
        }
    )
    missing = localise_weights(cfg)
    assert [(item.source, item.path) for item in missing] == [
        (url, tmp_path / "a.pth"),
        ("https://example.org/b.pth", tmp_path / "b.pth"),
    ]
    assert cfg.model.pretrained == str(at_hand)
    assert cfg.model.backbone.init_cfg == [normal]
    assert "init_cfg" not in cfg.model.head
    assert cfg.model.neck.init_cfg.checkpoint == "here.pth"
    assert cfg.load_from is None
    with pytest.raises(ConfigError, match=f"found nothing at {tmp_path}/a.pth, .*hrnet zoo fetch {url}"):
        require_weights(missing)
    require_weights([])


def test_sources_of_a_model_that_a_checkpoint_fills_are_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    damaged = tmp_path / "a-0123abcd.pth"
    damaged.write_text("something else")
    source = {"type": "Pretrained", "checkpoint": f"https://example.org/{damaged.name}"}
    model = {"pretrained": source["checkpoint"], "backbone": {"init_cfg": [dict(source)]}}
    cfg = Config({"model": copy.deepcopy(model)})
    assert localise_weights(cfg, replaced=True) == []
    assert cfg.model.pretrained is None
    assert "init_cfg" not in cfg.model.backbone
    with pytest.raises(CheckpointError, match="SHA-256"):
        localise_weights(Config({"model": model}))
    assert damaged.read_text() == "something else"


def test_configs_are_found_by_path_and_by_name(project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    wanted = project_root / "configs" / "hrnet_w32_coco.py"
    for name in (str(wanted), "hrnet_w32_coco", "hrnet_w32_coco.py", "configs/hrnet_w32_coco.py"):
        assert find_config(name) == wanted
    Path("mine.py").write_text("model = dict()")
    assert find_config("mine.py") == Path("mine.py")


def test_configs_in_folders_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("hrnet_plugin.config_files.project_dir", lambda name: tmp_path / "packaged")
    for name in ("pose/w18.py", "seg/w18.py", "seg/w48.py", "_base_/w99.py"):
        file = tmp_path / "packaged" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert find_config("w48") == tmp_path / "packaged/seg/w48.py"
    assert find_config("pose/w18.py") == tmp_path / "packaged/pose/w18.py"
    with pytest.raises(ConfigError, match=r"config 'w18': found 2 of this name"):
        find_config("w18")
    with pytest.raises(ConfigError, match=r"config 'w99': found no such file"):
        find_config("w99")


def test_single_values_of_a_config(tmp_path: Path):
    file = tmp_path / "a.py"
    file.write_text("model = dict(a=1, b=[dict(c=2)])")
    cfg = load_config(file, ["model.a=[1,2]", "model.b.0.c=None", "new.value=0.5"])
    assert cfg.model == {"a": [1, 2], "b": [{"c": None}]}
    assert cfg.new.value == 0.5
    with pytest.raises(ConfigError, match="no key=value"):
        load_config(file, ["model.a"])
    with pytest.raises(ConfigError, match="fit the config's structure"):
        load_config(file, ["model.b.7.c=1"])
