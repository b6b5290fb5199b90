"""Persons found by a detector of mmdet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from mmengine.registry import DefaultScope

from ..deploy.describing import dataset_meta
from ..deploy.load import load_model
from ..errors import ConfigError, nearest
from ..zoo.quiet import quiet
from .persons import PERSON, Persons
from .sources import Source

if TYPE_CHECKING:
    from mmengine.config import Config


class Detector:
    """Finds persons as a config's own test does: its pipeline, its thresholds, its non-maximum suppression.

    Args:
        cfg: Of a detector, for mmdet.
        checkpoint: Its trained weights, which fill it.
        person: Name or index of the class that is taken.
        least: Score below which a box is left out.
        device: Where it is computed.

    Raises:
        ConfigError: a config of another task, or a class that it has not.
        CheckpointError: no such file, or one that does not fill the network.
    """

    def __init__(
        self,
        cfg: Config,
        checkpoint: str | Path,
        *,
        person: str = "person",
        least: float = 0.3,
        device: str | torch.device = "cpu",
    ):
        name = Path(cfg.filename or "").stem
        if cfg.get("default_scope") != "mmdet":
            raise ConfigError(
                f"detector {name}", found=f"a config for {cfg.get('default_scope')}", expected="one for mmdet"
            )
        self.label, self.least = _class_index(cfg, name, person), least
        self.model = load_model(cfg, checkpoint).to(device)
        self.model.cfg = cfg
        self.categories: Sequence[dict] = [PERSON]

    def has(self, source: Source) -> bool:
        """Always: what is there shows when it is looked at."""
        return True

    def find(self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]) -> list[Persons]:
        """The persons of images, the surest first."""
        from mmdet.apis import inference_detector

        with DefaultScope.overwrite_default_scope("mmdet"), quiet(), torch.inference_mode():
            found = inference_detector(self.model, list(images))
        return [self._persons(one.pred_instances, image) for one, image in zip(found, images, strict=True)]

    def _persons(self, instances: object, image: np.ndarray) -> Persons:
        boxes, scores = instances.bboxes.cpu().numpy(), instances.scores.cpu().numpy()
        boxes = boxes.clip(0, np.array([*image.shape[1::-1]] * 2))
        has_area = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        taken = np.flatnonzero((instances.labels.cpu().numpy() == self.label) & (scores >= self.least) & has_area)
        taken = taken[np.argsort(-scores[taken], kind="stable")]
        return Persons(boxes[taken].astype(np.float32), tuple(map(float, scores[taken])))


def _class_index(cfg: Config, name: str, person: str) -> int:
    classes = tuple(dataset_meta(cfg).get("classes") or ())
    if person in classes:
        return classes.index(person)
    if person.isdecimal() and (not classes or int(person) < len(classes)):
        return int(person)
    raise ConfigError(
        f"--person-class {person}",
        found=f"none of this name in detector {name}",
        do=nearest(person, classes) if classes else "Give the class by its index",
    )
