"""A framework's model whose network a runtime computes predicts what it predicted."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.registry import DefaultScope

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.in_framework import can_run_through, run_through, starter
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.zoo.forward import build_model, model_config
from hrnet_plugin.zoo.miniature import first_batch, with_miniature_data


def batch_of(name: str, folder) -> tuple:
    cfg = with_miniature_data(load_config(find_config(name)), folder)
    return cfg, first_batch(cfg, "test_dataloader")


@pytest.mark.parametrize(("runtime", "flips"), [("torch", True), ("openvino", False)])
def test_pose(runtime, flips, tmp_path, build):
    cfg, batch = batch_of("quickstart_pose", tmp_path)
    model = build(cfg)
    # Weights are random: maps without one clear maximum are compared, not its place.
    model.test_cfg.update(flip_test=flips, output_heatmaps=True)
    through = run_through(copy.deepcopy(model), starter(runtime, "fp32", 1))
    with DefaultScope.overwrite_default_scope("mmpose"), torch.no_grad():
        ours, theirs = (maps_of(each.test_step(copy.deepcopy(batch))) for each in (through, model))
    assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-5


@pytest.mark.parametrize("kind", ["simcc", "regression"])
def test_a_head_of_one_size_of_images(kind, pose_cfg, build):
    """Its linear layers fit the features of that size alone."""
    cfg = copy.deepcopy(pose_cfg)
    codec = {"type": "SimCCLabel", "input_size": (96, 128), "sigma": 3.0}
    common = {"in_channels": 16, "in_featuremap_size": (24, 32)}
    cfg.model.head = {"type": "SimCCHead", "out_channels": 17, "input_size": (96, 128), "decoder": codec, **common}
    if kind == "regression":
        codec = {"type": "IntegralRegressionLabel", "input_size": (96, 128), "heatmap_size": (24, 32), "sigma": 2.0}
        cfg.model.head = {"type": "DSNTHead", "num_joints": 17, "decoder": codec, "deconv_out_channels": None, **common}
        cfg.model.head.loss = {
            "type": "MultipleLossWrapper",
            "losses": [{"type": "SmoothL1Loss"}, {"type": "KeypointMSELoss"}],
        }
    model = build(cfg)
    through = run_through(copy.deepcopy(model), starter("torch", "fp32", 1))
    images = torch.randn(2, 3, 128, 96)
    with torch.no_grad():
        ours, theirs = (each.head.forward(each.extract_feat(images)) for each in (through, model))
    assert len(ours) == len(theirs) == 2
    for one, other in zip(ours, theirs, strict=True):
        assert float((one - other).abs().max() / other.abs().max()) < 1e-4


def maps_of(samples) -> torch.Tensor:
    return torch.stack([sample.pred_fields.heatmaps for sample in samples])


def test_segmentation(tmp_path, build):
    cfg, batch = batch_of("quickstart_seg", tmp_path)
    model = build(cfg)
    through = run_through(copy.deepcopy(model), starter("onnxruntime", "fp32", 1))
    with DefaultScope.overwrite_default_scope("mmseg"):
        data = model.data_preprocessor(copy.deepcopy(batch), False)
        with torch.no_grad():
            theirs = model(**data, mode="predict")[0].seg_logits.data
            ours = through(**data, mode="predict")[0].seg_logits.data
    assert float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-4


def test_weights_do_not_go_with_the_model_any_more(pose_model):
    through = run_through(copy.deepcopy(pose_model), starter("torch", "fp32", 1))
    assert not any(name.startswith(("backbone", "neck")) for name in through.state_dict())


def test_one_runtime_a_size(pose_model):
    started = []

    def start(network, size):
        started.append(size)
        runtime = starter("torch", "fp32", 1)(network, size)
        runtime.name = "another"
        return runtime

    through = run_through(copy.deepcopy(pose_model), start)
    with torch.no_grad():
        for height, width in ((64, 64), (96, 64), (64, 64)):
            outputs = through.head.forward(through.extract_feat(torch.randn(1, 3, height, width)))
            assert outputs.shape == (1, 17, height // 4, width // 4)
    assert started == [(64, 64), (64, 96)]


def test_detectors_and_heads_that_look_again_are_refused():
    cfg = load_config(find_config("cid_hrnet-w32_8xb20-140e_coco-512x512"))
    cfg.model.backbone.arch = "w18_small_v1"
    cfg.model.neck = dict(cfg.model.neck)
    model = build_model(model_config(cfg), "mmpose")
    assert not can_run_through(model)
    with pytest.raises(ConfigError, match="CIDHead"):
        run_through(model, starter("torch", "fp32"))
