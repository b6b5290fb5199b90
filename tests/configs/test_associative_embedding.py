"""The parts of associative embedding's configs that the grid does not compare: head, training pipeline, HigherHRNet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mmpose
import pytest
from mmengine.config import Config

from hrnet_plugin.zoo.resolve import run_parts

OURS = Path(__file__).resolve().parents[2] / "configs/body_2d_keypoint/coco"
THEIRS = Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint"
AE, HIGHER_W32, HIGHER_W48 = (
    "ae_hrnet-w32_8xb24-300e_coco-512x512",
    "ae_higherhrnet-w32_8xb24-300e_coco-512x512",
    "ae_higherhrnet-w48_8xb10-300e_coco-640x640",
)


def read(path: Path) -> dict:
    return Config.fromfile(str(path)).to_dict()


def ours(name: str) -> dict:
    return read(OURS / f"{name}.py")


def parts(name: str) -> dict:
    """What a run takes from our config, without scopes."""
    return unscoped(run_parts(Config.fromfile(str(OURS / f"{name}.py"))))


def unscoped(value: Any) -> Any:
    """A config whose types do not say that they are ours."""
    if isinstance(value, dict):
        return {key: unscoped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [unscoped(item) for item in value]
    return value.removeprefix("hrnet_plugin.") if isinstance(value, str) else value


def enlarged(value: Any) -> Any:
    """A config in which every size is that of an input of 640 instead of 512."""
    if isinstance(value, dict):
        return {key: enlarged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [enlarged(item) for item in value]
    return value * 5 // 4 if value in (128, 256, 512) else value


def test_the_head_is_mmposes_but_for_the_classes():
    head = ours(AE)["model"]["head"]
    theirs = read(THEIRS / f"associative_embedding/coco/{AE}.py")["model"]["head"]
    assert unscoped(head) == unscoped(theirs)
    assert [head[key]["type"].partition(".")[0] for key in ("decoder", "tag_loss")] == ["hrnet_plugin"] * 2
    assert head["type"] == "hrnet_plugin.AssociativeEmbeddingHead"


def test_the_training_pipeline_is_that_of_mmposes_other_bottom_up_models():
    config = ours(AE)
    pipeline = config["train_dataloader"]["dataset"]["pipeline"]
    theirs = read(THEIRS / "dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512.py")["train_pipeline"]
    (encode,) = [step for step in theirs if step["type"] == "GenerateTarget"]
    encode["encoder"] = config["codec"]
    assert unscoped(pipeline) == unscoped(theirs)
    decoder = config["model"]["head"]["decoder"]
    assert decoder == {**config["codec"], "heatmap_size": config["codec"]["input_size"]}


def test_higherhrnet_differs_in_head_and_targets_alone():
    simple, higher = (parts(name) for name in (AE, HIGHER_W32))
    head = simple["model"]["head"]
    assert head.pop("deconv_out_channels") is None
    head["type"] = "HigherHRNetHead"
    (encode,) = [step for step in simple["train_dataloader"]["dataset"]["pipeline"] if "encoder" in step]
    codec = encode["encoder"]
    encode.update(encoder=[codec, {**codec, "heatmap_size": [256, 256]}], multilevel=True)
    assert simple == higher


def test_w48_differs_in_size_width_and_recipe_alone():
    small, large = (parts(name) for name in (HIGHER_W32, HIGHER_W48))
    for key in ("train_dataloader", "val_dataloader", "test_dataloader", "model"):
        small[key] = enlarged(small[key])
    small["model"]["backbone"]["arch"] = "w48"
    small["model"]["head"]["in_channels"] = 48
    weights = small["model"]["backbone"]["init_cfg"][-1]
    weights["checkpoint"] = weights["checkpoint"].replace("w32-36af842e", "w48-8ef0771d")
    small["train_dataloader"]["batch_size"] = 10
    small["optim_wrapper"]["optimizer"]["lr"] = 1e-3
    small["auto_scale_lr"]["base_batch_size"] = 80
    assert small == large


@pytest.mark.parametrize("name", [AE, HIGHER_W32, HIGHER_W48])
def test_targets_have_a_quarter_and_half_of_the_size(name):
    config = ours(name)
    (encode,) = [step for step in config["train_dataloader"]["dataset"]["pipeline"] if "encoder" in step]
    encoders = [encode["encoder"]] if isinstance(encode["encoder"], dict) else encode["encoder"]
    strides = [codec["input_size"][0] // codec["heatmap_size"][0] for codec in encoders]
    assert strides == ([4] if name == AE else [4, 2])
    assert {codec["input_size"] for codec in encoders} == {config["model"]["head"]["decoder"]["input_size"]}
