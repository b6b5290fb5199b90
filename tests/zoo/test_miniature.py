from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, METRICS, DefaultScope

from hrnet_plugin.config_tree import dicts_in, leaf_datasets
from hrnet_plugin.errors import ConfigError, MissingDependency
from hrnet_plugin.zoo.miniature import batch as batches
from hrnet_plugin.zoo.miniature import first_batch, with_miniature_data, with_small_sizes
from hrnet_plugin.zoo.miniature.pictures import SIZE
from hrnet_plugin.zoo.miniature.plan import below
from hrnet_plugin.zoo.miniature.sizes import small_size

TOPDOWN = "mmpose::body_2d_keypoint/topdown_heatmap"
COCO = f"{TOPDOWN}/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"
COCO_W48 = f"{TOPDOWN}/coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py"
MERGED = f"{TOPDOWN}/coco/td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-merge.py"
MPII = f"{TOPDOWN}/mpii/td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py"
POSETRACK = f"{TOPDOWN}/posetrack18/td-hm_hrnet-w32_8xb64-20e_posetrack18-256x192.py"
CROPS = "topdown_heatmap"
WHOLE = f"mmpose::wholebody_2d_keypoint/{CROPS}/coco-wholebody/td-hm_hrnet-w32_8xb64-210e_coco-wholebody-256x192.py"
HAND = (
    f"mmpose::hand_2d_keypoint/{CROPS}/coco_wholebody_hand/td-hm_hrnetv2-w18_8xb32-210e_coco-wholebody-hand-256x256.py"
)
FACE = f"mmpose::face_2d_keypoint/{CROPS}/aflw/td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256.py"
FASHION = f"mmpose::fashion_2d_keypoint/{CROPS}/deepfashion/td-hm_hrnet-w48_udp_8xb32-210e_deepfashion_upper-256x192.py"
CID = "mmpose::body_2d_keypoint/cid/coco/cid_hrnet-w32_8xb20-140e_coco-512x512.py"
DEKR = "mmpose::body_2d_keypoint/dekr/crowdpose/dekr_hrnet-w32_8xb10-300e_crowdpose-512x512.py"
DROPOUT = f"{TOPDOWN}/coco/td-hm_hrnet-w32_coarsedropout-8xb64-210e_coco-256x192.py"
ADE = "mmseg::hrnet/fcn_hr18s_4xb4-80k_ade20k-512x512.py"
VOC = "mmseg::hrnet/fcn_hr18s_4xb4-20k_voc12aug-512x512.py"
CITYSCAPES = "mmseg::hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py"
ISAID = "mmseg::hrnet/fcn_hr18s_4xb4-80k_isaid-896x896.py"
CONTEXT = "mmseg::hrnet/fcn_hr48_4xb4-40k_pascal-context-59-480x480.py"
HTC = "mmdet::hrnet/htc_hrnetv2p-w18_20e_coco.py"
FCOS = "mmdet::hrnet/fcos_hrnetv2p-w18-gn-head_ms-640-800-4xb4-2x_coco.py"
IMAGENET = "mmpretrain::hrnet/hrnet-w18_4xb32_in1k.py"


@pytest.fixture
def small(upstream, data_folder):
    """The miniature of an upstream config."""
    return lambda address: with_miniature_data(upstream(address), data_folder)


@pytest.mark.parametrize(
    ("address", "keypoints", "size"),
    [
        (COCO, 17, (64, 96)), (MERGED, 17, (64, 96)), (MPII, 16, (96, 96)), (POSETRACK, 17, (64, 96)),
        (WHOLE, 133, (64, 96)), (HAND, 21, (96, 96)), (FACE, 19, (96, 96)),
        (FASHION, 6, (64, 96)),
    ],
)  # fmt: skip
def test_crops_of_every_form_of_annotation(small, address, keypoints, size):
    cfg = small(address)
    train, val = first_batch(cfg, "train_dataloader"), first_batch(cfg, "val_dataloader")
    for data in (train, val):
        assert [picture.shape for picture in data["inputs"]] == [(3, size[1], size[0])] * 2
        assert all(picture.float().std() > 10 for picture in data["inputs"])
    for sample in train["data_samples"]:
        heatmaps = sample.gt_fields.heatmaps
        assert heatmaps.shape == (keypoints, size[1] // 4, size[0] // 4)
        seen = sample.gt_instance_labels.keypoint_weights[0].bool()
        assert seen.sum() >= 3
        assert (heatmaps.amax(dim=(1, 2))[seen] > 0.5).float().mean() > 0.5  # a rotated crop may lose some
    for sample in val["data_samples"]:
        truth = sample.gt_instances
        known = truth.keypoints_visible[0] > 0
        places = truth.keypoints[0][known]
        assert len(places) >= 3
        assert (places >= 0).all()
        assert (places <= np.array(SIZE)).all()


@pytest.mark.parametrize(("address", "keypoints"), [(CID, 17), (DEKR, 14)])
def test_whole_pictures_of_people(small, address, keypoints):
    cfg = small(address)
    train, val = first_batch(cfg, "train_dataloader"), first_batch(cfg, "val_dataloader")
    assert [tuple(picture.shape) for picture in train["inputs"]] == [(3, 192, 192)] * 2
    assert [len(val["inputs"]), val["inputs"][0].shape[-2] % 32] == [1, 0]  # these heads predict for one at a time
    assert all(sample.gt_fields.heatmaps.shape[0] in (keypoints, keypoints + 1) for sample in train["data_samples"])
    assert all(sample.gt_fields.heatmaps.max() > 0.5 for sample in train["data_samples"])


def test_a_region_of_the_first_picture_is_without_labels(small):
    cfg = small(CID)
    with DefaultScope.overwrite_default_scope("mmpose"):
        dataset = DATASETS.build({**cfg.train_dataloader.dataset, "pipeline": []})
    regions = [dataset.get_data_info(index)["invalid_segs"] for index in range(len(dataset))]
    assert [len(found) for found in regions] == [1, 0, 0]
    assert sum(regions[0][0]["counts"]) == SIZE[0] * SIZE[1]


@pytest.mark.parametrize(
    ("address", "classes", "ignores", "crop"),
    [
        (ADE, 150, True, (64, 64)), (VOC, 21, False, (64, 64)), (CITYSCAPES, 19, False, (64, 128)),
        (ISAID, 16, False, (128, 128)), (CONTEXT, 59, True, (64, 64)),
    ],
)  # fmt: skip
def test_label_maps(small, address, classes, ignores, crop):
    cfg = small(address)
    for loader in ("train_dataloader", "val_dataloader"):
        for picture, sample in zip(*(first_batch(cfg, loader)[key] for key in ("inputs", "data_samples")), strict=True):
            labels = sample.gt_sem_seg.data
            values = set(labels.unique().tolist())
            assert len(values - {255}) >= 2
            assert max(values - {255}) < classes
            if loader == "train_dataloader":
                assert labels.shape[1:] == picture.shape[1:]
                assert all(side <= most for side, most in zip(picture.shape[1:], crop, strict=True))
    maps = [_labels_on_disk(dataset) for dataset in leaf_datasets(cfg.train_dataloader)]
    lowest, highest = min(low for low, _ in maps), max(high for _, high in maps)
    assert lowest >= int(ignores)  # 0 would mean "no class"
    assert highest < classes + int(ignores)
    assert tuple(cfg.model.data_preprocessor.size) == crop


def _labels_on_disk(dataset: dict) -> tuple[int, int]:
    import cv2

    folder = Path(dataset["data_root"], dataset["data_prefix"]["seg_map_path"])
    values = np.concatenate([cv2.imread(str(path), cv2.IMREAD_UNCHANGED).ravel() for path in folder.rglob("*.png")])
    return int(values.min()), int(values[values != 255].max())


def test_boxes_masks_and_maps_of_stuff(small):
    cfg = small(HTC)
    batch = first_batch(cfg, "train_dataloader")
    for picture, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
        assert picture.shape == (3, 96, 128)
        boxes, masks = sample.gt_instances.bboxes.tensor, sample.gt_instances.masks
        assert len(boxes) == len(masks) == 4
        assert (boxes >= 0).all()
        assert (boxes <= torch.tensor([128, 96, 128, 96])).all()
        assert ((boxes[:, 2:] - boxes[:, :2]).prod(dim=1) > 400).all()
        inside = np.array([np.argwhere(mask).mean(axis=0)[::-1] for mask in masks.masks])
        assert (inside > boxes[:, :2].numpy()).all()
        assert (inside < boxes[:, 2:].numpy()).all()
        assert 0 <= sample.gt_instances.labels.min() <= sample.gt_instances.labels.max() < 80
        stuff = set(sample.gt_sem_seg.sem_seg.unique().tolist()) - {255}
        assert len(stuff) >= 2
        assert max(stuff) < 183
    assert len(first_batch(cfg, "val_dataloader")["inputs"]) == 1


def test_several_scales_stay_different(small):
    scales = next(node["scales"] for node in dicts_in(small(FCOS).train_dataloader) if "scales" in node)
    assert [tuple(scale) for scale in scales] == [(160, 64), (160, 96)]


def test_classified_pictures(small):
    cfg = small(IMAGENET)
    for loader in ("train_dataloader", "val_dataloader"):
        batch = first_batch(cfg, loader)
        assert [tuple(picture.shape) for picture in batch["inputs"]] == [(3, 64, 64)] * 2
        labels = [int(sample.gt_label) for sample in batch["data_samples"]]
        assert len(set(labels)) == 2
        assert max(labels) >= 3  # drawn from all of them, not counted from 0


def test_a_batch_is_the_same_again_and_leaves_the_random_numbers_alone(small):
    cfg = small(COCO)
    first = first_batch(cfg, "train_dataloader")
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    before = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    again = first_batch(cfg, "train_dataloader")
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == before
    assert all(torch.equal(one, other) for one, other in zip(first["inputs"], again["inputs"], strict=True))
    assert not torch.equal(*first["inputs"])


def test_two_writings_are_the_same(upstream, tmp_path):
    written = []
    for name in ("one", "other"):
        with_miniature_data(upstream(COCO), tmp_path / name)
        files = [path for path in sorted((tmp_path / name).rglob("*")) if path.is_file()]
        written.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len(written[0]) == 8  # three pictures and a file of annotations, for training and for validation


def test_configs_of_one_data_set_share_its_files(upstream, tmp_path):
    one = with_miniature_data(upstream(COCO), tmp_path)
    folders = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    other = with_miniature_data(upstream(COCO_W48), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == folders
    assert len(folders) == 2
    assert one.train_dataloader.dataset.data_root == other.train_dataloader.dataset.data_root


def test_the_config_itself_is_not_changed(upstream, data_folder):
    cfg = upstream(COCO)
    before = copy.deepcopy(cfg.to_dict())
    with_miniature_data(cfg, data_folder)
    assert cfg.to_dict() == before


def test_loaders_are_plain_and_boxes_annotated(small):
    cfg = small(COCO)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert (loader.batch_size, loader.num_workers, loader.persistent_workers) == (2, 0, False)
        assert loader.sampler.shuffle is False
        assert "bbox_file" not in loader.dataset


@pytest.mark.parametrize("address", [COCO, CID, HTC, WHOLE])
def test_evaluators_read_what_their_loader_reads(small, address):
    cfg = small(address)
    dataset = cfg.val_dataloader.dataset
    evaluator = cfg.val_evaluator
    assert Path(evaluator.ann_file) == Path(dataset.data_root, dataset.ann_file)
    assert len(json.loads(Path(evaluator.ann_file).read_text())["images"]) == 3
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        METRICS.build(evaluator)


def test_mpii_has_the_heads_that_its_evaluator_needs(small):
    batch = first_batch(small(MPII), "val_dataloader")
    assert all(
        sample.gt_instances.head_size.item() == pytest.approx(0.6 * 288**0.5) for sample in batch["data_samples"]
    )


def test_models_and_codecs_shrink_alike(small, upstream):
    cfg = small(COCO)
    encoder = next(node["encoder"] for node in dicts_in(cfg.train_dataloader) if "encoder" in node)
    assert dict(encoder) == dict(cfg.model.head.decoder)
    assert (cfg.model.head.decoder.input_size, cfg.model.head.decoder.heatmap_size) == ((64, 96), (16, 24))
    assert with_small_sizes(upstream(COCO).model) == cfg.model
    assert upstream(COCO).model.head.decoder.input_size == (192, 256)


def test_sliding_windows_still_overlap(upstream):
    cfg = with_small_sizes(upstream(CONTEXT).model)["test_cfg"]
    assert (cfg["crop_size"], cfg["stride"]) == ((64, 64), (42, 42))


def test_detectors_look_at_few_boxes(upstream):
    test_cfg = with_small_sizes(upstream(HTC).model)["test_cfg"]
    assert (test_cfg["rpn"]["nms_pre"], test_cfg["rcnn"]["max_per_img"], test_cfg["rcnn"]["score_thr"]) == (
        200,
        30,
        0.0,
    )
    assert upstream(HTC).model["test_cfg"]["rcnn"]["score_thr"] == 0.001


@pytest.mark.parametrize("size", [0.5, True, (64, "96")])
def test_sizes_are_whole_numbers(size):
    with pytest.raises(ConfigError, match=r"size in a pipeline or codec: found .+ expected whole numbers of pixels"):
        small_size(size, "mmpose")


@pytest.mark.parametrize(
    ("size", "scope", "expected"), [((192, 256), "mmpose", (64, 96)), ([2048, 512], "mmseg", [256, 64])]
)
def test_sizes_keep_their_form(size, scope, expected):
    assert small_size(size, scope) == expected


def test_paths_stay_below_the_folder():
    assert [below(path) for path in ("/data/coco/", "data/x.json", "../../data/", "")] == [
        "data/coco", "data/x.json", "data", ".",
    ]  # fmt: skip


def test_a_config_without_a_framework_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="default_scope of the config: found None, expected mmpose or"):
        with_miniature_data(Config({"model": {}}), tmp_path)


def test_an_evaluator_of_other_annotations_is_refused(upstream, data_folder):
    cfg = copy.deepcopy(upstream(COCO))
    cfg.val_evaluator.ann_file = "data/coco/annotations/other.json"
    with pytest.raises(
        ConfigError, match=r"val_evaluator\.ann_file: found data/coco/annotations/other\.json, expected"
    ):
        with_miniature_data(cfg, data_folder)


def test_a_loader_that_is_not_there_is_named(upstream):
    with pytest.raises(ConfigError, match="config: found no `night_dataloader`"):
        first_batch(upstream(COCO), "night_dataloader")


def test_albumentations_are_named_where_they_are_missing(small, monkeypatch):
    monkeypatch.setattr("mmpose.datasets.transforms.common_transforms.albumentations", None)
    with pytest.raises(MissingDependency, match="albumentations: found not installed, expected version 1"):
        first_batch(small(DROPOUT), "train_dataloader")


def test_generators_of_albumentations_are_seeded(upstream, monkeypatch):
    seeds: list[int] = []
    transform = SimpleNamespace(aug=SimpleNamespace(set_random_seed=seeds.append))
    dataset = SimpleNamespace(pipeline=SimpleNamespace(transforms=[SimpleNamespace(), transform]))

    class Loader(list):
        def __init__(self, *batches: dict):
            super().__init__(batches)
            self.dataset = dataset

    monkeypatch.setattr(batches, "_build", lambda loader: Loader({"inputs": 1}))
    assert first_batch(upstream(COCO), "train_dataloader") == {"inputs": 1}
    assert seeds == [0]
