"""The codec of associative embedding, with what mmpose 1.x left out: packing, and cells that match its decoding."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from mmpose.codecs import AssociativeEmbedding as MMPoseAssociativeEmbedding

from ..registry import KEYPOINT_CODECS


@KEYPOINT_CODECS.register_module()
class AssociativeEmbedding(MMPoseAssociativeEmbedding):
    """Keypoints as Gaussian heatmaps and positions in them (Newell et al., arXiv:1611.05424): `type=
    'hrnet_plugin.AssociativeEmbedding'`; arguments and decoding are mmpose's.

    Two things differ from mmpose's codec:

    - It names `keypoint_indices` among its labels, so that `PackPoseInputs` hands them to the head. mmpose's codec
      names none, and training stops at the first step.
    - A keypoint belongs to the cell of the heatmap that contains it, as in the published training. mmpose's codec
      rounds to the nearest position, while its decoding adds half a cell (`decode_center_shift=0.5`): what is learnt
      so lies half a cell to the lower right, 2 pixels at stride 4. With `use_udp` positions are no cells, and both
      codecs encode alike.

    For several resolutions give `GenerateTarget` one codec for each and `multilevel=True`.
    """

    label_mapping_table: ClassVar[dict[str, str]] = {
        "keypoint_indices": "keypoint_indices",
        "keypoint_weights": "keypoint_weights",
    }

    def encode(self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The training targets of an image.

        Args:
            keypoints: (N, K, 2), pixels (x, y) of the network's input.
            keypoints_visible: (N, K); above 0.5 is annotated. None means all.

        Returns:
            `heatmaps` (K, H, W), `keypoint_indices` (N, K, 2) with the position y * W + x and whether it counts, and
            `keypoint_weights` (N, K).
        """
        if not self.use_udp:
            # mmpose rounds to the nearest index: half a cell less makes that the cell which contains the point.
            keypoints = keypoints - 0.5 * self.scale_factor
        return super().encode(keypoints, keypoints_visible)
