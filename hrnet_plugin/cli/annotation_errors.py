"""Errors of data sets and metrics over a file of annotations or boxes, told by what is wrong in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Real
from pathlib import Path
from traceback import walk_tb
from types import FrameType
from typing import TYPE_CHECKING, Any

from hrnet_plugin.checks.data.reading import read_json
from hrnet_plugin.errors import DataError
from hrnet_plugin.wording import in_short

from .preflight import annotation_files

if TYPE_CHECKING:
    from mmengine.config import Config

#: Functions of data sets, of mmengine and of pycocotools that read such a file.
_READING = {"load_data_list", "_load_annotations", "_load_detection_results", "createIndex", "full_init"}
#: What the checks call values that code stumbles over, and not only learns from badly.
_MALFORMED = {
    "image-fields", "annotation-fields", "annotation-without-image", "image-size-field", "no-categories", "no-images",
    "category-fields", "category-unknown", "category-keypoints", "box-missing", "box-numbers", "area-numbers",
    "keypoint-count", "keypoint-numbers",
}  # fmt: skip
_BOX = "boxes of persons as a list, each with image_id, category_id, bbox (x, y, width, height) and score"
_SUFFIXES = (".json", ".yaml", ".yml")
_SHOW = "--traceback shows where"


def broken_annotations(error: Exception, cfg: Config) -> DataError | None:
    """What is wrong in the file that was being read when `error` came; None where none was.

    An error of a data set's pipeline is told, too, where values of the annotations explain it.
    """
    if isinstance(error, (OSError, MemoryError)):
        return None
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if any(frame.f_code.co_name in _READING or "annotation_file" in frame.f_locals for frame in frames):
        return _of_reading(error, frames, cfg)
    if _in_pipeline(error, frames):
        return next(filter(None, (_mistake(path, cfg) for path in dict.fromkeys(annotation_files(cfg)))), None)
    return None


def _of_reading(error: Exception, frames: Sequence[FrameType], cfg: Config) -> DataError | None:
    path, owner = _file_read(frames)
    if path is None or path.suffix not in _SUFFIXES:
        return None
    boxes = getattr(owner, "bbox_file", None)
    if isinstance(boxes, str) and boxes:
        path, mistake, what = Path(boxes), _box_mistake(Path(boxes), path), "box file"
    else:
        mistake, what = None if _reads_own_form(owner) else _mistake(path, cfg), "annotation file"
    if mistake is None and any(frame.f_code.co_name == "_serialize_data" for frame in frames):
        return None  # no sample is left, for whatever reason
    return mistake or DataError(f"{what} {path}", found=f"{type(error).__name__}: {in_short(error)}", do=_SHOW)


def _file_read(frames: Sequence[FrameType]) -> tuple[Path | None, object]:
    """The file that the innermost function reads; and the data set or metric that asked for it, if it did so itself."""
    for frame in reversed(frames):
        owner, given = frame.f_locals.get("self"), frame.f_locals.get("annotation_file")  # of COCO's own class
        path = getattr(owner, "ann_file", None)
        if isinstance(given, (str, Path)):
            return Path(given), None
        if isinstance(path, str) and path:
            return Path(path), owner
    return None, None


def _reads_own_form(owner: object) -> bool:
    """Whether a data set expects mmengine's own form, with `data_list`."""
    reader = getattr(type(owner), "load_data_list", None)
    return getattr(reader, "__module__", "") == "mmengine.dataset.base_dataset"


def _in_pipeline(error: Exception, frames: Sequence[FrameType]) -> bool:
    """Whether a transform failed, here or in a process that loads data, which sends its trace as text."""
    files = [frame.f_code.co_filename for frame in frames]
    return any("transforms" in Path(file).parts for file in files) or "/transforms/" in str(error)


def _mistake(path: Path, cfg: Config) -> DataError | None:
    """What the checks of `hrnet check-data` say of a file in COCO's form."""
    from hrnet_plugin.checks.data import check_coco

    if path.suffix != ".json" or not path.is_file():
        return None
    try:
        report = check_coco(path, keypoints=False if cfg.get("default_scope") == "mmdet" else None)
    except DataError as error:
        return error
    finding = next((finding for finding in report.errors if finding.check in _MALFORMED), None)
    if finding is None:
        return None
    example = f" ({finding.examples[0]})" if finding.examples else ""
    return DataError(
        f"{finding.where.removesuffix(f' of {path.name}')} of annotation file {path}",
        found=f"{finding.found}{example}",
        expected=finding.expected or None,
        do=finding.do or "`hrnet check-data` tells all",
    )


def _box_mistake(path: Path, annotations: Path) -> DataError | None:
    try:
        found = _wrong_boxes(_content(path), annotations)
    except DataError as error:
        return DataError(f"box file {path}", found=error.found, expected=_BOX)
    return DataError(f"box file {path}", found=found, expected=_BOX) if found else None


def _content(path: Path) -> Any:
    if path.suffix == ".json":
        return read_json(path)
    import mmengine

    try:
        return mmengine.load(path)
    except Exception as error:  # a parser may fail in any way
        raise DataError(f"box file {path}", found=in_short(error)) from error


def _wrong_boxes(content: Any, annotations: Path) -> str | None:
    """In a few words, the first thing that is wrong."""
    if isinstance(content, dict):
        return f"an object with the keys {', '.join(map(str, list(content)[:5])) or 'none'}"
    if not isinstance(content, list):
        return f"a {type(content).__name__}"
    known = _image_ids(annotations)
    return next((f"in box {place}: {wrong}" for place, box in enumerate(content) for wrong in _wrong(box, known)), None)


def _wrong(box: Any, known: set[Any] | None) -> Iterator[str]:
    if not isinstance(box, dict):
        yield f"a {type(box).__name__}"
        return
    missing = [key for key in ("image_id", "category_id", "bbox", "score") if key not in box]
    if missing:
        yield f"no {', '.join(missing)}"
        return
    sides, image = box["bbox"], box["image_id"]
    if not isinstance(sides, (list, tuple)) or len(sides) < 4 or not all(map(_is_number, sides[:4])):
        yield f"bbox {sides!r}"
    if not _is_number(box["score"]):
        yield f"score {box['score']!r}"
    if known is not None and (not isinstance(image, (int, str)) or image not in known):
        yield f"image_id {image!r}, which the annotation file does not have"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def _image_ids(annotations: Path) -> set[Any] | None:
    """The ids of the images of an annotation file; None where that is broken itself."""
    try:
        content = read_json(annotations)
        return {image["id"] for image in content["images"]}
    except (DataError, KeyError, TypeError):
        return None
