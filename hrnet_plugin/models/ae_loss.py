"""The loss that groups keypoints into persons."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..registry import MODELS


@MODELS.register_module()
class AssociativeEmbeddingLoss(nn.Module):
    """Tags of one person are pulled to their mean, the means of two persons pushed apart (Newell et al.,
    arXiv:1611.05424): `type='hrnet_plugin.AssociativeEmbeddingLoss'`.

    With N persons in an image, tags t of their annotated keypoints and means m of those::

        pull = 1 / N * sum_n mean_k (t_nk - m_n)^2
        push = push_loss_factor / (N (N - 1)) * sum_{n != n'} exp(-(m_n - m_n')^2)

    Both are averaged over the images of a batch, as in the published training. mmpose 1.x sums them over the images,
    so that the balance with the heatmap loss depends on the batch size, and counts each person's pair with itself,
    which adds a constant. For one image the gradients are the same.

    Args:
        loss_weight: Weight of both terms.
        push_loss_factor: Weight of `push` beside `pull`.
    """

    def __init__(self, loss_weight: float = 1.0, push_loss_factor: float = 0.5):
        super().__init__()
        self.loss_weight = loss_weight
        self.push_loss_factor = push_loss_factor

    def forward(self, tags: Tensor, keypoint_indices: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """The two terms, in this order: pull, push.

        Args:
            tags: (B, L * K, H, W): L values for each of K keypoints, channel `l * K + k`.
            keypoint_indices: For each image (N, K, 2): position y * W + x, and whether the keypoint counts.
        """
        terms = [_pull_and_push(*image) for image in zip(tags.float(), keypoint_indices, strict=True)]
        pull, push = torch.stack([torch.stack(pair) for pair in terms]).mean(dim=0)
        return pull * self.loss_weight, push * self.loss_weight * self.push_loss_factor


def _pull_and_push(tags: Tensor, keypoint_indices: Tensor) -> tuple[Tensor, Tensor]:
    """The terms of one image: tags (L * K, H, W), indices (N, K, 2)."""
    num_keypoints = keypoint_indices.shape[1]
    counted = keypoint_indices[..., 1] > 0  # (N, K)
    present = counted.any(dim=1)
    positions, counted = keypoint_indices[present, :, 0], counted[present]
    # Positions outside the image are not counted, and must not be looked up.
    positions = positions.where(counted, torch.zeros_like(positions))
    maps = tags.reshape(-1, num_keypoints, tags.shape[-2] * tags.shape[-1])  # (L, K, H * W)
    found = maps.gather(2, positions.t().expand(len(maps), -1, -1)).permute(2, 1, 0)  # (N, K, L)

    weights = counted[..., None] / counted.sum(dim=1)[:, None, None]
    means = (found * weights).sum(dim=1)  # (N, L)
    spread = ((found - means[:, None]) ** 2 * weights).sum(dim=1).mean(dim=-1)  # (N,)
    num_persons = len(means)
    pull = spread.sum() / max(num_persons, 1)

    near = torch.exp(-((means[:, None] - means[None]) ** 2)).sum(dim=-1)  # (N, N)
    others = ~torch.eye(num_persons, dtype=torch.bool, device=near.device)
    push = (near * others).sum() / max(num_persons * (num_persons - 1), 1)
    return pull, push
