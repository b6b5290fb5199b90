"""No metric from predictions that are not numbers.

COCO's evaluation gives NaN keypoints a similarity that counts as a match: a network whose weights are all NaN was
measured at AP 0.475. Such a result must not be printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.registry import HOOKS

#: Where the frameworks' samples hold numbers that a metric reads: field, then entry.
_PREDICTED = (
    ("pred_instances", "keypoints"),
    ("pred_instances", "bboxes"),
    ("seg_logits", "data"),
    ("pred_score", ""),
)


@HOOKS.register_module()
class FinitePredictionsHook(Hook):
    """Stops a validation or test at the first prediction that is NaN or infinite.

    Raises:
        CheckpointError: naming the field and the image.
    """

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: Sequence = ()) -> None:
        """Looks at the predictions of one batch."""
        for sample in outputs:
            for field, entry in _PREDICTED:
                values = getattr(sample, field, None)
                values = getattr(values, entry, None) if entry else values
                if values is not None and not _is_finite(values):
                    raise CheckpointError(
                        f"predicted {entry or field} of {_image_of(sample)}",
                        found="values that are not finite (NaN or infinite)",
                        expected="numbers",
                        do="The weights or the training that made them have diverged: lower the learning rate, or take "
                        "an earlier checkpoint",
                    )

    after_test_iter = after_val_iter


def _is_finite(values: object) -> bool:
    if isinstance(values, torch.Tensor):
        return bool(torch.isfinite(values).all())
    return bool(np.isfinite(np.asarray(values, dtype=np.float64)).all())


def _image_of(sample: object) -> str:
    known: Mapping = getattr(sample, "metainfo", {})
    return str(known.get("img_path", "an image"))
