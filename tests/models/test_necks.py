"""The necks equal those of the frameworks that have them, and serve those that have none."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

from hrnet_plugin import HRFPN, HRFuseScales, HRNet, HRNetV2Neck
from hrnet_plugin.errors import ConfigError, SpecError, UserError

WIDTHS = (16, 32, 64, 128)
BACKBONE = {"type": "hrnet_plugin.HRNet", "arch": "w18_small_v1"}


def scales(size=(32, 24), widths=WIDTHS, seed=0) -> tuple[torch.Tensor, ...]:
    """Features as a backbone gives them, that ask for gradients; `size` is that of the first."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.rand(2, width, -(-size[0] // 2**i), -(-size[1] // 2**i), generator=generator).requires_grad_()
        for i, width in enumerate(widths)
    )


def compare(ours: nn.Module, theirs: nn.Module, size=(32, 24)) -> None:
    """Outputs, statistics and all gradients equal to the last bit, in training and evaluation mode."""
    theirs.load_state_dict(ours.state_dict(), strict=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for training in (True, False):
        gradients = []
        outputs = []
        for net in (ours, theirs):
            net.train(training)
            net.zero_grad()
            entering = scales(size)
            outputs.append(net(entering))
            sum(out.square().mean() for out in outputs[-1]).backward()
            gradients.append([tensor.grad for tensor in (*entering, *net.parameters())])
        assert len(outputs[0]) == len(outputs[1])
        for one, other in zip(*outputs, strict=True):
            assert one.unique().numel() > 20
            assert (one - other).abs().max().item() == 0.0
        assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


# Concatenation


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(32, 24), (33, 17)])
def test_concatenation_equals_mmposes_and_mmsegs(align_corners, size):
    from mmpose.models.necks import FeatureMapProcessor
    from mmseg.models.decode_heads import FCNHead

    features = scales(size)
    ours = HRNetV2Neck(WIDTHS, align_corners=align_corners)
    head = FCNHead(
        in_channels=WIDTHS, in_index=(0, 1, 2, 3), input_transform="resize_concat", align_corners=align_corners,
        channels=8, num_classes=2, num_convs=1, kernel_size=1,
    )  # fmt: skip
    (joined,) = ours(features)
    assert tuple(joined.shape) == (2, 240, *size)
    assert ours.out_channels == 240
    assert not ours.state_dict()
    (theirs,) = FeatureMapProcessor(concat=True, align_corners=align_corners)(features)
    assert torch.equal(joined, theirs)
    assert torch.equal(joined, head._transform_inputs(features))


def test_concatenation_by_nearest_repeats_values():
    (joined,) = HRNetV2Neck((1, 2), upsample_mode="nearest")(scales((4, 6), (1, 2)))
    low = scales((4, 6), (1, 2))[1]
    assert torch.equal(joined[:, 1:], low.repeat_interleave(2, 2).repeat_interleave(2, 3))


@pytest.mark.parametrize(
    "norm", [None, {"type": "SyncBN"}, {"type": "GN", "num_groups": 2}], ids=["bn", "syncbn", "gn"]
)
def test_projection_is_a_convolution_a_norm_and_a_relu(norm):
    from mmcv.cnn import ConvModule

    neck = HRNetV2Neck(WIDTHS, out_channels=6, norm_cfg=norm)
    neck.init_weights()
    neck.eval()
    theirs = ConvModule(240, 6, kernel_size=1, norm_cfg=norm or {"type": "BN"}).eval()
    theirs.load_state_dict(neck.project.state_dict(), strict=True)
    (out,) = neck(scales())
    assert torch.equal(out, theirs(HRNetV2Neck(WIDTHS)(scales())[0]))
    assert out.shape[1] == neck.out_channels == 6


# Pyramid


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling_type": "MAX", "num_outs": 3},
        {"stride": 2, "num_outs": 4},
        {"with_cp": True},
        {"conv_cfg": {"type": "Conv2d"}, "num_outs": 1},
    ],
    ids=lambda options: "-".join(options) or "default",
)
def test_pyramid_equals_mmdets(options):
    from mmdet.models.necks import HRFPN as Theirs

    compare(HRFPN(WIDTHS, 12, **options), Theirs(list(WIDTHS), 12, **options))


def test_pyramid_is_initialised_uniformly_throughout():
    # mmdet asks for the same, and its ConvModule then overwrites reduction_conv with its own normal values.
    neck = HRFPN(WIDTHS, 12)
    neck.init_weights()
    for name, value in neck.named_parameters():
        bound = (3 / value[0].numel()) ** 0.5 if value.ndim > 1 else 0.0
        assert 0.98 * bound <= value.abs().max().item() <= bound, name


def test_pyramid_takes_sizes_that_are_no_multiples():
    outs = HRFPN(WIDTHS, 4)(scales((33, 17)))
    assert [tuple(out.shape) for out in outs] == [(2, 4, 33 // 2**i, 17 // 2**i) for i in range(5)]


# Classification


def test_classification_fusion_equals_mmpretrains():
    from mmpretrain.models.necks import HRFuseScales as Theirs

    ours = HRFuseScales(WIDTHS, out_channels=24)
    ours.init_weights()
    compare(ours, Theirs(WIDTHS, out_channels=24))


def test_classification_fusion_takes_any_number_of_scales():
    (out,) = HRFuseScales((4, 8), out_channels=5)(scales((9, 5), (4, 8)))
    assert tuple(out.shape) == (2, 5, 5, 3)


def test_norm_cfg_reaches_every_norm_of_the_classification_fusion():
    neck = HRFuseScales((8, 16), norm_cfg={"type": "GN", "num_groups": 4})
    kinds = {type(module) for module in neck.modules() if "Norm" in type(module).__name__}
    assert kinds == {nn.GroupNorm}
    assert "increase_layers.0.0.gn1.weight" in neck.state_dict()


# In the frameworks


def build(scope: str, config: dict) -> nn.Module:
    """A whole model of a framework."""
    module = __import__(f"{scope}.registry", fromlist=["MODELS"])
    __import__(f"{scope}.models")
    with DefaultScope.overwrite_default_scope(scope):
        return module.MODELS.build(config)


def test_pyramid_of_the_detectors_in_a_segmentation_model_of_mmseg():
    head = {
        "type": "FPNHead", "in_channels": [8] * 4, "in_index": [0, 1, 2, 3], "feature_strides": [4, 8, 16, 32],
        "channels": 8, "num_classes": 3, "norm_cfg": {"type": "BN"}, "align_corners": False,
    }  # fmt: skip
    neck = {"type": "hrnet_plugin.HRFPN", "in_channels": WIDTHS, "out_channels": 8, "num_outs": 4}
    model = build("mmseg", {"type": "EncoderDecoder", "backbone": BACKBONE, "neck": neck, "decode_head": head})
    out = model.eval()(torch.rand(1, 3, 64, 96), mode="tensor")
    assert tuple(out.shape) == (1, 3, 16, 24)
    assert out.unique().numel() > 100


def test_concatenation_before_a_classification_head_of_mmpretrain():
    neck = [{"type": "hrnet_plugin.HRNetV2Neck", "in_channels": WIDTHS}, {"type": "GlobalAveragePooling"}]
    head = {"type": "LinearClsHead", "num_classes": 7, "in_channels": 240}
    model = build("mmpretrain", {"type": "ImageClassifier", "backbone": BACKBONE, "neck": neck, "head": head}).eval()
    image = torch.rand(2, 3, 64, 64)
    joined = HRNetV2Neck(WIDTHS)(model.backbone(image))[0]
    logits = model.head.fc(joined.mean((2, 3)))
    assert torch.allclose(model.head(model.extract_feat(image)), logits, atol=1e-5)
    assert logits.unique().numel() == 14


def test_concatenation_in_a_detector_of_mmdet_and_a_pose_model_of_mmpose():
    neck = {"type": "hrnet_plugin.HRNetV2Neck", "in_channels": WIDTHS, "out_channels": 8}
    head = {
        "type": "CenterNetHead", "in_channels": 8, "feat_channels": 8, "num_classes": 3,
        "loss_center_heatmap": {"type": "GaussianFocalLoss"},
    }  # fmt: skip
    detector = build("mmdet", {"type": "CenterNet", "backbone": BACKBONE, "neck": neck, "bbox_head": head}).eval()
    heat, sizes, _ = detector(torch.rand(1, 3, 64, 96), mode="tensor")
    assert tuple(heat[0].shape) == (1, 3, 16, 24)
    assert tuple(sizes[0].shape) == (1, 2, 16, 24)
    head = {"type": "HeatmapHead", "in_channels": 8, "out_channels": 17, "deconv_out_channels": None}
    pose = build("mmpose", {"type": "TopdownPoseEstimator", "backbone": BACKBONE, "neck": neck, "head": head}).eval()
    assert tuple(pose(torch.rand(1, 3, 64, 96), None, mode="tensor").shape) == (1, 17, 16, 24)


def test_classification_fusion_in_mmdets_scope_and_pyramid_in_mmpretrains():
    fuse = build("mmdet", {"type": "hrnet_plugin.HRFuseScales", "in_channels": WIDTHS, "out_channels": 5})
    assert type(fuse) is HRFuseScales
    neck = [
        {"type": "hrnet_plugin.HRFPN", "in_channels": WIDTHS, "out_channels": 8},
        {"type": "GlobalAveragePooling"},
    ]
    head = {"type": "LinearClsHead", "num_classes": 7, "in_channels": 8}
    model = build("mmpretrain", {"type": "ImageClassifier", "backbone": BACKBONE, "neck": neck, "head": head}).eval()
    assert tuple(model.head(model.extract_feat(torch.rand(1, 3, 64, 64))).shape) == (1, 7)


# Wrong input


@pytest.mark.parametrize("kind", [HRNetV2Neck, HRFPN, HRFuseScales])
@pytest.mark.parametrize(
    ("in_channels", "said"),
    [
        (240, "neck.in_channels: found 240, expected a list, one value a scale"),
        ([], r"neck.in_channels: found \[\], expected a list, one value a scale"),
        ((16, "32"), r"neck.in_channels\[1\]: found '32', expected a whole number of at least 1"),
    ],
)
def test_in_channels_of_a_wrong_kind(kind, in_channels, said):
    with pytest.raises(SpecError, match=said):
        kind(in_channels, out_channels=8)


@pytest.mark.parametrize("kind", [HRNetV2Neck, HRFPN, HRFuseScales])
def test_in_channels_that_the_backbone_does_not_give(kind):
    said = (
        r"neck.in_channels: found \[18, 36, 72, 144\], expected \[16, 32, 64, 128\], the channels of the scales that "
        r"reach it. Set in_channels to \[16, 32, 64, 128\]"
    )
    with pytest.raises(ConfigError, match=said):
        kind((18, 36, 72, 144), out_channels=8)(scales())
    with pytest.raises(ConfigError, match=r"expected \[16\], .*multiscale_output=True"):
        kind(WIDTHS, out_channels=8)(scales()[:1])
    with pytest.raises(ConfigError, match="neck input: found Tensor, expected a list of all scales"):
        kind(WIDTHS, out_channels=8)(scales()[0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: HRNetV2Neck(WIDTHS, out_channels=0), "neck.out_channels: found 0"),
        (lambda: HRNetV2Neck(WIDTHS, upsample_mode="cubic"), "upsample_mode: found 'cubic'"),
        (lambda: HRNetV2Neck(WIDTHS, upsample_mode="nearest", align_corners=True), "align_corners: found True"),
        (lambda: HRNetV2Neck(WIDTHS, norm_cfg={"type": "BNN"}), "norm_cfg.type: found 'BNN'"),
        (lambda: HRFPN(WIDTHS, 8, pooling_type="SUM"), "neck.pooling_type: found 'SUM', expected one of AVG, MAX"),
        (lambda: HRFPN(WIDTHS, 8, num_outs=0), "neck.num_outs: found 0"),
        (lambda: HRFPN(WIDTHS, None), "neck.out_channels: found None"),
        (lambda: HRFPN(WIDTHS, 8, stride=0), "neck.stride: found 0"),
        (lambda: HRFuseScales(WIDTHS, out_channels=1.5), "neck.out_channels: found 1.5"),
        (lambda: HRFuseScales(WIDTHS, conv_bias="no"), "neck.conv_bias: found 'no', expected True or False"),
    ],
)
def test_other_wrong_arguments(call, said):
    with pytest.raises(UserError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_necks_take_what_our_backbone_gives():
    net = HRNet("w18_small_v1")
    assert HRNetV2Neck(net.out_channels)(net(torch.rand(1, 3, 64, 64)))[0].shape[1] == 240
