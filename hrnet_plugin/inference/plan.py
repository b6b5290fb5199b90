"""What of the inputs is still to be computed, and in which batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .journal import FAILED, Journal
from .sources import Source


@dataclass(frozen=True)
class Plan:
    """Inputs by what is to be done with them.

    Args:
        batches: Images whose crops are computed together.
        videos: Videos, one by one.
        kept: How many inputs are finished by an earlier call.
        left_out: Those of which nobody says where persons are, or that there are none.
    """

    batches: tuple[tuple[Source, ...], ...]
    videos: tuple[Source, ...]
    kept: int
    left_out: tuple[Source, ...]

    def __bool__(self) -> bool:
        return bool(self.batches or self.videos)


def plan_run(
    sources: Sequence[Source],
    has_persons: Callable[[Source], bool],
    journal: Journal,
    batch_size: int,
    *,
    task: str,
    pictures: bool,
) -> Plan:
    """Sorts the inputs.

    Batches are cut from all images, not from those that are left: what an interrupted run computes then equals what an
    uninterrupted one does, to the last bit. What failed is tried again, by itself.

    Args:
        sources: All inputs.
        has_persons: Whether something is known of an input before it is opened.
        journal: What is finished.
        batch_size: Images a batch.
        task: Of the network; a segmentation leaves a mask of each image.
        pictures: Whether what is found is drawn, too.
    """
    image_files = ["picture"] * pictures + ["mask"] * (task == "segmentation")
    video_files = ["video"] * pictures + ["results"]
    wanted = [source for source in sources if has_persons(source)]
    known = set(wanted)
    images = [source for source in wanted if not source.is_video]
    videos = [source for source in wanted if source.is_video]
    chunks = [images[start : start + batch_size] for start in range(0, len(images), batch_size)]
    batches = [batch for chunk in chunks if (batch := _left(chunk, journal, image_files))]
    left_videos = [one for one in videos if _state(one, journal, video_files) != _DONE]
    left = sum(map(len, batches)) + len(left_videos)
    return Plan(
        batches=tuple(map(tuple, batches)),
        videos=tuple(left_videos),
        kept=len(wanted) - left,
        left_out=tuple(source for source in sources if source not in known),
    )


_DONE, _TRIED, _NEW = "done", "tried", "new"


def _left(chunk: Sequence[Source], journal: Journal, needed_files: Sequence[str]) -> list[Source]:
    states = [_state(source, journal, needed_files) for source in chunk]
    if _NEW in states:
        return list(chunk)
    return [source for source, state in zip(chunk, states, strict=True) if state == _TRIED]


def _state(source: Source, journal: Journal, needed_files: Sequence[str]) -> str:
    record = journal.find(source)
    if record is None:
        return _NEW
    if FAILED in record:
        return _TRIED
    files = record["files"]
    is_whole = all(name in files for name in needed_files) and journal.output.has(files.values())
    return _DONE if is_whole else _NEW
