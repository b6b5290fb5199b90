"""timm's, OpenMMLab's and our networks with the same weights: every key accounted for, the same outputs, and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import hrnet_plugin
from hrnet_plugin.archs import ZOO
from hrnet_plugin.checkpoints.network_meta import described_spec

TIMM = {"hrnet_w18_small": "w18_small_v1", "hrnet_w18_small_v2": "w18_small_v2", "hrnet_w18_ssld": "w18"}
TOLERANCE = 1e-5
IMAGE = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def fill(network: nn.Module, seed: int = 0) -> nn.Module:
    """Random values in everything, of a size at which activations neither vanish nor overflow; no norm is trivial."""
    generator = torch.Generator().manual_seed(seed)
    values = {}
    for name, tensor in network.state_dict().items():
        noise = torch.rand(tensor.shape, generator=generator)
        if tensor.ndim == 0:
            values[name] = torch.tensor(len(values), dtype=tensor.dtype) if "num_batches" in name else noise + 0.5
        elif tensor.ndim > 1:
            gain = 0.03 if tensor.ndim == 2 else 3  # logits of about 1
            values[name] = (noise - 0.5) * 2 * (gain / tensor[0].numel()) ** 0.5
        elif name.endswith(("bias", "mean")):
            values[name] = noise * 0.4 - 0.2
        else:
            values[name] = noise + 0.25
    network.load_state_dict(values, strict=True, assign=True)
    return network.eval() or network


def build(scope: str, config: Mapping, on: str = "meta") -> nn.Module:
    from mmengine.registry import MODELS, DefaultScope

    with DefaultScope.overwrite_default_scope(scope), torch.device(on):
        return MODELS.build(copy.deepcopy(dict(config)))


def difference(ours: Tensor, theirs: Tensor) -> float:
    assert theirs.isfinite().all()
    assert theirs.unique().numel() > 10
    assert theirs.abs().max() > 0.1
    return (ours - theirs).abs().max().item()


# timm


def classifier(arch: str, theirs: bool = False, **neck: object) -> dict:
    """Our network in a model of mmpretrain, or mmpretrain's own."""
    backbone = {"type": "HRNet" if theirs else "hrnet_plugin.HRNet", "arch": arch}
    fuse = {"type": "HRFuseScales" if theirs else "hrnet_plugin.HRFuseScales", "in_channels": ZOO[arch].out_channels}
    return {
        "type": "ImageClassifier",
        "backbone": backbone,
        "neck": [{**fuse, **neck}, {"type": "GlobalAveragePooling"}],
        "head": {"type": "LinearClsHead", "num_classes": 11, "in_channels": 2048},
    }


@torch.no_grad()
def logits(model: nn.Module) -> Tensor:
    return model.head(model.extract_feat(IMAGE)) if hasattr(model, "extract_feat") else model(IMAGE)


def timm_names() -> list[str]:
    import timm

    return sorted(timm.list_models("hrnet*"))


@pytest.mark.parametrize("name", timm_names())
def test_every_key_of_every_hrnet_of_timm_is_accounted_for(name, converted, back):
    import timm

    with torch.device("meta"):
        theirs = timm.create_model(name).state_dict()
        arch = {"small": "w18_small_v1", "small_v2": "w18_small_v2"}.get(name[10:], name[6:].removesuffix("_ssld"))
        own = build(
            "mmpretrain",
            classifier(arch) | {"head": {"type": "LinearClsHead", "num_classes": 1000, "in_channels": 2048}},
        )
    conversion = converted(theirs)
    biases = 0 if name.endswith("ssld") else 4
    counts = conversion.report.counts()
    assert (counts["mapped"], counts["folded"]) == (len(theirs) - biases, biases)
    assert conversion.report.network == f"HRNet {arch}, all scales"
    assert {key: value.shape for key, value in conversion.weights.items()} == {
        key: value.shape for key, value in own.state_dict().items()
    }
    returned = back(conversion, conversion.report.source)
    assert [(key, value.shape) for key, value in returned.weights.items()] == [
        (key, value.shape) for key, value in theirs.items()
    ]
    assert returned.report.counts()["added"] == biases


@pytest.mark.parametrize("name", TIMM)
def test_outputs_are_timms_both_ways(name, converted, back):
    import timm

    with torch.device("meta"):
        theirs = timm.create_model(name, num_classes=11)
    weights = fill(theirs).state_dict()
    expected = logits(theirs)
    conversion = converted(weights)
    ours = build("mmpretrain", classifier(TIMM[name]))
    ours.load_state_dict(dict(conversion.weights), strict=True, assign=True)
    assert difference(logits(ours.eval()), expected) < TOLERANCE
    returned = back(conversion, conversion.report.source)
    theirs.load_state_dict(dict(returned.weights), strict=True)
    assert difference(logits(theirs), expected) < TOLERANCE
    folded = [entry.source for entry in conversion.report.of_kinds(("folded",))]
    assert [entry.target for entry in returned.report.of_kinds(("added",))] == folded
    assert len(folded) == (0 if name.endswith("ssld") else 4)
    means = {"downsamp_modules.0.1.running_mean", "downsamp_modules.1.1.running_mean"}
    means |= {"downsamp_modules.2.1.running_mean", "final_layer.1.running_mean"} if folded else set()
    for key, value in weights.items():
        if key in folded:
            assert not returned.weights[key].any()
        elif not folded or key not in means:
            assert torch.equal(returned.weights[key], value), key


@pytest.mark.parametrize("to", ["timm", "timm-ssld", "cls", "cls-early"])
def test_ours_goes_to_timm_and_comes_back_to_the_last_bit(to, converted, back, assert_identical):
    import timm

    ours = fill(build("mmpretrain", classifier("w18_small_v1")))
    weights = ours.state_dict()
    conversion = converted(weights, to)
    assert conversion.container == ""
    assert_identical(back(conversion, "ours").weights, weights)
    if to != "cls-early":
        with torch.device("meta"):
            theirs = timm.create_model("hrnet_w18_small", num_classes=11, head_conv_bias=to != "timm-ssld")
        theirs.load_state_dict(dict(conversion.weights), strict=True, assign=True)
        assert difference(logits(theirs.eval()), logits(ours)) < TOLERANCE


@pytest.mark.parametrize(("options", "source"), [({}, "timm"), ({"feature_location": ""}, "backbone")])
def test_networks_of_timm_without_a_classifier(options, source, converted, back, assert_identical):
    import timm

    theirs = timm.create_model("hrnet_w18_small", features_only=True, **options)
    weights = theirs.state_dict()
    conversion = converted(weights)
    assert conversion.report.source == source
    assert_identical(back(conversion, source).weights, weights)


def test_a_bias_that_ours_has_is_taken_as_it_is(converted):
    weights = fill(build("mmpretrain", classifier("w18_small_v1", conv_bias=True))).state_dict()
    conversion = converted(weights, "timm")
    assert conversion.report.counts()["added"] == 0
    assert torch.equal(conversion.weights["final_layer.0.bias"], weights["neck.0.final_layer.conv.bias"])


# Prefixes, containers, older files


@pytest.mark.parametrize("container", ["", "state_dict", "model"])
def test_prefixes_and_containers_come_back(container, converted, back, assert_identical):
    import timm

    with torch.device("meta"):
        theirs = timm.create_model("hrnet_w18_small", head_conv_bias=False)
    weights = {f"module.{key}": value for key, value in fill(theirs).state_dict().items()}
    file = {container: weights, "meta": {"epoch": 3}} if container else weights
    conversion = converted(file)
    assert conversion.meta.get("epoch") == (3 if container else None)
    assert described_spec(conversion.meta) == ZOO["w18_small_v1"]
    returned = back(conversion, "timm-ssld")
    assert returned.container == container
    assert_identical(returned.weights, weights)
    assert all(key.startswith("backbone.") for key in back(conversion, "ours", backbone_only=True).weights)


def test_counters_may_be_missing_and_other_entries_are_told(converted, back, assert_identical):
    net = hrnet_plugin.HRNet("w18_small_v1").state_dict()
    old = {key: value for key, value in net.items() if not key.endswith("num_batches_tracked")}
    conversion = converted({"state_dict": old, "optimizer": {}})
    notes = " ".join(conversion.report.notes)
    assert "no num_batches_tracked" in notes
    assert "left out: optimizer" in notes
    assert_identical(back(conversion, "backbone").weights, old)


# The frameworks' whole models, with their backbone and with ours


EXTRA = {
    f"stage{number}": {
        "num_modules": stage.num_modules,
        "num_branches": len(stage.branches),
        "block": stage.branches[0].block,
        "num_blocks": tuple(branch.num_blocks for branch in stage.branches),
        "num_channels": tuple(branch.width for branch in stage.branches),
    }
    for number, stage in enumerate(ZOO["w18_small_v1"].stages, start=1)
}
POSE = {
    "type": "TopdownPoseEstimator",
    "head": {"type": "HeatmapHead", "in_channels": 16, "out_channels": 5, "deconv_out_channels": None},
}
SEGMENTATION = {
    "type": "EncoderDecoder",
    "decode_head": {
        "type": "FCNHead", "in_channels": ZOO["w18_small_v1"].out_channels, "in_index": (0, 1, 2, 3), "channels": 240,
        "input_transform": "resize_concat", "kernel_size": 1, "num_convs": 1, "concat_input": False,
        "num_classes": 5, "norm_cfg": {"type": "BN"}, "align_corners": False,
    },
}  # fmt: skip
DETECTION = {
    "type": "FCOS",
    "neck": {"type": "HRFPN", "in_channels": list(ZOO["w18_small_v1"].out_channels), "out_channels": 8},
    "bbox_head": {"type": "FCOSHead", "num_classes": 3, "in_channels": 8, "feat_channels": 8, "norm_cfg": None},
}
CLASSIFICATION = {key: value for key, value in classifier("w18_small_v1").items() if key != "backbone"}


@torch.no_grad()
def outputs(scope: str, model: nn.Module) -> Tensor:
    if scope == "mmpretrain":
        return logits(model)
    out = model(IMAGE, None, mode="tensor")
    while not isinstance(out, Tensor):
        out = out[0]
    return out


@pytest.mark.parametrize(
    ("scope", "config", "options"),
    [
        ("mmpose", POSE, {"multiscale_output": False}),
        ("mmseg", SEGMENTATION, {"upsample_mode": "bilinear"}),
        ("mmdet", DETECTION, {}),
        ("mmpretrain", CLASSIFICATION, {}),
    ],
    ids=["mmpose", "mmseg", "mmdet", "mmpretrain"],
)
def test_a_frameworks_whole_model_is_ours_to_the_last_bit(scope, config, options, converted, back, assert_identical):
    theirs = build(scope, {**config, "backbone": {"type": "HRNet", "extra": EXTRA}})
    ours = build(scope, {**config, "backbone": {"type": "hrnet_plugin.HRNet", "arch": "w18_small_v1", **options}})
    weights = fill(theirs).state_dict()
    theirs.eval()
    conversion = converted(weights)
    assert conversion.report.source == scope
    ours.load_state_dict(dict(conversion.weights), strict=True, assign=True)
    ours.eval()
    assert difference(outputs(scope, ours), outputs(scope, theirs)) == 0.0
    assert_identical(back(conversion, scope).weights, weights)
    upsampling = described_spec(conversion.meta).upsample_mode
    assert upsampling == ("bilinear" if scope == "mmseg" else "nearest")
