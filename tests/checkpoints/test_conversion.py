"""timm's, OpenMMLab's and our networks with the same weights: every key accounted for, the same outputs, and back."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

import hrnet_plugin
from hrnet_plugin.archs import ZOO, HRNetSpec
from hrnet_plugin.checkpoints.contents import Contents, contents_of
from hrnet_plugin.checkpoints.conversion import Conversion, convert
from hrnet_plugin.checkpoints.network_meta import describe_network, described_spec
from hrnet_plugin.errors import CheckpointError, ConfigError

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


def converted(weights: Mapping[str, Tensor], to: str = "ours", **options: object) -> Conversion:
    """Without any key that is unaccounted for."""
    conversion = convert(contents_of(dict(weights), "a.pth"), to, **options)
    assert conversion.report.unaccounted == []
    return conversion


def back(conversion: Conversion, to: str, **options: object) -> Conversion:
    """As read from the file that would be written."""
    again = convert(contents_of(conversion.checkpoint(), "b.pth"), to, **options)
    assert again.report.unaccounted == []
    return again


def assert_identical(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for key, value in theirs.items():
        assert ours[key].dtype == value.dtype, key
        assert torch.equal(ours[key], value), key


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
def test_every_key_of_every_hrnet_of_timm_is_accounted_for(name):
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
def test_outputs_are_timms_both_ways(name):
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
def test_ours_goes_to_timm_and_comes_back_to_the_last_bit(to):
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
def test_networks_of_timm_without_a_classifier(options, source):
    import timm

    theirs = timm.create_model("hrnet_w18_small", features_only=True, **options)
    weights = theirs.state_dict()
    conversion = converted(weights)
    assert conversion.report.source == source
    assert_identical(back(conversion, source).weights, weights)


def test_a_bias_that_ours_has_is_taken_as_it_is():
    weights = fill(build("mmpretrain", classifier("w18_small_v1", conv_bias=True))).state_dict()
    conversion = converted(weights, "timm")
    assert conversion.report.counts()["added"] == 0
    assert torch.equal(conversion.weights["final_layer.0.bias"], weights["neck.0.final_layer.conv.bias"])


# Prefixes, containers, older files


@pytest.mark.parametrize("container", ["", "state_dict", "model"])
def test_prefixes_and_containers_come_back(container):
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


def test_counters_may_be_missing_and_other_entries_are_told():
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
def test_a_frameworks_whole_model_is_ours_to_the_last_bit(scope, config, options):
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


# MMPose 0.x: what the installed heads do when they load old weights


def pose_weights(head: Mapping[str, Tensor]) -> dict[str, Tensor]:
    net = hrnet_plugin.HRNet("w18_small_v1", multiscale_output=False)
    return {**{f"backbone.{key}": value for key, value in net.state_dict().items()}, **head}


def numbers(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(sum(shape)))


def loaded_by_mmpose(weights: Mapping[str, Tensor], head: type, **attributes: object) -> dict[str, Tensor]:
    """The keys that mmpose makes of old ones, where they end up."""
    from mmpose.models.pose_estimators.base import BasePoseEstimator

    state = OrderedDict(weights)
    for kind, prefix in ((BasePoseEstimator, ""), (head, "head.")):
        kind._load_state_dict_pre_hook(SimpleNamespace(_version=2, **attributes), state, prefix, {})
    return dict(state)


def old_heads() -> dict[str, tuple[str, dict[str, Tensor], dict]]:
    """The head's class in mmpose, old weights, and what its hook looks at."""
    plain = {"final_layer.weight": numbers(5, 16, 1, 1), "final_layer.bias": numbers(5)}
    row = {
        "final_layer.0.weight": numbers(16, 16, 1, 1), "final_layer.0.bias": numbers(16),
        **{f"final_layer.1.{part}": numbers(16) for part in ("weight", "bias", "running_mean", "running_var")},
        "final_layer.3.weight": numbers(5, 16, 1, 1), "final_layer.3.bias": numbers(5),
    }  # fmt: skip
    dekr = {
        "heatmap_conv_layers.0.conv.weight": numbers(8, 16, 1, 1),
        "heatmap_conv_layers.2.weight": numbers(6, 8, 1, 1), "heatmap_conv_layers.2.bias": numbers(6),
        "offset_conv_layers.1.conv.weight": numbers(8, 4, 3, 3),
        "offset_conv_layers.3.weight": numbers(10, 8, 1, 1), "offset_conv_layers.3.bias": numbers(10),
    }  # fmt: skip
    names = (
        "keypoint_center_conv",
        "conv_down",
        "c_attn.atn",
        "s_attn.atn",
        "s_attn.conv",
        "fuse_attn",
        "heatmap_conv",
    )
    cid = {f"{name}.{part}": numbers(4, place) for place, name in enumerate(names, 2) for part in ("weight", "bias")}
    return {
        "heatmaps": ("HeatmapHead", plain, {"conv_layers": nn.Identity()}),
        "row": ("HeatmapHead", row, {"conv_layers": nn.Sequential(*[nn.Identity()] * 3)}),
        "dekr": ("DEKRHead", dekr, {}),
        "cid": ("CIDHead", cid, {}),
    }


@pytest.mark.parametrize("name", old_heads())
def test_old_heads_of_mmpose_become_what_mmpose_makes_of_them(name):
    from mmpose.models import heads

    kind, head, attributes = old_heads()[name]
    weights = pose_weights({f"keypoint_head.{key}": value for key, value in head.items()})
    conversion = converted(weights)
    assert conversion.report.source == ("mmpose-0.x-row" if name == "row" else "mmpose-0.x")
    expected = loaded_by_mmpose(weights, getattr(heads, kind), **attributes)
    assert dict(sorted(conversion.weights.items())).keys() == dict(sorted(expected.items())).keys()
    for key, value in expected.items():
        assert torch.equal(conversion.weights[key], value), key
    assert_identical(back(conversion, conversion.report.source).weights, weights)
    # mmpose must not do it once more when it loads them.
    said = conversion.checkpoint()["state_dict"]._metadata
    assert said == {"": {"version": 2}, "head": {"version": 2}}


def test_an_old_rescoring_network_goes_into_the_head():
    head = {f"keypoint_head.{key}": value for key, value in old_heads()["dekr"][1].items()}
    weights = pose_weights({**head, "rescore_net.l1.weight": numbers(3, 4)})
    conversion = converted(weights)
    assert torch.equal(conversion.weights["head.rescore_net.l1.weight"], numbers(3, 4))
    assert_identical(back(conversion, "mmpose-0.x").weights, weights)


# Keys that are unaccounted for


def outcome(weights: Mapping[str, Tensor]) -> tuple[Conversion, dict[str, list[str]]]:
    conversion = convert(contents_of(dict(weights), "a.pth"), "ours")
    found: dict[str, list[str]] = {}
    for entry in conversion.report.unaccounted:
        found.setdefault(entry.kind, []).append(entry.source)
    return conversion, found


@pytest.fixture(scope="module")
def timm_weights() -> dict[str, Tensor]:
    import timm

    with torch.device("meta"):
        return timm.create_model("hrnet_w18_small").state_dict()


def test_a_key_that_is_lost_added_or_of_another_shape_is_told(timm_weights):
    weights = {**timm_weights, "stage4.0.branches.4.0.conv1.weight": torch.empty(3, device="meta")}
    del weights["stage2.0.branches.0.0.conv1.weight"], weights["downsamp_modules.1.1.bias"], weights["classifier.bias"]
    weights["transition1.0.0.weight"] = torch.empty(16, 128, 1, 1, device="meta")
    conversion, found = outcome(weights)
    assert conversion.report.network == "HRNet w18_small_v1, all scales"
    assert found == {
        "unexpected": ["stage4.0.branches.4.0.conv1.weight"],
        "missing": ["stage2.0.branches.0.0.conv1.weight", "downsamp_modules.1.1.bias", "classifier.bias"],
        "shape mismatch": ["transition1.0.0.weight"],
    }
    notes = [entry.note for entry in conversion.report.of_kinds(("shape mismatch",))]
    assert notes == ["16x128x1x1 where the network has 16x128x3x3"]
    assert "backbone.stage4.0.branches.4.0.conv1.weight" not in conversion.weights
    report = conversion.report.as_dict()
    assert report["counts"]["missing"] == 3
    assert len(report["entries"]) == len(weights) + 3


@pytest.mark.parametrize("part", ["first", "last", "every other"])
def test_half_the_keys(timm_weights, part):
    keys = list(timm_weights)
    half = {"first": keys[: len(keys) // 2], "last": keys[len(keys) // 2 :], "every other": keys[::2]}[part]
    conversion, found = outcome({key: timm_weights[key] for key in half})
    assert len(found.get("missing", [])) > 50
    assert conversion.report.network.startswith("HRNet w18_small_v1")


def test_a_bias_without_a_norm_to_go_into_is_told(timm_weights):
    weights = dict(timm_weights)
    del weights["final_layer.1.running_mean"]
    _, found = outcome(weights)
    assert found == {"unexpected": ["final_layer.0.bias"], "missing": ["final_layer.1.running_mean"]}


def test_a_key_of_no_part_is_told():
    _, found = outcome(pose_weights({"head.final_layer.weight": numbers(5, 16, 1, 1), "teacher.fc.weight": numbers(2)}))
    assert found == {"unexpected": ["teacher.fc.weight"], "missing": ["head.final_layer.bias"]}


# What a format cannot hold


def contents(weights: Mapping[str, Tensor], spec: HRNetSpec | None = None) -> Contents:
    return contents_of({"state_dict": dict(weights), "meta": describe_network(spec) if spec else {}}, "a.pth")


def of_network(spec: HRNetSpec) -> Contents:
    from hrnet_plugin.nets import HRNet

    with torch.device("meta"):
        return contents({f"backbone.{key}": value for key, value in HRNet(spec).state_dict().items()}, spec)


HEATMAPS = {"head.final_layer.weight": numbers(5, 16, 1, 1), "head.final_layer.bias": numbers(5)}
SMALL = ZOO["w18_small_v1"]


@pytest.mark.parametrize(
    ("make", "to", "said"),
    [
        (lambda: contents(pose_weights(HEATMAPS)), "timm", r"head\.final_layer\.weight, head\.final_layer\.bias, exp"),
        (lambda: contents(pose_weights(HEATMAPS)), "mmseg", r"head\.final_layer.* --backbone-only converts"),
        (lambda: contents(pose_weights(HEATMAPS)), "mmpose-0.x-row", r"found another head, expected keypoint_head"),
        (lambda: of_network(SMALL.with_choices(upsample_mode="bilinear")), "pose", "upsample_mode='bilinear'"),
        (lambda: of_network(HRNetSpec.of_width(16, num_modules=(1, 1, 1))), "timm", "found 3 stages, expected 4"),
        (lambda: of_network(SMALL.with_choices(fuse_method="concat")), "cls", "fuse_method='concat'"),
    ],
    ids=["head", "framework", "row", "bilinear", "stages", "concat"],
)
def test_a_format_that_cannot_hold_the_network(make, to, said):
    with pytest.raises(CheckpointError, match=rf"format {to} cannot hold the network: .*{said}") as caught:
        convert(make(), to)
    assert "\n" not in str(caught.value)


def test_a_lite_network_goes_to_no_format_of_hrnets():
    from hrnet_plugin.nets import LiteHRNet

    with torch.device("meta"):
        net = LiteHRNet(hrnet_plugin.archs.find_lite_arch("litehrnet_18")).state_dict()
    with pytest.raises(CheckpointError, match="cannot hold the network: found a LiteHRNet, expected HRNet"):
        convert(contents(net), "timm", backbone_only=True)


def test_a_backbone_alone_goes_where_its_head_cannot():
    conversion = convert(contents(pose_weights(HEATMAPS)), "mmseg", backbone_only=True)
    assert conversion.report.counts()["dropped"] == 2
    assert conversion.report.unaccounted == []
    assert len(conversion.weights) == len(pose_weights({}))
    other = convert(of_network(SMALL.with_choices(upsample_mode="bilinear")), "timm", backbone_only=True)
    assert "outputs differ" in other.report.notes[-1]


def test_formats_that_are_not_known():
    with pytest.raises(ConfigError, match=r"format: found 'tim', expected a known format\. Did you mean 'timm'"):
        convert(contents(pose_weights({})), "tim")


def test_a_format_that_is_named_and_wrong(timm_weights):
    conversion = convert(contents(timm_weights), "ours", source="pose")
    assert len(conversion.report.unaccounted) > 100
