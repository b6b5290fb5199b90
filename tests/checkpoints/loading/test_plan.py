"""Weights go where they belong, and what becomes of the rest is known."""

from __future__ import annotations

import copy
from collections import OrderedDict

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner.checkpoint import load_state_dict
from torch import nn

from hrnet_plugin import nets
from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checkpoints.contents import Contents, contents_of
from hrnet_plugin.checkpoints.loading.plan import plan_loading, select_part
from hrnet_plugin.checkpoints.loading.rehearsal import tensors_of
from hrnet_plugin.checkpoints.loading.unused_keys import CLASSIFIER, LAST_FUSE_LAYERS, OTHER_HEAD, OTHER_PARTS
from hrnet_plugin.errors import CheckpointError

SPEC = HRNetSpec.of_width(8, num_modules=(1, 1, 1, 1), num_blocks=1, stage1_width=8)
SINGLE = SPEC.with_choices(multiscale_output=False)


def backbone(spec: HRNetSpec = SPEC, in_channels: int = 3) -> nets.HRNet:
    """A network whose every weight is another random number."""
    net = nets.HRNet(spec, in_channels)
    for tensor in tensors_of(net).values():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.1, 1)
    return net


def model(outputs: int = 17, spec: HRNetSpec = SPEC) -> nn.ModuleDict:
    """A backbone and a last layer."""
    return nn.ModuleDict({"backbone": backbone(spec), "head": nn.ModuleDict({"final_layer": nn.Conv2d(8, outputs, 1)})})


def contents(weights: nn.Module | dict, **meta: object) -> Contents:
    """What a file with these weights holds."""
    weights = weights.state_dict() if isinstance(weights, nn.Module) else weights
    return contents_of({"state_dict": weights, "meta": meta}, "a.pth")


def equal(net: nn.Module, source: nn.Module, keys: list[str]) -> bool:
    """Whether both have the same numbers under these keys of `net`, of which there are some."""
    ours, theirs = net.state_dict(), source.state_dict()
    return bool(keys) and all(torch.equal(ours[key], theirs[key]) for key in keys)


@pytest.mark.parametrize("wrapper", ["", "module.", "model.", "module.model.", "_orig_mod."])
@pytest.mark.parametrize("into_model", [False, True])
@pytest.mark.parametrize("from_model", [False, True])
def test_every_prefix_is_understood(wrapper, into_model, from_model):
    source, net = (model(), backbone()) if from_model else (backbone(), backbone())
    net = nn.ModuleDict({"backbone": net}) if into_model else net
    given = {wrapper + key: value for key, value in source.state_dict().items()}
    plan = plan_loading(net, contents(given))
    assert (plan.report.filled.share, plan.report.filled.share_of_keys) == (1, 1)
    assert plan.report.missing == plan.report.mismatched == plan.report.unexpected == ()
    plan.apply(net)
    inner, origin = (net.backbone if into_model else net), (source.backbone if from_model else source)
    assert equal(inner, origin, list(origin.state_dict()))
    heads = ("head.final_layer.weight", "head.final_layer.bias")
    wanted = {} if not from_model else {OTHER_PARTS: heads} if not into_model else {OTHER_HEAD: heads}
    assert plan.report.unused == wanted


@pytest.mark.parametrize("into_model", [False, True])
@pytest.mark.parametrize("from_model", [False, True])
def test_a_network_saved_beside_its_loss_is_found(into_model, from_model):
    source, net = (model(), backbone()) if from_model else (backbone(), backbone())
    net = nn.ModuleDict({"backbone": net}) if into_model else net
    given = {f"model.{key}": value for key, value in source.state_dict().items()}
    plan = plan_loading(net, contents({**given, "loss.criterion.weight": torch.ones(19)}))
    assert plan.report.filled.share_of_keys == 1
    assert "loss.criterion.weight" in plan.report.unused[OTHER_PARTS]
    plan.apply(net)
    origin = source.backbone if from_model else source
    assert equal(net.backbone if into_model else net, origin, list(origin.state_dict()))


def test_a_plan_changes_nothing_until_it_is_applied():
    net, source = backbone(), backbone()
    before, given = copy.deepcopy(net.state_dict()), source.state_dict()
    plan = plan_loading(net, contents(given))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert list(given) == list(source.state_dict())
    plan.apply(net)
    assert equal(net, source, list(before))


def test_imagenet_weights_meet_a_network_of_one_scale():
    import timm

    source = timm.create_model("hrnet_w18_small")
    from hrnet_plugin.archs import find_arch

    net = nets.HRNet(find_arch("w18_small_v1").with_choices(multiscale_output=False))
    report = plan_loading(net, contents(source)).report
    assert report.filled.keys == report.filled.all_keys == 290
    assert report.is_plain
    assert {reason: len(keys) for reason, keys in report.unused.items()} == {LAST_FUSE_LAYERS: 78, CLASSIFIER: 126}
    whole = plan_loading(nn.ModuleDict({"backbone": net, "head": nn.Linear(2, 2)}), contents(source)).report
    assert {reason: len(keys) for reason, keys in whole.unused.items()} == {LAST_FUSE_LAYERS: 78, CLASSIFIER: 126}
    assert whole.missing == ("head.weight", "head.bias")


def test_weights_of_one_scale_lack_the_last_fuse_layers():
    report = plan_loading(backbone(SPEC), contents(backbone(SINGLE))).report
    assert report.missing
    assert all(key.startswith("stage4.0.fuse_layers.") and key[21] in "123" for key in report.missing)


@pytest.mark.parametrize("in_channels", [1, 4])
def test_the_stem_is_adapted_to_other_images(in_channels):
    source, net = backbone(), backbone(SPEC, in_channels)
    plan = plan_loading(net, contents(source))
    (adapted,) = plan.report.adapted
    assert (adapted.key, adapted.found[1], adapted.needed[1]) == ("conv1.weight", 3, in_channels)
    assert plan.report.filled.share == 1
    plan.apply(net)
    assert torch.allclose(net.conv1.weight.sum(1), source.conv1.weight.sum(1)) == (in_channels == 1)
    assert equal(net, source, [key for key in source.state_dict() if key != "conv1.weight"])
    strict = plan_loading(net, contents(source), adapts=False).report
    assert [item.key for item in strict.mismatched] == ["conv1.weight"]


def test_another_number_of_keypoints_keeps_all_but_the_last_layer():
    source, net = model(17), model(21)
    before = copy.deepcopy(net.head.state_dict())
    plan = plan_loading(net, contents(source))
    assert [item.key for item in plan.report.new_outputs] == ["head.final_layer.weight", "head.final_layer.bias"]
    plan.apply(net)
    assert all(torch.equal(value, before[key]) for key, value in net.head.state_dict().items())
    assert equal(net.backbone, source.backbone, list(source.backbone.state_dict()))
    state = plan.state_dict(net)
    assert set(state) == set(net.state_dict())
    net.load_state_dict(state, strict=True)
    assert len(plan_loading(net, contents(source), adapts=False).report.mismatched) == 2


#: A head of each kind: its scope and config with a number of keypoints or classes, and the layers that the number sets.
HEADS = {
    "heatmap": ("mmpose", lambda n: {"type": "HeatmapHead", "in_channels": 8, "out_channels": n,
                "deconv_out_channels": [8], "deconv_kernel_sizes": [4]}, {"final_layer"}),
    "tags": ("mmpose", lambda n: {"type": "hrnet_plugin.AssociativeEmbeddingHead", "in_channels": 8, "num_keypoints": n,
             "deconv_out_channels": None, "keypoint_loss": {"type": "KeypointMSELoss"}}, {"final_layer"}),
    "higher": ("mmpose", lambda n: {"type": "hrnet_plugin.HigherHRNetHead", "in_channels": 8, "num_keypoints": n},
               {"final_layers.0", "final_layers.1", "deconv_layers.0.0.0"}),
    "regression": ("mmpose", lambda n: {"type": "RegressionHead", "in_channels": 8, "num_joints": n}, {"fc"}),
    "fcn": ("mmseg", lambda n: {"type": "FCNHead", "in_channels": 8, "channels": 8, "num_classes": n,
            "norm_cfg": {"type": "BN"}}, {"conv_seg"}),
    "ocr": ("mmseg", lambda n: {"type": "OCRHead", "in_channels": 8, "channels": 8, "ocr_channels": 4, "num_classes": n,
            "norm_cfg": {"type": "BN"}}, {"conv_seg"}),
    "boxes": ("mmdet", lambda n: {"type": "Shared2FCBBoxHead", "in_channels": 8, "num_classes": n, "roi_feat_size": 1,
              "fc_out_channels": 8}, {"fc_cls", "fc_reg"}),
    "masks": ("mmdet", lambda n: {"type": "FCNMaskHead", "in_channels": 8, "num_classes": n, "num_convs": 1,
              "conv_out_channels": 8}, {"conv_logits"}),
    "classes": ("mmpretrain", lambda n: {"type": "LinearClsHead", "in_channels": 8, "num_classes": n}, {"fc"}),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_the_layers_of_every_head_whose_outputs_are_counted(name):
    scope, config, layers = HEADS[name]
    with DefaultScope.overwrite_default_scope(scope):
        source, head = (nn.ModuleDict({"head": MODELS.build(config(number))}) for number in (7, 5))
    report = plan_loading(head, contents(source)).report
    assert {item.key.rpartition(".")[0].removeprefix("head.") for item in report.new_outputs} == layers
    assert report.mismatched == report.missing == report.unexpected == ()
    assert len(report.loaded) == len(tensors_of(head)) - len(report.new_outputs)


def test_keys_of_older_versions_load_as_the_framework_loads_them():
    with DefaultScope.overwrite_default_scope("mmpose"):
        config = {
            "type": "TopdownPoseEstimator",
            "backbone": {"type": "hrnet_plugin.HRNet", "arch": SINGLE},
            "head": {"type": "HeatmapHead", "in_channels": 8, "out_channels": 17, "deconv_out_channels": None},
        }  # fmt: skip
        net, theirs = MODELS.build(copy.deepcopy(config)), MODELS.build(config)
    old = {key.replace("head.", "keypoint_head."): torch.rand(value.shape) for key, value in net.state_dict().items()}
    load_state_dict(theirs, OrderedDict(old), strict=True)
    plan = plan_loading(net, contents(old))
    assert plan.report.is_plain
    assert plan.report.filled.share_of_keys == 1
    plan.apply(net)
    assert equal(net, theirs, list(theirs.state_dict()))


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (lambda: backbone(HRNetSpec.of_width(6, num_modules=(1, 1, 1, 1), num_blocks=1, stage1_width=4)).state_dict(),
         ["layer1.0.conv1.weight has shape (4, 64, 1, 1), the network needs (8, 64, 1, 1)",
          "It holds an HRNet of widths 6, 12, 24, 48"]),
        (lambda: {f"layer{number}.0.conv1.weight": torch.ones(2, 2, 3, 3) for number in range(1, 5)},
         ["found 0 of ", "(0.0 %)", "It holds 4 weights such as layer1.0.conv1.weight, layer2.0.conv1.weight"]),
        (lambda: dict(list(backbone().state_dict().items())[:150]), ["First mismatch: ", " is missing"]),
    ],
    ids=["another width", "another family", "half its keys"],
)  # fmt: skip
def test_weights_of_another_network_are_refused_in_one_line(weights, words):
    net = backbone()
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(CheckpointError) as refused:
        plan_loading(net, contents(weights())).require(0.6, what="checkpoint a.pth", advice="Take another")
    line = str(refused.value)
    assert line.startswith("checkpoint a.pth: found ")
    assert line.endswith(" Take another")
    assert "\n" not in line
    assert len(line) < 400
    for word in words:
        assert word in line
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


def test_a_prefix_selects_a_part():
    source, net = model(), backbone()
    wrapped = contents({f"module.{key}": value for key, value in source.state_dict().items()})
    for prefix in ("backbone", "backbone.", "module.backbone."):
        part = select_part(wrapped, prefix)
        assert list(part.weights) == list(source.backbone.state_dict())
        assert plan_loading(net, part).report.is_plain
    with pytest.raises(CheckpointError, match=r"found no keys below the prefix 'neck.', expected .* backbone, head"):
        select_part(wrapped, "neck")
    versions = source.state_dict()._metadata
    assert select_part(contents(source), "backbone").versions[""] == versions["backbone"]


def test_counters_do_not_count():
    net = backbone()
    old = {key: value for key, value in net.state_dict().items() if "num_batches_tracked" not in key}
    assert len(old) < len(net.state_dict())
    report = plan_loading(net, contents(old)).report
    assert report.is_plain
    assert report.filled.keys == report.filled.all_keys == len(old)
    assert report.filled.all_parameters == sum(parameter.numel() for parameter in net.parameters())
