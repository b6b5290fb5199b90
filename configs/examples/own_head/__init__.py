"""Somebody's own head: a package beside the config that uses it, found because our tools look there."""

from __future__ import annotations

import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor, nn


class OwnHead(BaseHead):
    """Two convolutions to one heatmap a keypoint.

    Args:
        in_channels: Channels of the neck's first output.
        out_channels: Keypoints.
        decoder: Config of the codec that reads keypoints from heatmaps.
    """

    def __init__(self, in_channels: int, out_channels: int, decoder: dict, init_cfg: dict | None = None):
        super().__init__(init_cfg)
        self.decoder = KEYPOINT_CODECS.build(decoder)
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, in_channels // 4, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(in_channels // 4, out_channels, 3, padding=1),
        )

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """(N, in_channels, H, W), the first of `feats`, to heatmaps (N, out_channels, H, W)."""
        return self.layers(feats[0])

    def predict(self, feats: tuple[Tensor, ...], batch_data_samples: list, test_cfg: dict) -> list:
        """The keypoints of each sample, in pixels of the network's input."""
        return self.decode(self.forward(feats).detach())

    def loss(self, feats: tuple[Tensor, ...], batch_data_samples: list, train_cfg: dict) -> dict[str, Tensor]:
        """Mean squared error of the heatmaps of labelled keypoints."""
        truth = torch.stack([sample.gt_fields.heatmaps for sample in batch_data_samples])
        weights = torch.cat([sample.gt_instance_labels.keypoint_weights for sample in batch_data_samples])
        error = (self.forward(feats) - truth).square().mean(dim=(2, 3))
        return {"loss_kpt": (error * weights).mean()}
