"""The registered Lite-HRNet: a network, its description from a config, its initialisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import kaiming_init

from .. import nets
from ..archs import LiteHRNetSpec, find_lite_arch, read_lite_extra
from ..archs.spec import check_count
from ..errors import SpecError
from ..registry import MODELS
from .backbone_init import LocalInit
from .inits import INITS
from .layers import build_layers


@MODELS.register_module()
class LiteHRNet(nets.LiteHRNet, LocalInit):
    """Lite-HRNet as a backbone for mmpose, mmseg, mmdet and mmpretrain: `type='hrnet_plugin.LiteHRNet'`.

    Args:
        arch: A preset by name (`'litehrnet_30'`) or a :class:`LiteHRNetSpec`; `'litehrnet_18'` where neither `arch`
            nor `extra` is given.
        extra: The description as mmpose's configs write it.
        in_channels: Channels of the image.
        conv_cfg: mmcv's config of convolutions; None is plain `Conv2d`. It reaches every convolution; mmpose's stops
            before the head and the spatial weighting.
        norm_cfg: mmcv's config of norms; None is `BN`. It reaches every norm.
        norm_eval: Keep batch norms in evaluation mode while training.
        with_cp: Recompute the blocks' activations in the backward pass instead of keeping them.
        with_head: Whether the iterative head follows the stages.
        multiscale_output: Give all branches or the highest resolution alone; mmpose's gives the highest alone.
        pretrained: A checkpoint, as older configs name it; the same as `init_cfg=dict(type='Pretrained', ...)`.
        init_cfg: mmengine's initialisation; None is mmpose's: a normal of 0.001, and Kaiming for the stem. Pretrained
            weights named by URL are taken from the local weights folder (`models.pretrained`) and never downloaded.

    Choices left at None follow the description.

    Raises:
        SpecError: for a wrong description, before any layer is built.
        ConfigError: if both `init_cfg` and `pretrained` are given.

    Example:
        >>> import torch
        >>> net = LiteHRNet("litehrnet_18", multiscale_output=True).eval()
        >>> [tuple(out.shape) for out in net(torch.rand(1, 3, 64, 64))]
        [(1, 40, 16, 16), (1, 40, 8, 8), (1, 80, 4, 4), (1, 160, 2, 2)]
    """

    def __init__(
        self,
        arch: str | LiteHRNetSpec | None = None,
        extra: Mapping | None = None,
        in_channels: int = 3,
        conv_cfg: Mapping | None = None,
        norm_cfg: Mapping | None = None,
        norm_eval: bool = False,
        with_cp: bool = False,
        with_head: bool | None = None,
        multiscale_output: bool | None = None,
        pretrained: str | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        check_count("in_channels", in_channels)
        spec = _describe(arch, extra).with_choices(with_head=with_head, multiscale_output=multiscale_output)
        super().__init__(spec, in_channels, build_layers(conv_cfg, norm_cfg), norm_eval, with_cp)
        self.choose_init(pretrained, init_cfg, INITS["normal"])

    def init_weights(self) -> None:
        """Initialises as `init_cfg` says; where it asks only for weights that are not at hand, as by default."""
        super().init_weights()
        if self.init_cfg == INITS["normal"]:
            # In mmpose's these four initialise themselves after the network has done so, and with the same seed both
            # networks shall begin with the same weights. Their neighbours in `branch1` do not.
            stem = self.stem
            for named in (stem.conv1, stem.expand_conv, stem.depthwise_conv, stem.linear_conv):
                kaiming_init(named.conv)


def _describe(arch: str | LiteHRNetSpec | Mapping | None, extra: Mapping | None) -> LiteHRNetSpec:
    if isinstance(arch, Mapping) and extra is None:
        arch, extra = None, arch  # mmpose takes `extra` first
    if extra is not None:
        if arch is not None:
            raise SpecError("backbone", found="both arch and extra", expected="one of them", do="Drop one")
        return read_lite_extra(extra)
    if isinstance(arch, LiteHRNetSpec):
        return arch
    return find_lite_arch("litehrnet_18" if arch is None else arch)
