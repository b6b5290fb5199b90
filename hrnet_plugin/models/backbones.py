"""The registered backbone: a network, its description from a config, its initialisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import constant_init
from mmengine.registry import DefaultScope

from .. import nets
from ..archs import CONVENTIONS, Conventions, HRNetSpec, find_arch, read_extra
from ..archs.spec import check_count
from ..errors import SpecError
from ..nets.recompute import Recomputing
from ..registry import MODELS
from .backbone_init import LocalInit
from .inits import INITS
from .layers import build_layers
from .pretrained import has_pretrained


@MODELS.register_module()
class HRNet(nets.HRNet, LocalInit):
    """HRNet as a backbone for mmpose, mmseg, mmdet and mmpretrain: `type='hrnet_plugin.HRNet'`.

    Args:
        arch: A preset by name (`'w32'`) or an :class:`HRNetSpec`; `'w32'` where neither `arch` nor `extra` is given.
        extra: The description as OpenMMLab's configs write it. What it leaves out is filled as the framework in
            whose scope the model is built would fill it (`archs.CONVENTIONS`): the same `extra` gives mmpose's network
            in a config of mmpose and mmseg's in one of mmseg.
        in_channels: Channels of the image.
        conv_cfg: mmcv's config of convolutions; None is plain `Conv2d`.
        norm_cfg: mmcv's config of norms; None is `BN`. It reaches every norm, stem and stage 1 included.
        norm_eval: Keep batch norms in evaluation mode while training.
        with_cp: Keep what enters each high-resolution module, transition, block of stage 1 and the stem alone, and
            compute what lies between again in the backward pass; `'nested'` does so within each module once more,
            block by block: less memory, more time.
        frozen_stages: Freeze the stem (0), stage 1 (1), and so on; -1 freezes nothing.
        zero_init_residual: Start each residual block as an identity; without effect on pretrained weights.
        multiscale_output: Give all branches of the last stage or the highest resolution alone.
        upsample_mode: `nearest` or `bilinear`.
        align_corners: Of the bilinear mode.
        fuse_method: `sum`, `mean` or `concat`.
        pretrained: A checkpoint, as older configs name it; the same as `init_cfg=dict(type='Pretrained', ...)`.
        init_cfg: mmengine's initialisation. Pretrained weights named by URL are taken from the local weights folder
            (`models.pretrained`) and never downloaded.

    Choices left at None follow the description, then the defaults of :class:`HRNetSpec`.

    Raises:
        SpecError: for a wrong description, before any layer is built.
        ConfigError: if both `init_cfg` and `pretrained` are given.

    Example:
        >>> import torch
        >>> net = HRNet("w18_small_v2", multiscale_output=False).eval()
        >>> [tuple(out.shape) for out in net(torch.rand(1, 3, 64, 64))]
        [(1, 18, 16, 16)]
    """

    def __init__(
        self,
        arch: str | HRNetSpec | None = None,
        extra: Mapping | None = None,
        in_channels: int = 3,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        norm_eval: bool | None = None,
        with_cp: Recomputing = False,
        frozen_stages: int = -1,
        zero_init_residual: bool = False,
        multiscale_output: bool | None = None,
        upsample_mode: str | None = None,
        align_corners: bool | None = None,
        fuse_method: str | None = None,
        pretrained: str | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        check_count("in_channels", in_channels)
        spec, conventions = _describe(arch, extra)
        spec = spec.with_choices(
            multiscale_output=multiscale_output,
            upsample_mode=upsample_mode,
            align_corners=align_corners,
            fuse_method=fuse_method,
        )
        norm_eval = conventions.norm_eval if norm_eval is None else norm_eval
        layers = build_layers(conv_cfg, norm_cfg)
        super().__init__(spec, in_channels, layers, norm_eval, with_cp, frozen_stages)
        self.zero_init_residual = zero_init_residual
        self.choose_init(pretrained, init_cfg, INITS[conventions.init])

    def init_weights(self) -> None:
        """Initialises as `init_cfg` says; where it asks only for weights that are not at hand, as by default."""
        super().init_weights()
        if self.zero_init_residual and not has_pretrained(self.init_cfg):
            for block in self.residual_blocks():
                constant_init(block.last_norm, 0)


def _describe(arch: str | HRNetSpec | Mapping | None, extra: Mapping | None) -> tuple[HRNetSpec, Conventions]:
    if isinstance(arch, Mapping) and extra is None:
        arch, extra = None, arch  # mmpose and mmseg take `extra` first
    if extra is None:
        own = Conventions()
        return (arch if isinstance(arch, HRNetSpec) else find_arch("w32" if arch is None else arch)), own
    if arch is not None:
        raise SpecError("backbone", found="both arch and extra", expected="one of them", do="Drop one")
    scope = DefaultScope.get_current_instance()
    conventions = CONVENTIONS.get(scope.scope_name if scope else "", Conventions())
    return read_extra(extra, conventions), conventions
