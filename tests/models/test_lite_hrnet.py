"""The registered Lite-HRNet: equal to mmpose's to the last bit, and a backbone in every framework."""

from __future__ import annotations

import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.archs import LITE_ZOO, LiteHRNetSpec, LiteStageSpec, LiteStemSpec
from hrnet_plugin.errors import ConfigError, SpecError


def as_extra(spec: LiteHRNetSpec) -> dict:
    """A description as mmpose's `extra`, the only form it takes."""
    stages = spec.stages
    return {
        "stem": dict(vars(spec.stem)),
        "num_stages": len(stages),
        "stages_spec": {
            "num_modules": [stage.num_modules for stage in stages],
            "num_branches": [len(stage.channels) for stage in stages],
            "num_blocks": [stage.num_blocks for stage in stages],
            "module_type": [stage.module_type for stage in stages],
            "with_fuse": [stage.with_fuse for stage in stages],
            "reduce_ratios": [stage.reduce_ratio for stage in stages],
            "num_channels": [stage.channels for stage in stages],
        },
        "with_head": spec.with_head,
    }


def theirs_of(spec: LiteHRNetSpec, **options: object) -> nn.Module:
    """mmpose's network of a description."""
    from mmpose.models.backbones import LiteHRNet as MMPoseLiteHRNet

    return MMPoseLiteHRNet(as_extra(spec), **options)


def randomise(net: nn.Module) -> nn.Module:
    """Gives every parameter and statistic a value that shows: fresh norms are ones and zeros."""
    generator = torch.Generator().manual_seed(0)
    for tensor in net.state_dict().values():
        if tensor.dtype.is_floating_point:
            scale = 1 / tensor[0].numel() ** 0.5 if tensor.ndim > 1 else 0.5
            tensor.copy_(torch.rand(tensor.shape, generator=generator).sub(0.5).mul(2 * scale).add(tensor.ndim == 1))
    return net


def stages(*kinds: str, **choices: object) -> tuple[LiteStageSpec, ...]:
    """Stages of 2, 3, ... branches of the given types."""
    widths = (16, 24, 40, 56, 64)
    return tuple(LiteStageSpec(widths[: index + 2], module_type=kind, **choices) for index, kind in enumerate(kinds))


SPECS = {
    **LITE_ZOO,
    "18_without_head": LITE_ZOO["litehrnet_18"].with_choices(with_head=False),
    "naive_without_head": LITE_ZOO["litehrnet_naive"].with_choices(with_head=False),
    "mixed": LiteHRNetSpec(stages("NAIVE", "LITE", num_blocks=1, reduce_ratio=4)),
    "mixed_again": LiteHRNetSpec(stages("LITE", "NAIVE", num_modules=2), with_head=False),
    "without_fuse": LiteHRNetSpec(stages("LITE", "NAIVE", "LITE", with_fuse=False)),
    "wide_stem": LiteHRNetSpec(stages("LITE"), LiteStemSpec(16, 40, expand_ratio=1.3)),
    "even_stem": LiteHRNetSpec(stages("LITE"), LiteStemSpec(24, 48, expand_ratio=2)),
    "one_branch_first": LiteHRNetSpec((LiteStageSpec((20,), module_type="NAIVE"), *stages("LITE", "LITE"))),
    "two_new_branches": LiteHRNetSpec((LiteStageSpec((32, 40)), LiteStageSpec((32, 48, 56, 64), num_blocks=1))),
}
#: Image sizes (height, width) that mmpose runs: without fusing any, otherwise those whose halvings, rounded up, fit.
SIZES = {"without_fuse": ((64, 64), (33, 51), (70, 47))}


@pytest.fixture(scope="module", params=SPECS)
def pair(request):
    """mmpose's network, ours with its weights, and the image sizes to compare."""
    spec = SPECS[request.param]
    theirs = randomise(theirs_of(spec))
    ours = LiteHRNet(spec)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours, SIZES.get(request.param, ((64, 32), (61, 95)))


def difference(ours: tuple, theirs: tuple) -> float:
    """The largest, of outputs that hold more than a few values."""
    assert len(ours) == len(theirs) == 1
    assert theirs[0].unique().numel() > 100
    return (ours[0] - theirs[0]).abs().max().item()


def test_state_dicts_have_the_same_keys_in_the_same_order(pair):
    theirs, ours, _ = pair
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_outputs_and_statistics_are_equal_to_the_last_bit(pair, training):
    theirs, ours, sizes = pair
    for size in sizes:
        image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
        theirs.train(training)
        ours.train(training)
        with torch.no_grad():
            assert difference(ours(image), theirs(image)) == 0.0
    our_state = ours.state_dict()
    for name, value in theirs.state_dict().items():
        assert torch.equal(our_state[name], value), name


@pytest.mark.parametrize("name", ["mixed", "mixed_again", "without_fuse"])
def test_gradients_are_equal_to_the_last_bit(name):
    theirs = randomise(theirs_of(SPECS[name]))
    ours = LiteHRNet(SPECS[name])
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 64, 64)
    for net in (theirs, ours):
        net(image)[0].square().mean().backward()
    theirs_by_name = dict(theirs.named_parameters())
    compared = 0
    for parameter_name, parameter in ours.named_parameters():
        gradient = theirs_by_name[parameter_name].grad
        if gradient is None:  # without a head, the last fuse layers lead to branches that do not leave
            assert parameter.grad is None, parameter_name
        else:
            assert torch.equal(parameter.grad, gradient), parameter_name
            compared += 1
    assert compared > 50


@pytest.mark.parametrize("norm", [{"type": "GN", "num_groups": 1}, {"type": "SyncBN"}], ids=["gn", "syncbn"])
def test_other_norms_have_the_same_keys_and_outputs(norm):
    theirs = randomise(theirs_of(SPECS["mixed"], norm_cfg=dict(norm)))
    ours = LiteHRNet(SPECS["mixed"], norm_cfg=norm).eval()
    theirs.eval()  # returns nothing
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert difference(ours(image), theirs(image)) == 0.0


@pytest.mark.parametrize("name", ["mixed", "wide_stem"])
def test_the_same_seed_gives_the_same_initial_weights(name):
    states = []
    for net in (theirs_of(SPECS[name]), LiteHRNet(SPECS[name])):
        torch.manual_seed(3)
        net.init_weights()
        states.append(net.state_dict())
    for key, value in states[0].items():
        assert torch.equal(states[1][key], value), key
    assert states[1]["stage0.0.fuse_layers.0.1.0.weight"].std().item() == pytest.approx(0.001, rel=0.2)


def test_extra_is_understood_as_mmpose_writes_it():
    for name, spec in SPECS.items():
        assert LiteHRNet(extra=as_extra(spec)).spec == spec, name
    assert LiteHRNet(as_extra(SPECS["mixed"])).spec == SPECS["mixed"]  # mmpose takes it first


FRAMEWORKS = {
    "mmpose": {
        "type": "TopdownPoseEstimator",
        "head": {
            "type": "HeatmapHead",
            "in_channels": 40,
            "out_channels": 17,
            "deconv_out_channels": None,
            "loss": {"type": "KeypointMSELoss"},
        },
    },
    "mmseg": {
        "type": "EncoderDecoder",
        "decode_head": {
            "type": "FCNHead",
            "in_channels": [40, 40, 80, 160],
            "in_index": [0, 1, 2, 3],
            "channels": 16,
            "num_convs": 1,
            "num_classes": 5,
            "input_transform": "resize_concat",
        },
    },
    "mmdet": {
        "type": "FCOS",
        "neck": {"type": "FPN", "in_channels": [40, 40, 80, 160], "out_channels": 16, "num_outs": 5},
        "bbox_head": {
            "type": "FCOSHead",
            "num_classes": 3,
            "in_channels": 16,
            "feat_channels": 16,
            "norm_cfg": {"type": "BN"},
        },
    },
    "mmpretrain": {
        "type": "ImageClassifier",
        "neck": {"type": "GlobalAveragePooling"},
        "head": {"type": "LinearClsHead", "num_classes": 7, "in_channels": 160},
    },
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_framework_runs_a_model_on_it(framework):
    models = __import__(f"{framework}.models", fromlist=["models"])
    assert models
    registry = __import__(f"{framework}.registry", fromlist=["MODELS"]).MODELS
    backbone = {"type": "hrnet_plugin.LiteHRNet", "arch": "litehrnet_18", "multiscale_output": framework != "mmpose"}
    with DefaultScope.overwrite_default_scope(framework):
        model = registry.build({**copy.deepcopy(FRAMEWORKS[framework]), "backbone": backbone}).eval()
    assert type(model.backbone) is LiteHRNet
    with torch.no_grad():
        out = model(torch.rand(1, 3, 64, 64), None, mode="tensor")
    while isinstance(out, list | tuple):  # detection gives lists of levels, the highest resolution first
        out = out[0]
    expected = {"mmpose": (1, 17, 16, 16), "mmseg": (1, 5, 16, 16), "mmdet": (1, 3, 16, 16), "mmpretrain": (1, 7)}
    assert tuple(out.shape) == expected[framework]
    assert out.isfinite().all()


def test_the_channels_that_leave_are_compared_with_the_heads():
    from mmpose.registry import MODELS

    from hrnet_plugin.engine.network_fit import check_network

    cfg = {**copy.deepcopy(FRAMEWORKS["mmpose"]), "backbone": {"type": LiteHRNet, "arch": "litehrnet_naive"}}
    with (
        DefaultScope.overwrite_default_scope("mmpose"),
        pytest.raises(ConfigError, match=r"model\.head\.in_channels: found 40, expected 30"),
    ):
        check_network(MODELS.build(copy.deepcopy(cfg)), cfg)


def test_the_type_alone_is_lite_hrnet_18():
    assert LiteHRNet().spec == LITE_ZOO["litehrnet_18"]


def test_arguments_win_over_the_description_and_are_left_as_they_were():
    config = {"extra": as_extra(SPECS["mixed"]), "norm_cfg": {"type": "BN", "requires_grad": False}}
    before = copy.deepcopy(config)
    net = LiteHRNet(**config, with_head=False, multiscale_output=True)
    net.init_weights()
    assert config == before
    assert net.spec == SPECS["mixed"].with_choices(with_head=False, multiscale_output=True)
    assert {p.requires_grad for m in net.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()} == {False}


def test_conv_cfg_reaches_every_convolution():
    from mmengine.registry import MODELS

    class MarkedConv(nn.Conv2d):
        """A convolution that can be told apart."""

    MODELS.register_module(name="MarkedConv", module=MarkedConv, force=True)
    net = LiteHRNet(SPECS["mixed"], conv_cfg={"type": "MarkedConv"})
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert len(convs) == 49
    assert all(type(conv) is MarkedConv for conv in convs)


def test_pretrained_weights_are_local_and_their_absence_is_survived(tmp_path, monkeypatch):
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    donor = randomise(LiteHRNet(SPECS["mixed"]))
    torch.save({"state_dict": donor.state_dict()}, tmp_path / "lite.pth")
    found, missing = (
        LiteHRNet(SPECS["mixed"], pretrained=f"https://example.org/{name}.pth") for name in ("lite", "other")
    )
    for net in (found, missing):
        net.init_weights()
    loaded = found.state_dict()
    for name, value in donor.state_dict().items():
        assert torch.equal(loaded[name], value), name
    weight = missing.stage0[0].layers[0][0].branch2[0].conv.weight
    assert weight.std().item() == pytest.approx(0.001, rel=0.3)


@pytest.mark.parametrize(
    ("build", "kind", "message"),
    [
        (lambda: LiteHRNet("w32"), SpecError, "arch: found 'w32', expected a preset of LiteHRNet. Use type='hrnet_plu"),
        (lambda: HRNet("litehrnet_30"), SpecError, "found 'litehrnet_30', expected a preset of HRNet. Use type='hrnet"),
        (lambda: LiteHRNet(in_channels=0), SpecError, "in_channels: found 0"),
        (lambda: LiteHRNet(with_head="no"), SpecError, "with_head: found 'no', expected True or False"),
        (lambda: LiteHRNet("litehrnet_18", {"stem": 1}), SpecError, "found both arch and extra, expected one of them"),
        (lambda: LiteHRNet(pretrained="a.pth", init_cfg={"type": "Kaiming"}), ConfigError, "both pretrained and init"),
        (lambda: LiteHRNet(norm_cfg={"type": "BNN"}), ConfigError, "norm_cfg.type: found 'BNN'"),
    ],
)
def test_bad_input_is_refused_in_one_line(build, kind, message):
    with pytest.raises(kind) as error:
        build()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_in_channels_reaches_the_stem():
    assert LiteHRNet(SPECS["mixed"], in_channels=5)(torch.rand(2, 5, 64, 64))[0].shape == (2, 16, 16, 16)
