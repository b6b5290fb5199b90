"""Every config of the zoo has a description; its parts are the framework's own."""

from __future__ import annotations

import copy

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.describing import dataset_meta, describe, pixel_scaling, task_of, usual_size
from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.predictor import check_readable
from hrnet_plugin.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "task", "size"),
    [
        ("quickstart_pose", "pose", (96, 128)),
        ("hrnet_w48_coco", "pose", None),
        ("litehrnet_wider_naive_coco", "pose", None),
        ("cid_hrnet-w32_8xb20-140e_coco-512x512", "features", (512, 512)),
        ("quickstart_seg", "segmentation", None),
        ("hrnet_w48_cityscapes", "segmentation", (2048, 1024)),
        ("hrnet-w18_4xb32_in1k", "classification", (224, 224)),
    ],
)
def test_task_and_size(name, task, size):
    cfg = load_config(find_config(name))
    assert task_of(cfg) == task
    found = usual_size(cfg)
    assert found == size or size is None
    assert all(length % 32 == 0 and length > 0 for length in found)
    if task == "pose":
        assert found == tuple(cfg.model.head.decoder.input_size)


def test_offset_maps_are_read_by_the_framework_alone(pose_cfg):
    cfg = copy.deepcopy(pose_cfg)
    cfg.model.head.decoder.heatmap_type = "combined"
    assert task_of(cfg) == "features"
    cfg.model.head.decoder = {"type": "SimCCLabel"}
    assert task_of(cfg) == "features"


def test_pose(pose_cfg):
    with DefaultScope.overwrite_default_scope("mmpose"):
        from mmpose.datasets import CocoDataset
        from mmpose.datasets.datasets.utils import parse_pose_metainfo

        meta = parse_pose_metainfo(dict(CocoDataset.METAINFO))
    found = describe(pose_cfg, name="x", size=(96, 128))
    assert found.keypoint_names == tuple(meta["keypoint_id2name"][index] for index in range(17))
    assert found.flip_indices == tuple(meta["flip_indices"])
    assert found.sigmas == pytest.approx(tuple(meta["sigmas"]))
    assert found.mean == pytest.approx((123.675, 116.28, 103.53))
    assert found.channel_order == "rgb"
    assert found.classes == found.palette == ()
    assert found.preparing == {"padding": 1.0, "use_udp": True}
    assert describe(load_config(find_config("hrnet_w48_coco"))).preparing["padding"] == 1.25  # mmpose's own
    assert found.codec["type"] == "UDPHeatmap"
    assert found.test_cfg["flip_test"] is True
    assert (found.network, found.precision, found.batch) == ({}, "fp32", None)


@pytest.mark.parametrize(("subset", "count"), [("full", 8), ("lower", 4), ("upper", 6)])
def test_a_data_set_of_several_sets_of_keypoints(subset, count):
    cfg = load_config(find_config(f"td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_{subset}-256x192"))
    found = describe(cfg)
    assert len(found.keypoint_names) == len(found.flip_indices) == cfg.model.head.out_channels == count


def test_segmentation():
    cfg = load_config(find_config("hrnet_w48_cityscapes"))
    found = describe(cfg)
    with DefaultScope.overwrite_default_scope("mmseg"):
        from mmseg.datasets import CityscapesDataset

        assert found.classes == tuple(CityscapesDataset.METAINFO["classes"])
        assert found.palette == tuple(map(tuple, CityscapesDataset.METAINFO["palette"]))
    assert found.preparing == {"scale": [2048, 1024], "keep_ratio": True}
    assert found.keypoint_names == ()


def test_classification():
    found = describe(load_config(find_config("hrnet-w18_4xb32_in1k")))
    assert len(found.classes) == 1000
    assert found.preparing == {"edge": 256, "crop": 224, "backend": "pillow"}
    assert found.palette == ()


def test_pixels_as_they_are_where_a_config_says_nothing():
    scaling = pixel_scaling(Config({"model": {"type": "EncoderDecoder"}}))
    assert (scaling.mean, scaling.std, scaling.swap_channels) == ((0.0,) * 3, (1.0,) * 3, False)


def _with_steps(*steps: dict, **others: object) -> Config:
    return Config({"model": {"type": "EncoderDecoder", **others}, "test_pipeline": list(steps)})


def test_size_of_a_segmentation():
    kept = {"type": "Resize", "scale": (2048, 512), "keep_ratio": True}
    crop = {"data_preprocessor": {"type": "SegDataPreProcessor", "size": (480, 640)}}
    assert usual_size(_with_steps({"type": "Resize", "scale": (300, 200)})) == (300, 200)
    assert usual_size(_with_steps(kept)) == (2048, 512)
    assert usual_size(_with_steps(kept, **crop)) == (640, 480)
    assert usual_size(_with_steps({"type": "Resize", "scale_factor": 0.5}, **crop)) == (640, 480)
    sliding = {"mode": "slide", "crop_size": (64, 96), "stride": (32, 32)}
    assert usual_size(_with_steps(kept, test_cfg=sliding)) == (96, 64)
    with pytest.raises(ConfigError, match="size of the images: found none in the config"):
        usual_size(_with_steps({"type": "LoadImageFromFile"}))


def test_the_data_set_s_own_words(pose_cfg):
    cfg = copy.deepcopy(pose_cfg)
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"] = None
    assert dataset_meta(cfg) == {}
    assert describe(cfg, size=(96, 128)).keypoint_names == ()


def test_images_of_a_classifier():
    cfg = load_config(find_config("hrnet-w30_4xb32_in1k"))
    assert describe(cfg).preparing["crop"] == 224

    def preparing(*steps):
        cfg.test_dataloader.dataset.pipeline = [{"type": "LoadImageFromFile"}, *steps, {"type": "PackInputs"}]
        return describe(cfg).preparing

    whole, middle = {"type": "Resize", "scale": (224, 192)}, {"type": "CenterCrop", "crop_size": 160}
    assert preparing(whole) == {"scale": [224, 192]}
    for unread in (preparing(whole, middle), preparing({**whole, "keep_ratio": True})):
        with pytest.raises(ConfigError, match="found a test pipeline with Resize and keep_ratio, or beside"):
            check_readable(NetworkDescription("classification", preparing=unread))


def test_joined_data_sets_say_what_they_are_joined_into(pose_cfg):
    cfg = copy.deepcopy(pose_cfg)
    leaf = dict(cfg.test_dataloader.dataset)
    other = {"type": "MpiiDataset", "ann_file": "x.json"}
    joined = {"type": "CombinedDataset", "metainfo": {"from_file": "configs/_base_/datasets/crowdpose.py"}}
    cfg.test_dataloader.dataset = {**joined, "datasets": [other, leaf]}
    assert len(describe(cfg, size=(96, 128)).keypoint_names) == 14
    cfg.test_dataloader.dataset = {"type": "RepeatDataset", "times": 2, "dataset": {**joined, "datasets": [leaf]}}
    assert len(describe(cfg, size=(96, 128)).keypoint_names) == 14
    cfg.test_dataloader.dataset = {"type": "RepeatDataset", "times": 2, "dataset": other}
    assert len(describe(cfg, size=(96, 128)).keypoint_names) == 16
