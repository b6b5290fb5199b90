"""Poses of a test: gathered, joined to persons, put into tables, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import Evaluator

from ...analysis.pose_figures import PosePairs, PosePicture, pair_poses
from ...analysis.skeleton import Skeleton
from ...errors import DataError
from ...reports.test_report.poses import BEST, WORST
from .coco_poses import BOX_SHARE, CocoRecord, coco_record
from .collector import Findings
from .pose_drawing import draw_cases
from .pose_scales import ErrorScale, error_scale
from .pose_tables import Words, chosen_cases, pose_result
from .sample_poses import by_image, has_truth, picture_of

_BY_BOXES = "Each prediction is compared with the {one} whose annotated box it was cut out by."
_BY_OKS = (
    "Predictions are joined to {many} as COCO's evaluation does it, the highest score first, from an OKS of 0.1 on."
)
_TO_OWN = "the {one} whose box it was cut out by"
_TO_ANY = (
    "a {one} that no higher score has taken (as in COCO's evaluation those on crowds and on {many} without labelled "
    "keypoints are left out)"
)
_AREAS = f"Areas are those of the annotations, where they have none {BOX_SHARE} of the boxes."
#: In the place of the sigmas of a data set that states none.
_SIGMA = 0.05
_NO_SIGMAS = (
    f"The data set states no sigmas: similarities are measured with {_SIGMA} for each keypoint, so that they are 0.5 "
    "at 12 % of the root of the area."
)
_ROOT = "√area"


class PoseCollector:
    """Takes predictions and truth from the evaluator where that is COCO's, otherwise from the samples."""

    def __init__(self) -> None:
        self._coco: CocoRecord | None = None
        self._scale: ErrorScale | None = None
        self._paths: dict[Any, str] = {}
        self._pictures: list[PosePicture] = []
        self._by_boxes = True
        self._samples = 0

    def watch(self, evaluator: Evaluator, merged: bool) -> None:
        """See `Collector`."""
        self._coco = coco_record(evaluator)
        self._scale = None if self._coco else error_scale(evaluator)

    def add(self, sample: Any) -> None:
        """See `Collector`."""
        self._samples += 1
        if self._coco is None:
            picture = picture_of(sample, self._scale)
            if picture is not None:
                self._pictures.append(picture)
            return
        info = sample.metainfo
        self._paths[info.get("img_id")] = info.get("img_path", "")
        # Samples of whole images are numbered after the image, or have a list of numbers.
        alone = isinstance(info.get("id"), (int, np.integer)) and len(sample.gt_instances.get("bboxes", ())) == 1
        self._by_boxes &= alone and has_truth(sample)

    def state(self) -> Any:
        """See `Collector`."""
        return self._paths, self._pictures, self._by_boxes, self._samples

    def join(self, states: Sequence[Any]) -> None:
        """See `Collector`."""
        self._paths = {image: path for paths, *_ in states for image, path in paths.items()}
        self._pictures = [picture for _, pictures, _, _ in states for picture in pictures]
        self._by_boxes = all(by_boxes for _, _, by_boxes, samples in states if samples)
        self._samples = sum(samples for *_, samples in states)

    def findings(self, metainfo: Mapping[str, Any], metrics: Mapping[str, float]) -> Findings:
        """See `Collector`."""
        if self._coco is not None and not self._coco.has_truth:
            return Findings(None, ["Poses: the evaluator has no annotations to compare with (format_only)."])
        pictures = self._all_pictures()
        if not any(picture.counted.any() for picture in pictures):
            return Findings(None, ["Poses: the samples hold no true keypoints, and the evaluator no annotations."])
        keypoints = pictures[0].truth.shape[1]
        if keypoints != len(metainfo.get("keypoint_id2name", ())):
            return Findings(None, [f"Poses: {keypoints} keypoints are compared, and the metainfo is of other ones."])
        sigmas = metainfo.get("sigmas")
        own = sigmas is not None and len(sigmas) == keypoints
        mirror = metainfo.get("flip_indices") or range(keypoints)
        pairs = pair_poses(pictures, mirror, sigmas if own else np.full(keypoints, _SIGMA), keypoints)
        return self._told(pictures, pairs, metainfo, metrics, "" if own else f" {_NO_SIGMAS}")

    def _all_pictures(self) -> list[PosePicture]:
        if self._coco is None:
            return by_image(self._pictures)
        return list(self._coco.pictures(self._paths, own=self._by_boxes))

    def _told(
        self,
        pictures: list[PosePicture],
        pairs: PosePairs,
        metainfo: Mapping[str, Any],
        metrics: Mapping[str, float],
        remark: str,
    ) -> Findings:
        own = all(picture.own is not None for picture in pictures)
        areas = self._coco.areas if self._coco else _AREAS
        scale = self._scale if all(picture.scales is not None for picture in pictures) else None
        one, many = ("person", "persons") if _is_of_persons(metainfo) else ("instance", "instances")
        words = Words(
            one=one,
            many=many,
            pairing=(_BY_BOXES if own else _BY_OKS).format(one=one, many=many),
            judging=(_TO_OWN if own else _TO_ANY).format(one=one, many=many),
            measure=areas + remark,
            scale=scale.name if scale else _ROOT,
            threshold=scale.threshold if scale else None,
        )
        cases = {WORST: chosen_cases(pairs, worst=True), BEST: chosen_cases(pairs, worst=False)}
        result = pose_result(pictures, pairs, metainfo, metrics, words, cases)
        data = f"{len(pairs.areas)} {many} in {len(pictures)} images"
        try:
            skeleton = Skeleton.from_metainfo(metainfo)
        except DataError as error:
            return Findings(result, [f"Pictures: {error}"], data=data)
        examples, missing = draw_cases(pictures, pairs, cases, skeleton)
        return Findings(result, missing, examples, data)


def _is_of_persons(metainfo: Mapping[str, Any]) -> bool:
    """Whether poses are of whole people: with hips, and of no animals."""
    classes = {entry.get("name") for entry in metainfo.get("CLASSES") or () if isinstance(entry, Mapping)}
    names = [str(name).lower() for name in metainfo["keypoint_id2name"].values()]
    hips = any(part in name for name in names for part in ("hip", "pelvis"))
    tailed = any(part in name for name in names for part in ("tail", "paw"))
    return hips and not tailed and classes <= {"person"}
