"""A run over images and videos: read, computed in batches, drawn, noted, and put together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from tqdm import tqdm

from ..deploy.description import NetworkDescription
from ..deploy.predictions import PosePrediction, Prediction, SegmentationPrediction
from ..deploy.predictor import Predictor
from ..deploy.preparing import read_image
from ..errors import DataError, UserError
from ..wording import in_short
from .drawing import SURE, draw, encoded, picture_suffix
from .journal import FAILED, Journal, Record, entry
from .output import KEYPOINT_RESULTS, MASKS, PICTURES, RESULTS, stems_of
from .persons import Persons, PersonSource
from .plan import Plan
from .records import record_of
from .results import document, keypoint_results
from .sources import Source


@dataclass(frozen=True)
class Choices:
    """How a run computes and what it draws.

    Args:
        batch_size: Images or frames whose crops are computed together.
        flip_test: Pose: average with the mirrored image; None as the config does.
        score_thr: Keypoints below this score are not drawn.
        pictures: Draw at all.
        top: Of a classification: how many classes are kept.
    """

    batch_size: int = 8
    flip_test: bool | None = None
    score_thr: float = SURE
    pictures: bool = True
    top: int = 5


@dataclass
class Outcome:
    """What became of the inputs that were still to be computed.

    Args:
        images, videos: How many are finished now.
        failures: A line for each that could not be.
        notes: What else to say.
    """

    images: int = 0
    videos: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Session:
    """Computes what a plan says.

    Args:
        predictor: The network.
        persons: Where persons are; nobody asks it where the network is none of poses.
        journal: Open; its folder receives pictures and masks.
        choices: How.
        sources: All inputs, those that are finished too: no two results get the same name.
    """

    def __init__(
        self,
        predictor: Predictor,
        persons: PersonSource,
        journal: Journal,
        choices: Choices,
        sources: Sequence[Source],
    ):
        self.predictor, self.persons, self.choices = predictor, persons, choices
        self.journal, self.output = journal, journal.output
        self.stems = stems_of((source.name for source in sources), journal.stems())
        self.outcome = Outcome()
        self._other_sizes: list[str] = []
        self._poses = 0

    def run(self, plan: Plan) -> Outcome:
        """Computes the images, then the videos.

        Raises:
            UserError: something that stands in the way of all of them. One that cannot be read stops nothing.
        """
        from .videos import infer_video

        total = sum(map(len, plan.batches)) + len(plan.videos)
        with tqdm(total=total, desc="inferring", unit="input", disable=None) as bar:
            for batch, read in zip(plan.batches, _read_ahead(plan.batches), strict=True):
                self._infer(batch, read)
                bar.update(len(batch))
            for source in plan.videos:
                try:
                    infer_video(self, source)
                    self.outcome.videos += 1
                except UserError as error:
                    self._fail(source, error)
                bar.update()
        if self._other_sizes:
            first, count = self._other_sizes[0], len(self._other_sizes)
            self.outcome.notes.append(f"{count} of another size than --boxes says, the first is {first}")
        if self.outcome.images and not self._poses and self.predictor.description.task == "pose":
            self.outcome.notes.append("nobody in any of the images")
        return self.outcome

    def predict(
        self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]
    ) -> list[tuple[Persons | None, Prediction]]:
        """What is seen in frames of one source, computed together."""
        return self._predict(images, self._find(source, frames, images))

    def _find(self, source: Source, frames: Sequence[int | None], images: Sequence[np.ndarray]) -> list[Persons | None]:
        if self.predictor.description.task != "pose":
            return [None] * len(images)
        return list(self.persons.find(source, frames, images))

    def _predict(
        self, images: Sequence[np.ndarray], persons: Sequence[Persons | None]
    ) -> list[tuple[Persons | None, Prediction]]:
        boxes = [_boxes(one, image) for one, image in zip(persons, images, strict=True)]
        found = self.predictor(list(images), boxes, flip_test=self.choices.flip_test)
        return list(zip(persons, found, strict=True))

    def _infer(self, sources: Sequence[Source], read: Sequence[np.ndarray | UserError]) -> None:
        whole = [(source, image) for source, image in zip(sources, read, strict=True) if isinstance(image, np.ndarray)]
        for source, error in zip(sources, read, strict=True):
            if isinstance(error, UserError):
                self._fail(source, error)
        persons = [self._find(source, [None], [image])[0] for source, image in whole]
        for (source, image), found, prediction in zip(whole, persons, self._each(whole, persons), strict=True):
            is_seen = not isinstance(prediction, UserError)
            record = self._finished(source, image, found, prediction) if is_seen else prediction
            if isinstance(record, UserError):
                self._fail(source, record)
                continue
            if found and found.size not in (None, image.shape[1::-1]):
                said = "x".join(map(str, found.size))
                self._other_sizes.append(f"{source.name}: {image.shape[1]}x{image.shape[0]}, not {said}")
            self.journal.append([record])
            self.outcome.images += 1
            self._poses += len(prediction.keypoints) if isinstance(prediction, PosePrediction) else 0

    def _each(
        self, whole: Sequence[tuple[Source, np.ndarray]], persons: Sequence[Persons | None]
    ) -> list[Prediction | UserError]:
        """What is seen in each image of a batch; one with which that does not go is none of the others' business."""
        try:
            return [found for _, found in self._predict([image for _, image in whole], persons)]
        except (UserError, cv2.error) as error:
            if len(whole) == 1:
                return [_of_image(whole[0][0], error)]
        return [self._each([one], [its])[0] for one, its in zip(whole, persons, strict=True)]

    def _finished(
        self, source: Source, image: np.ndarray, persons: Persons | None, prediction: Prediction
    ) -> Record | UserError:
        """The record of an image, whose files are written by then; or why it cannot be drawn."""
        files, written = {}, {}
        stem = self.stems[source.name]
        try:
            if isinstance(prediction, SegmentationPrediction):
                files["mask"] = f"{MASKS}/{stem}.png"
                written["mask"] = encoded(prediction.labels, ".png")
            if self.choices.pictures:
                drawn = draw(image, prediction, score_thr=self.choices.score_thr)
                suffix = picture_suffix(drawn)
                files["picture"] = f"{PICTURES}/{stem}{suffix}"
                written["picture"] = encoded(drawn, suffix)
        except (DataError, cv2.error) as error:
            return _of_image(source, error)
        for what, data in written.items():
            self.output.write(data, files[what])
        size = (image.shape[1], image.shape[0])
        record = record_of(prediction, size, persons, self.choices.top)
        return entry(source, files=files, **record)

    def _fail(self, source: Source, error: UserError) -> None:
        self.outcome.failures.append(str(error))
        self.journal.append([entry(source, **{FAILED: str(error)})])


def write_results(
    journal: Journal, sources: Sequence[Source], description: NetworkDescription, categories: Sequence[dict]
) -> list[str]:
    """Puts together what the journal holds of the inputs, in their order.

    Args:
        journal: Open.
        sources: All inputs.
        description: Of the network.
        categories: COCO's, of the persons.

    Returns:
        The files that were written, below the folder.

    Raises:
        ConfigError: they cannot be written.
    """
    records = journal.records(source.name for source in sources if not source.is_video)
    videos = journal.records(source.name for source in sources if source.is_video)
    written = [RESULTS]
    journal.output.write(document(records, description, categories, videos), RESULTS, synced=True)
    if description.task == "pose":
        journal.output.write(keypoint_results(records), KEYPOINT_RESULTS, synced=True)
        written.append(KEYPOINT_RESULTS)
    return written


def _of_image(source: Source, error: UserError | cv2.error) -> DataError:
    """What is wrong with an image that could be read."""
    if isinstance(error, UserError):
        return DataError(f"image {source.path}: {error.what}", found=error.found, expected=error.expected, do=error.do)
    return DataError(
        f"image {source.path}", found=in_short(error), expected="an image that OpenCV can work on", do="Make it smaller"
    )


def _boxes(persons: Persons | None, image: np.ndarray) -> np.ndarray | None:
    return None if persons is None else persons.boxes


def _read_ahead(batches: Iterable[Sequence[Source]]) -> Iterator[list[np.ndarray | UserError]]:
    """The images of each batch; those of the next are read while this one is computed."""
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future] = []
        for batch in batches:
            waiting.append(pool.submit(_read, batch))
            if len(waiting) > 1:
                yield waiting.pop(0).result()
        for last in waiting:
            yield last.result()


def _read(batch: Sequence[Source]) -> list[np.ndarray | UserError]:
    found: list[np.ndarray | UserError] = []
    for source in batch:
        try:
            found.append(read_image(source.path))
        except UserError as error:
            found.append(error)
    return found
