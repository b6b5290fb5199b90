"""Writes a generated data set: COCO keypoint files, images, semantic masks and a summary."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import ConfigError, DataError
from .annotate import coco_file
from .atomic_folder import publish, unfinished
from .dataset import (
    DatasetInfo,
    Options,
    annotation_file,
    checksum,
    is_generated,
    missing_part,
    read_dataset,
    write_summary,
)
from .jobs import Job
from .scene import OCCLUDED, SPLITS
from .workers import cpu_count, run_jobs

_CHUNK = 16
_Rows = dict[str, list[dict[str, Any]]]


def make_dataset(
    out: str | Path,
    *,
    train: int,
    val: int,
    test: int,
    size: tuple[int, int] = (256, 192),
    seed: int = 0,
    workers: int | None = None,
    force: bool = False,
) -> DatasetInfo:
    """Generate a data set, or find that it is there already.

    The same options give the same bytes, whatever the number of workers. The folder appears whole or not at all.

    Args:
        out: Folder to write; made if it does not exist.
        train, val, test: Images of each split.
        size: Width and height in pixels.
        seed: Another seed gives other pictures.
        workers: Processes; None takes one for each CPU, 1 works in this process.
        force: Replace the data set that is there; a folder of anything else is never replaced.

    Raises:
        ConfigError: for a wrong option.
        DataError: if the folder holds something else, a damaged data set or one made with other options, or cannot
            be written.
    """
    options = Options(train, val, test, (int(size[0]), int(size[1])), seed)
    if workers is not None and workers < 1:
        raise ConfigError("workers", found=workers, expected="1 or more")
    out = Path(out)
    present = _present(out, options, force)
    if present is not None:
        return present
    try:
        with unfinished(out) as folder:
            info = _write(folder, options, workers or cpu_count())
            publish(folder, out)
            return replace(info, root=out)
    except OSError as error:
        raise DataError(
            str(out), found=error.strerror or str(error), expected="a folder that can be written",
            do="Name another one with --out",
        ) from error  # fmt: skip


def _present(out: Path, options: Options, force: bool) -> DatasetInfo | None:
    """The data set that is there and as wanted; None if it is to be written."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return None
    if not out.is_dir() or not is_generated(out):
        raise DataError(
            str(out), found="files that `hrnet data make` did not write", expected="a new or empty folder",
            do="Name another folder; it is never overwritten, not even with --force",
        )  # fmt: skip
    if force:
        return None
    info = read_dataset(out)
    found = missing_part(info) if info.options == options else _words(info.options)
    if found is not None:
        raise DataError(
            str(out),
            found=found,
            expected=_words(options),
            do="Name another folder, or replace it with --force",
        )
    return info


def _words(options: Options) -> str:
    sizes = "/".join(str(options.count(split)) for split in SPLITS)
    return f"a data set of {sizes} images, {options.size[0]}x{options.size[1]}, seed {options.seed}"


def _write(folder: Path, options: Options, workers: int) -> DatasetInfo:
    for split in SPLITS:
        (folder / split).mkdir()
        (folder / "masks" / split).mkdir(parents=True)
    (folder / "annotations").mkdir()
    rows = _draw(folder, options, workers)
    checksums = {}
    for split in SPLITS:
        path = annotation_file(folder, split)
        description = f"Generated people, seed {options.seed}, {split}"
        content = coco_file(rows[split]["images"], rows[split]["annotations"], description)
        path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
        checksums[split] = checksum(path)
    info = DatasetInfo(folder, options, _statistics(rows), checksums)
    write_summary(info)
    return info


def _draw(folder: Path, options: Options, workers: int) -> dict[str, _Rows]:
    """Draw all scenes and write their pictures; the rows of the COCO file of each split."""
    jobs = [
        Job(str(folder), options.seed, split, first, min(first + _CHUNK, options.count(split)), options.size)
        for split in SPLITS
        for first in range(0, options.count(split), _CHUNK)
    ]
    done: dict[int, _Rows] = {}
    with tqdm(total=sum(job.last - job.first for job in jobs), unit="image", desc="data", disable=None) as bar:
        for number, rows in run_jobs(jobs, min(workers, len(jobs))):
            done[number] = rows
            bar.update(len(rows["images"]))
    joined: dict[str, _Rows] = {split: {"images": [], "annotations": []} for split in SPLITS}
    for number, job in enumerate(jobs):
        for kind, rows_of_kind in joined[job.split].items():
            rows_of_kind.extend(done[number][kind])
    return joined


def _statistics(rows: dict[str, _Rows]) -> dict[str, dict[str, float]]:
    images = {split: len(rows[split]["images"]) for split in SPLITS}
    people = {split: rows[split]["annotations"] for split in SPLITS}
    images["all"], people["all"] = sum(images.values()), [person for split in SPLITS for person in people[split]]
    return {name: _count(images[name], people[name]) for name in images}


def _count(images: int, people: list[dict[str, Any]]) -> dict[str, float]:
    labelled = sum(person["num_keypoints"] for person in people)
    occluded = sum(person["keypoints"][2::3].count(OCCLUDED) for person in people)
    return {
        "images": images,
        "persons": len(people),
        "persons_per_image": round(len(people) / max(images, 1), 4),
        "labelled_keypoints": labelled,
        "occluded_share": round(occluded / max(labelled, 1), 4),
        "outside_share": round(1 - labelled / max(17 * len(people), 1), 4),
    }
