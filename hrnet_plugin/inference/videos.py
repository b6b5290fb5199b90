"""One video: frames in batches, an annotated video, and a file with what is seen in each frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from .drawing import draw
from .journal import entry
from .output import VIDEOS
from .records import Records, record_of
from .results import document
from .sources import Source
from .video_files import VideoReader, VideoWriter

if TYPE_CHECKING:
    from .session import Session


def infer_video(session: Session, source: Source) -> None:
    """Computes a video and notes it in the journal once both of its files are whole; an interrupted one begins anew.

    Args:
        session: The run.
        source: The video. No more than a batch of its frames is held in memory.

    Raises:
        DataError: it cannot be read.
        MissingDependency: OpenCV has no encoder to write a video with.
        ConfigError: a file cannot be written.
    """
    stem = f"{VIDEOS}/{session.stems[source.name]}"
    with VideoReader(source.path) as reader:
        writer = VideoWriter(session.output.folder, stem, reader.rate) if session.choices.pictures else None
        try:
            records = _frames(session, source, reader, writer)
            if writer:
                writer.close()
        except BaseException:
            if writer:
                writer.discard()
            raise
    if reader.count and len(records) < reader.count - 1:
        session.outcome.notes.append(f"video {source.path}: {len(records)} of {reader.count} frames could be read")
    files = {"results": f"{stem}.json"} | ({"video": writer.place} if writer else {})
    data = document(records, session.predictor.description, session.persons.categories)
    session.output.write(data, files["results"])
    session.journal.append([entry(source, files=files, frames=len(records))])


def _frames(session: Session, source: Source, reader: VideoReader, writer: VideoWriter | None) -> Records:
    records = Records()
    choices = session.choices
    with tqdm(total=reader.count, desc=source.path.name, unit="frame", leave=False, disable=None) as bar:
        for batch in _batches(reader, choices.batch_size):
            numbers = list(range(len(records), len(records) + len(batch)))
            for number, frame, (persons, prediction) in zip(
                numbers, batch, session.predict(source, numbers, batch), strict=True
            ):
                size = (frame.shape[1], frame.shape[0])
                place = {"name": f"{source.name}#{number}", "frame": number, "seconds": round(number / reader.rate, 3)}
                record = record_of(prediction, size, persons, choices.top)
                records.append(place | record | {"image_id": None})
                if writer:
                    writer.write(draw(frame, prediction, score_thr=choices.score_thr))
            bar.update(len(batch))
    return records


def _batches(frames: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    batch: list[np.ndarray] = []
    for frame in frames:
        batch.append(frame)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
