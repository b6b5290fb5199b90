"""The head of associative embedding, on mmpose's own: a loss that runs, and prediction without a flip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.structures import PixelData
from mmpose.models.heads import AssociativeEmbeddingHead as MMPoseAssociativeEmbeddingHead
from mmpose.models.utils.tta import aggregate_heatmaps, flip_heatmaps
from torch import Tensor

from ..errors import ConfigError
from ..registry import MODELS
from .ae_targets import read_targets

#: What a backbone gives for one view of the images: its feature maps.
Features = Sequence[Tensor]


@MODELS.register_module()
class AssociativeEmbeddingHead(MMPoseAssociativeEmbeddingHead):
    """Heatmaps and tags from one convolution (Newell et al., arXiv:1611.05424): `type=
    'hrnet_plugin.AssociativeEmbeddingHead'`. Layers, keys and arguments are mmpose's.

    What differs from mmpose's head: the loss runs (its own passes weights of persons where those of images belong);
    prediction works without `flip_test`, where `restore_heatmap_size` then acts too; several scales work; one tag map
    for all keypoints (`tag_per_keypoint=False`) can be decoded.

    Args:
        tag_loss: The config of the grouping loss; None is ours with the published weight, 0.001.
        options: As mmpose's head takes them.
    """

    def __init__(self, *args: Any, tag_loss: Mapping | None = None, **options: Any):
        tag_loss = tag_loss or {"type": "hrnet_plugin.AssociativeEmbeddingLoss", "loss_weight": 0.001}
        super().__init__(*args, tag_loss=dict(tag_loss), **options)

    def forward(self, feats: Features) -> tuple[Tensor, Tensor]:
        """Feature maps to heatmaps (N, K, H, W) and tags (N, L * K, H, W)."""
        heatmaps, tags = super().forward(feats)
        return heatmaps, self._tags_of_keypoints(tags)

    def _tags_of_keypoints(self, tags: Tensor) -> Tensor:
        """One tag map a keypoint, also where the head gives one for all of them."""
        return tags if self.tag_per_keypoint else tags.repeat_interleave(self.num_keypoints, dim=1)

    def levels(self, feats: Features) -> tuple[list[Tensor], Tensor]:
        """The heatmaps of each predicted resolution, coarse to fine, and the tags of the coarsest."""
        heatmaps, tags = self.forward(feats)
        return [heatmaps], tags

    def loss(
        self, feats: Features, batch_data_samples: Sequence[Any], train_cfg: Mapping | None = None
    ) -> dict[str, Tensor]:
        """The losses of a batch: `loss_kpt` (with the resolution's number where there are several), `loss_pull`,
        `loss_push`.

        Raises:
            ConfigError: the pipeline did not pack what is needed, or for other resolutions.
        """
        heatmaps, tags = self.levels(feats)
        targets = read_targets(batch_data_samples, heatmaps)
        names = ["loss_kpt"] if len(heatmaps) == 1 else [f"loss_kpt_{number}" for number in range(len(heatmaps))]
        losses = {
            name: self.loss_module.keypoint_loss(maps, wanted, mask=mask)
            for name, maps, wanted, mask in zip(names, heatmaps, targets.heatmaps, targets.masks, strict=True)
        }
        losses["loss_pull"], losses["loss_push"] = self.loss_module.tag_loss(tags, targets.indices)
        return losses

    def predict(self, feats: Sequence, batch_data_samples: Sequence[Any], test_cfg: Mapping | None = None) -> Any:
        """Persons in each image, from the average over views (flip, scales); tags are those of the first scale.

        Args:
            feats: The feature maps; with `flip_test` a pair of them, the second of the mirrored images; with
                `multiscale_test` a list of those, the original scale first.
            batch_data_samples: mmpose's data samples.
            test_cfg: `flip_test`, `shift_heatmap`, `multiscale_test`, `align_corners`, `output_heatmaps`, and
                `restore_heatmap_size`: decode at the size of the input.

        Returns:
            A list of instances, and with `output_heatmaps` a list of the maps that they were decoded from.
        """
        test_cfg = test_cfg or {}
        scales = feats if test_cfg.get("multiscale_test") else [feats]
        size = _input_size(batch_data_samples) if test_cfg.get("restore_heatmap_size") else None
        align_corners = test_cfg.get("align_corners", False)
        looks = [self._look(views, batch_data_samples, test_cfg, size) for views in scales]
        heatmaps, tags = looks[0]
        if len(looks) > 1:
            heatmaps = aggregate_heatmaps([maps for maps, _ in looks], size=size, align_corners=align_corners)
        people = self.decode((heatmaps, tags))
        if not test_cfg.get("output_heatmaps"):
            return people
        return people, [PixelData(heatmaps=one, tags=other) for one, other in zip(heatmaps, tags, strict=True)]

    def _look(
        self, views: Sequence, samples: Sequence[Any], test_cfg: Mapping, size: tuple[int, int] | None
    ) -> tuple[Tensor, Tensor]:
        """Heatmaps, averaged over both views, and tags, side by side, of one scale."""
        align_corners, shift = test_cfg.get("align_corners", False), test_cfg.get("shift_heatmap", False)
        flipped = test_cfg.get("flip_test", False)
        maps = [self.single_resolution(view, align_corners) for view in (views if flipped else [views])]
        heatmaps, tags = ([view[kind] for view in maps] for kind in (0, 1))
        if flipped:
            mirrored = samples[0].metainfo["flip_indices"]
            heatmaps[1] = flip_heatmaps(heatmaps[1], flip_indices=mirrored, shift_heatmap=shift)
            tags[1] = self._mirror_tags(tags[1], mirrored, shift)
        return (
            aggregate_heatmaps(heatmaps, size=size, align_corners=align_corners, mode="average"),
            aggregate_heatmaps(tags, size=size, align_corners=align_corners, mode="concat"),
        )

    def single_resolution(self, feats: Features, align_corners: bool) -> tuple[Tensor, Tensor]:
        """Heatmaps and tags of one view at the size at which they are merged with those of other views."""
        return self.forward(feats)

    def _mirror_tags(self, tags: Tensor, mirrored: Sequence[int], shift: bool) -> Tensor:
        """Tags (N, L * K, H, W) of a mirrored view as those of the original."""
        num_images, _, height, width = tags.shape
        tags = tags.flip(-1).reshape(num_images, -1, self.num_keypoints, height, width)[:, :, mirrored]
        tags = tags.reshape(num_images, -1, height, width)
        if shift:
            tags[..., 1:] = tags[..., :-1].clone()
        return tags


def _input_size(samples: Sequence[Any]) -> tuple[int, int]:
    """(width, height) of the images as the network gets them."""
    sizes = {tuple(sample.metainfo["img_shape"][:2]) for sample in samples}
    if len(sizes) > 1:
        raise ConfigError(
            "batch_size of the evaluation",
            found=f"images of {len(sizes)} sizes in one batch",
            expected="1, since restore_heatmap_size decodes at the size of the image",
        )
    height, width = sizes.pop()
    return width, height
