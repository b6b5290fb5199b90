"""Images for a check or for calibration are those that the framework would feed."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
import torch

from hrnet_plugin.config_tree import leaf_datasets
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.images import as_pixels, dataset_images, drawn_images, fitted, folder_images
from hrnet_plugin.deploy.tensor_model import Normalise, PixelScaling
from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.zoo.miniature import first_batch, with_miniature_data


@pytest.fixture(scope="module")
def preprocessors(pose_model, seg_cfg, build) -> dict:
    return {"pose": pose_model.data_preprocessor, "seg": build(seg_cfg).data_preprocessor}


@pytest.fixture(scope="module")
def with_data(pose_cfg, seg_cfg, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("miniature")
    return {"pose": with_miniature_data(pose_cfg, folder), "seg": with_miniature_data(seg_cfg, folder)}


@pytest.mark.parametrize("name", ["pose", "seg"])
def test_images_of_the_test_set_are_those_of_the_test(name, with_data, preprocessors):
    cfg, preprocessor = with_data[name], preprocessors[name]
    batch = first_batch(cfg, "test_dataloader")
    expected = preprocessor(batch, False)["inputs"]
    found = list(dataset_images(cfg, preprocessor, "test", len(expected)))
    assert [image.shape[0] for image in found] == [1] * len(expected)
    assert found[0].shape[1:] == expected.shape[1:]
    assert torch.equal(found[0], expected[:1])


def test_images_are_spread_over_the_data_set(with_data, preprocessors):
    cfg, preprocessor = with_data["pose"], preprocessors["pose"]
    every = list(dataset_images(cfg, preprocessor, "train", 1000))
    assert len(every) >= 3
    first, last = dataset_images(cfg, preprocessor, "train", 2)
    assert torch.equal(first, every[0])
    assert torch.equal(last, every[len(every) // 2])


def test_labels_are_not_read(with_data, preprocessors):
    cfg = copy.deepcopy(with_data["seg"])
    for dataset in leaf_datasets(cfg.train_dataloader):
        dataset["data_prefix"] = {**dataset["data_prefix"], "seg_map_path": "nowhere"}
    assert len(list(dataset_images(cfg, preprocessors["seg"], "train", 1))) == 1


def test_no_data_set(with_data, preprocessors):
    cfg = copy.deepcopy(with_data["pose"])
    cfg.train_dataloader = None
    with pytest.raises(ConfigError, match="config: found no `train_dataloader`, expected data to take images from"):
        list(dataset_images(cfg, preprocessors["pose"], "train", 1))
    cfg.test_dataloader = cfg.val_dataloader = None
    with pytest.raises(ConfigError, match="config: found no `test_dataloader`, expected a pipeline for single images"):
        list(drawn_images(cfg, preprocessors["pose"], 1))


@pytest.mark.parametrize(("name", "shape"), [("pose", (1, 3, 128, 96)), ("seg", None)])
def test_images_of_a_folder(name, shape, request, preprocessors, tmp_path):
    cfg = request.getfixturevalue(f"{name}_cfg")
    (tmp_path / "deep").mkdir()
    for index, path in enumerate(("b.png", "a.JPG", "deep/c.bmp")):
        cv2.imwrite(str(tmp_path / path), np.full((60, 90, 3), 40 * index, np.uint8))
    (tmp_path / "notes.txt").write_text("no image")
    found = list(folder_images(cfg, preprocessors[name], tmp_path, 10))
    assert len(found) == 3
    assert shape is None or {tuple(image.shape) for image in found} == {shape}
    assert len({float(image.amax()) for image in found}) == 3
    assert len(list(folder_images(cfg, preprocessors[name], tmp_path, 2))) == 2


def test_folders_without_images(pose_cfg, preprocessors, tmp_path):
    for folder, found in ((tmp_path, "none"), (tmp_path / "absent", "no such folder")):
        with pytest.raises(DataError, match=rf"images in .*: found {found}, expected files ending with \.jpg"):
            folder_images(pose_cfg, preprocessors["pose"], folder, 1)
    (tmp_path / "x.jpg").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"image .*x\.jpg: found nothing that can be read"):
        list(folder_images(pose_cfg, preprocessors["pose"], tmp_path, 1))


def test_drawn_images_differ_and_come_again(pose_cfg, preprocessors):
    first, second = drawn_images(pose_cfg, preprocessors["pose"], 2)
    assert first.shape == (1, 3, 128, 96)
    assert not torch.equal(first, second)
    assert torch.equal(first, next(drawn_images(pose_cfg, preprocessors["pose"], 1)))


def test_images_fit_a_shape():
    images = [torch.rand(1, 3, 50, 70), torch.rand(1, 3, 64, 96)]
    fixed = list(fitted(images, InputShape((96, 64))))
    assert [tuple(image.shape[2:]) for image in fixed] == [(64, 96)] * 2
    assert fixed[1] is images[1]
    free = list(fitted([*images, torch.rand(1, 3, 10, 300)], InputShape((96, 64), dynamic_size=True)))
    assert [tuple(image.shape[2:]) for image in free] == [(64, 64), (64, 96), (64, 288)]


@pytest.mark.parametrize("swaps", [False, True])
def test_pixels_come_back(swaps):
    scaling = PixelScaling((100.0, 110.0, 120.0), (50.0, 60.0, 70.0), swaps)
    pixels = torch.randint(0, 255, (2, 3, 4, 5)).float()
    assert torch.allclose(as_pixels(Normalise(scaling)(pixels), scaling), pixels, atol=1e-4)
