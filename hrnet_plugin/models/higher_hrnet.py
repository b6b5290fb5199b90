"""HigherHRNet's head: heatmaps at two or more resolutions, tags at the coarsest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from mmpose.models.utils.tta import aggregate_heatmaps
from torch import Tensor, nn

from ..archs.spec import check_count
from ..nets import Layers
from ..nets.deconv import build_deconv_stage
from ..registry import MODELS
from .ae_head import AssociativeEmbeddingHead, Features
from .layers import build_layers


@MODELS.register_module()
class HigherHRNetHead(AssociativeEmbeddingHead):
    """Heatmaps and tags at the backbone's highest resolution, and from those together with the features heatmaps at
    twice the resolution (Cheng et al., arXiv:1908.10357): `type='hrnet_plugin.HigherHRNetHead'`.

    Each resolution has its heatmap loss. Prediction averages the heatmaps of all resolutions at the finest one, to
    which the tags are enlarged, then over the views as :class:`AssociativeEmbeddingHead` does. The names of the
    layers, `final_layers` and `deconv_layers`, are those of the authors' weights.

    Args:
        in_channels: Channels of the backbone's highest resolution, which every finer one has too.
        num_keypoints: Keypoints of a person, K.
        tag_dim: Values of a tag, L.
        tag_per_keypoint: One tag map for each keypoint; otherwise one for all.
        num_deconvs: How often the resolution is doubled.
        num_blocks: Residual blocks after each doubling.
        norm_cfg: mmcv's config of norms; None is `BN`.
        keypoint_loss: Config of the heatmap loss of each resolution.
        tag_loss: Config of the grouping loss; None is ours with the published weight, 0.001.
        decoder: Config of the codec that decodes.
        init_cfg: mmengine's initialisation; None is a narrow normal one.

    Raises:
        SpecError: for a count that is no positive number.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        tag_dim: int = 1,
        tag_per_keypoint: bool = True,
        num_deconvs: int = 1,
        num_blocks: int = 4,
        norm_cfg: Mapping | None = None,
        keypoint_loss: Mapping | None = None,
        tag_loss: Mapping | None = None,
        decoder: Mapping | None = None,
        init_cfg: Mapping | Sequence[Mapping] | None = None,
    ):
        counts = {
            "in_channels": in_channels,
            "num_keypoints": num_keypoints,
            "tag_dim": tag_dim,
            "num_deconvs": num_deconvs,
            "num_blocks": num_blocks,
        }
        for field, value in counts.items():
            check_count(f"head.{field}", value)
        super().__init__(
            in_channels=in_channels,
            num_keypoints=num_keypoints,
            tag_dim=tag_dim,
            tag_per_keypoint=tag_per_keypoint,
            deconv_out_channels=None,
            final_layer=None,
            keypoint_loss=dict(keypoint_loss or {"type": "KeypointMSELoss"}),
            tag_loss=tag_loss,
            decoder=decoder,
            init_cfg=init_cfg,
        )
        # out_channels is what mmpose's head gives at its one resolution, heatmaps and tags.
        self._build(num_deconvs, num_blocks, build_layers(norm_cfg=norm_cfg))

    def _build(self, num_deconvs: int, num_blocks: int, layers: Layers) -> None:
        width, given = self.in_channels, self.out_channels
        self.final_layers = nn.ModuleList([nn.Conv2d(width, given, kernel_size=1)])
        self.deconv_layers = nn.ModuleList()
        for _ in range(num_deconvs):
            self.deconv_layers.append(build_deconv_stage(width + given, width, num_blocks, layers))
            given = self.num_keypoints
            self.final_layers.append(nn.Conv2d(width, given, kernel_size=1))

    def forward(self, feats: Features) -> tuple[list[Tensor], Tensor]:
        """Heatmaps (N, K, H, W), (N, K, 2 H, 2 W) and so on, and tags (N, L * K, H, W).

        Args:
            feats: The backbone's feature maps; the first, (N, in_channels, H, W), is used.
        """
        features = feats[0]
        given = self.final_layers[0](features)
        heatmaps, tags = [given[:, : self.num_keypoints]], given[:, self.num_keypoints :]
        for deconv, final in zip(self.deconv_layers, self.final_layers[1:], strict=True):
            features = deconv(torch.cat((features, given), dim=1))
            given = final(features)
            heatmaps.append(given)
        return heatmaps, self._tags_of_keypoints(tags)

    def levels(self, feats: Features) -> tuple[list[Tensor], Tensor]:
        """What `forward` gives."""
        return self.forward(feats)

    def single_resolution(self, feats: Features, align_corners: bool) -> tuple[Tensor, Tensor]:
        """The average of all heatmaps, and the tags, at the finest resolution."""
        heatmaps, tags = self.forward(feats)
        height, width = heatmaps[-1].shape[-2:]
        size = (width, height)
        return (
            aggregate_heatmaps(heatmaps, size=size, align_corners=align_corners, mode="average"),
            aggregate_heatmaps([tags], size=size, align_corners=align_corners, mode="concat"),
        )
