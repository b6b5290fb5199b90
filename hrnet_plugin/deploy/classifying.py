"""Images as a classification network looks at them, and their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

import numpy as np
from torch import Tensor

from .description import NetworkDescription
from .predictions import ClassPrediction
from .preparing import to_tensor, whole_or_middle


class Classifying:
    """Reads logits of images.

    Args:
        description: Of a classification network.
        run: Takes (N, C, H, W) to logits (N, classes), for any N.
    """

    def __init__(self, description: NetworkDescription, run: Callable[[Tensor], Tensor]):
        self.description, self._run = description, run

    def predict(self, images: Iterable[np.ndarray]) -> list[ClassPrediction]:
        """The classes of some images (H, W, 3); those of one size that follow each other are computed together."""
        looked_at = [whole_or_middle(image, self.description) for image in images]
        found: list[ClassPrediction] = []
        for _, alike in groupby(looked_at, key=np.shape):
            scores = self._run(to_tensor(list(alike), self.description)).softmax(1).cpu().numpy()
            found += [ClassPrediction(one, self.description.classes) for one in scores]
        return found
