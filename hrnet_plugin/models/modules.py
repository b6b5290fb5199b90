"""The building blocks, registered for use by themselves in a config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule
from torch import nn

from .. import nets
from ..archs import Fusion, read_branches
from ..archs.spec import check_count, check_flag
from ..errors import SpecError
from ..nets.blocks import BLOCKS
from ..nets.recompute import Recomputing
from ..registry import MODELS
from .layers import build_layers


class _BlockFromConfig:
    """A residual block built from mmcv's layer configs.

    Args:
        in_channels: Channels that enter.
        width: Base width; `width * expansion` channels leave.
        stride: Stride of the (first) 3x3 convolution.
        downsample: The projection of the shortcut; where it is None and the shape changes, one is made.
        with_cp: Recompute activations in the backward pass instead of keeping them.
        conv_cfg: mmcv's config of convolutions.
        norm_cfg: mmcv's config of norms.
        init_cfg: mmengine's initialisation.

    Shapes: (N, in_channels, H, W) to (N, width * expansion, H / stride, W / stride).
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        with_cp: bool = False,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        for field, value in {"in_channels": in_channels, "width": width, "stride": stride}.items():
            check_count(field, value)
        layers = build_layers(conv_cfg, norm_cfg)
        if downsample is None:
            downsample = layers.shortcut(in_channels, width * self.expansion, stride)
        super().__init__(in_channels, width, stride, downsample, layers=layers, with_cp=with_cp)
        self.init_cfg = init_cfg


@MODELS.register_module()
class BasicBlock(_BlockFromConfig, nets.BasicBlock, BaseModule):
    __doc__ = f"Two 3x3 convolutions.\n\n{_BlockFromConfig.__doc__}"


@MODELS.register_module()
class Bottleneck(_BlockFromConfig, nets.Bottleneck, BaseModule):
    __doc__ = f"1x1, 3x3 and 1x1 convolutions.\n\n{_BlockFromConfig.__doc__}"


@MODELS.register_module()
class HighResolutionModule(nets.HighResolutionModule, BaseModule):
    """The high-resolution module from a config, with OpenMMLab's argument names or the original's.

    Args:
        num_branches: Number of branches.
        blocks: `'BASIC'` or `'BOTTLENECK'`, or one of them for each branch; the block classes are understood too.
        num_blocks: Blocks of each branch.
        in_channels: Channels that enter each branch (the original's `num_inchannels`).
        num_channels: Base width of each branch.
        fuse_method: `sum`, `mean` or `concat` (the original's `SUM`, `AVG`, `CONCAT`).
        multiscale_output: Give all branches or the first alone (the original's `multi_scale_output`).
        with_cp: Keep what enters and leaves alone, and recompute branches and fusion in the backward pass; with
            `'nested'` block by block.
        conv_cfg: mmcv's config of convolutions.
        norm_cfg: mmcv's config of norms.
        upsample_cfg: `dict(mode=, align_corners=)` as mmpose has it; or the two arguments that follow.
        upsample_mode: `nearest` or `bilinear`.
        align_corners: Of the bilinear mode.
        init_cfg: mmengine's initialisation.
        num_inchannels: The original's name of `in_channels`.
        multi_scale_output: The original's name of `multiscale_output`.
        block: mmpretrain's name of `blocks`.

    Shapes: a list of (N, in_channels[i], H_i, W_i) to a list of (N, out_channels[i], H_i, W_i).

    Raises:
        SpecError: for a wrong or doubled argument, by its name.
    """

    def __init__(
        self,
        num_branches: int,
        blocks: str | type | Sequence[str] | None = None,
        num_blocks: Sequence[int] = (),
        in_channels: Sequence[int] | None = None,
        num_channels: Sequence[int] = (),
        *,
        fuse_method: str = "sum",
        multiscale_output: bool | None = None,
        with_cp: Recomputing = False,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        upsample_cfg: Mapping | None = None,
        upsample_mode: str = "nearest",
        align_corners: bool = False,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
        num_inchannels: Sequence[int] | None = None,
        multi_scale_output: bool | None = None,
        block: str | type | Sequence[str] | None = None,
    ):
        entering = _one_of("in_channels", in_channels, "num_inchannels", num_inchannels)
        kinds = _block_names(_one_of("blocks", blocks, "block", block))
        multiscale = _one_of("multiscale_output", multiscale_output, "multi_scale_output", multi_scale_output, True)
        branches = read_branches("", num_branches, kinds, num_blocks, num_channels)
        _check_widths(entering)
        check_flag("multiscale_output", multiscale)
        if upsample_cfg is not None:
            upsample_mode = upsample_cfg.get("mode", "nearest")
            align_corners = bool(upsample_cfg.get("align_corners"))
        fusion = Fusion(fuse_method, upsample_mode, align_corners)
        super().__init__(branches, entering, fusion, multiscale, build_layers(conv_cfg, norm_cfg), with_cp)
        self.init_cfg = init_cfg


def _check_widths(in_channels: object) -> None:
    if isinstance(in_channels, str) or not isinstance(in_channels, Sequence):
        raise SpecError("in_channels", found=repr(in_channels), expected="a list, one value a branch")
    for index, channels in enumerate(in_channels):
        check_count(f"in_channels[{index}]", channels)


def _one_of(name: str, value: object, alias: str, other: object, default: object = None) -> object:
    """The one of two spellings that was given."""
    if value is not None and other is not None:
        raise SpecError(name, found=f"also {alias}", expected="one of the two, they mean the same")
    given = other if value is None else value
    if given is None and default is None:
        raise SpecError(name, found="nothing", expected="a value")
    return default if given is None else given


def _block_names(blocks: str | type | Sequence) -> str | list[str]:
    """Block types by name, where classes were given as the original does."""
    if isinstance(blocks, str):
        return blocks
    if isinstance(blocks, type):
        return _block_name(blocks)
    return [kind if isinstance(kind, str) else _block_name(kind) for kind in blocks]


def _block_name(kind: type) -> str:
    for name, block in BLOCKS.items():
        if isinstance(kind, type) and issubclass(kind, block):
            return name
    raise SpecError("blocks", found=repr(kind), expected="'BASIC', 'BOTTLENECK' or hrnet_plugin's classes of them")
