"""The registered necks: each serves all four frameworks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule

from .. import nets
from ..registry import MODELS
from .inits import INITS
from .layers import build_layers


@MODELS.register_module()
class HRNetV2Neck(nets.ConcatScales, BaseModule):
    """HRNetV2's representation (arXiv:1908.07919, figure 4b): all scales at the highest resolution, concatenated.

    The same as mmpose's `FeatureMapProcessor(concat=True)` and the `resize_concat` of mmseg's heads, for the heads that
    have neither.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Where given, a 1x1 convolution, a norm and a ReLU lead to so many channels; None leaves
            the concatenation of `sum(in_channels)`.
        upsample_mode: `bilinear` or `nearest`.
        align_corners: Of the bilinear mode only.
        conv_cfg: mmcv's config of the convolution.
        norm_cfg: mmcv's config of the norm; None is `BN`.
        init_cfg: mmengine's initialisation; None is Kaiming.

    Shapes: (N, in_channels[i], H_i, W_i) a scale to a tuple of one (N, out_channels, H_0, W_0).

    Raises:
        SpecError: for a wrong argument, by its name.
        ConfigError: when run, if the scales are not those of `in_channels`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int | None = None,
        upsample_mode: str = "bilinear",
        align_corners: bool = False,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        layers = build_layers(conv_cfg, norm_cfg)
        super().__init__(in_channels, out_channels, upsample_mode, align_corners, layers)
        self.init_cfg = init_cfg or INITS["kaiming"]


@MODELS.register_module()
class HRFPN(nets.HRFPN, BaseModule):
    """HRNetV2p (arXiv:1904.04514): the pyramid of the detection networks, with mmdet's arguments and keys.

    mmdet's takes a `norm_cfg` too and never uses it; here it is no argument.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Channels of every level.
        num_outs: Levels; level i is pooled by 2**i.
        pooling_type: `AVG` or `MAX`.
        conv_cfg: mmcv's config of convolutions.
        with_cp: Recompute the convolutions in the backward pass instead of keeping their outputs.
        stride: Of the 3x3 convolution of each level.
        init_cfg: mmengine's initialisation; None is Caffe2Xavier, for every convolution.

    Shapes: (N, in_channels[i], H_i, W_i) a scale to (N, out_channels, H_0 / 2**i / stride, ...) a level.

    Raises:
        SpecError: for a wrong argument, by its name.
        ConfigError: when run, if the scales are not those of `in_channels`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        num_outs: int = 5,
        pooling_type: str = "AVG",
        conv_cfg: Mapping | None = None,
        with_cp: bool = False,
        stride: int = 1,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        super().__init__(in_channels, out_channels, num_outs, pooling_type, stride, build_layers(conv_cfg), with_cp)
        self.init_cfg = init_cfg or {"type": "Caffe2Xavier", "layer": "Conv2d"}


@MODELS.register_module()
class HRFuseScales(nets.ClassificationFusion, BaseModule):
    """HRNet's classification fusion, with mmpretrain's arguments and keys; global pooling and a linear head follow.

    `norm_cfg` reaches every norm; mmpretrain's stops before the bottlenecks.

    Args:
        in_channels: Channels of each scale, from the highest resolution to the lowest.
        out_channels: Channels of the result.
        conv_bias: Give the strided and the last convolution a bias, as the authors' released weights and timm's have.
        conv_cfg: mmcv's config of convolutions.
        norm_cfg: mmcv's config of norms; None is `BN`.
        init_cfg: mmengine's initialisation; None is Kaiming, as the authors' and timm's.

    Shapes: (N, in_channels[i], H_i, W_i) a scale to a tuple of one (N, out_channels, H_last, W_last).

    Raises:
        SpecError: for a wrong argument, by its name.
        ConfigError: when run, if the scales are not those of `in_channels`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int = 2048,
        conv_bias: bool = False,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        layers = build_layers(conv_cfg, norm_cfg)
        super().__init__(in_channels, out_channels, conv_bias=conv_bias, layers=layers)
        self.init_cfg = init_cfg or INITS["kaiming"]
