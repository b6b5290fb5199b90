"""Metafiles: what has been published, a row a model, in the form of OpenMMLab's; read with checks, written whole.

A row has `Name`, `In Collection`, `Config`, `Metadata` (with `Training Data`) and `Results`, each with `Task`,
`Dataset` and `Metrics` (numbers by name). It may have `Weights` (a URL) with `SHA256` (all digits or the first ones),
`Source` (where the metrics stand) and `Remark` (what a reader must know of it).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

from ..disk import write_whole
from ..errors import ConfigError
from .hashes import hash_in_name, is_digest

#: What a row of a model must have.
MODEL_FIELDS = ("Name", "In Collection", "Config", "Metadata", "Results")
#: What a row of weights without a model must have.
WEIGHTS_FIELDS = ("Name", "Weights")
_RESULT_FIELDS = ("Task", "Dataset", "Metrics")
#: The one in C, where PyYAML was built with it, takes a sixth of the time.
_TEXTS = ("Name", "In Collection", "Config", "Weights", "SHA256", "Source", "Remark", "Task", "Dataset")


def load_metafile(path: str | Path, fields: Sequence[str] = MODEL_FIELDS) -> dict:
    """The content of a metafile: `Models`, and `Collections` where it has some.

    Args:
        path: The file.
        fields: What each row must have, `MODEL_FIELDS` or `WEIGHTS_FIELDS`.

    Raises:
        ConfigError: the file cannot be read, a row lacks a field or has one of another kind, a name stands twice, or
            a hash is not that of the file's name. It names file, row and field.
    """
    content = _read(Path(path))
    check_metafile(content, path, fields)
    return content


def check_metafile(content: object, path: str | Path, fields: Sequence[str] = MODEL_FIELDS) -> None:
    """Refuses content that :func:`load_metafile` would refuse, with the same errors."""
    if not isinstance(content, Mapping) or not isinstance(content.get("Models"), list):
        raise ConfigError(f"metafile {path}", found="no list Models", expected="Models: with a row a model")
    collections = _check_names(content.get("Collections") or [], path, "Collections")
    for row in collections.values():
        paper = row.get("Paper")
        if not isinstance(paper, Mapping) or not {"Title", "URL"} <= set(paper):
            raise _wrong(path, row["Name"], "Paper", paper, "Title and URL")
    for name, row in _check_names(content["Models"], path, "Models").items():
        _check_row(row, f"{name}", path, fields)
        family = row.get("In Collection")
        if collections and "In Collection" in fields and family not in collections:
            raise _wrong(path, name, "In Collection", repr(family), f"one of {', '.join(collections)}")


def dump_metafile(content: Mapping, path: str | Path) -> None:
    """Writes a metafile, as a whole or not at all. Comments at the top of the file that stood there are kept.

    Args:
        content: As :func:`load_metafile` gives it; checked before anything is written.
        path: The file; its folder must be there.

    Raises:
        ConfigError: the content is no metafile, or the file cannot be written; what stood there before still stands.
    """
    from .yaml_text import to_yaml

    check_metafile(content, path)
    target = Path(os.path.realpath(path))
    write_text(_header(target) + to_yaml(content), target)


def write_text(text: str, path: Path) -> None:
    """Writes a text file as a whole or not at all.

    Raises:
        ConfigError: it cannot be written; what stood there before still stands.
    """
    try:
        write_whole(text.encode("utf-8"), path)
    except OSError as error:
        raise ConfigError(
            f"{path}", found=(error.strerror or str(error)).lower(), expected="a file that can be written"
        ) from error


def _read(path: Path) -> object:
    from .yaml_text import from_yaml

    try:
        return from_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        found = (error.strerror or str(error)).lower()
    except UnicodeDecodeError:
        found = "bytes that are no UTF-8"
    except ValueError as error:
        found = str(error)
    raise ConfigError(f"metafile {path}", found=found, expected="a metafile in YAML")


def _check_names(rows: object, path: str | Path, part: str) -> dict[str, Mapping]:
    """The rows by their names, of which none is missing or stands twice."""
    named: dict[str, Mapping] = {}
    for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
        name = row.get("Name") if isinstance(row, Mapping) else None
        if not isinstance(name, str) or not name:
            raise _wrong(path, f"{part}, row {number}", "Name", name, "a name")
        if name in named:
            raise ConfigError(
                f"{path}: {name}", found="a second row of this name", expected="one", do="Rename or remove one"
            )
        named[name] = row
    return named


def _check_row(row: Mapping, name: str, path: str | Path, fields: Sequence[str]) -> None:
    _check_fields(row, name, path, fields)
    if "Metadata" in fields and (not isinstance(row["Metadata"], Mapping) or not row["Metadata"].get("Training Data")):
        raise _wrong(path, name, "Metadata: Training Data", None, "the data set of the training")
    if "Results" in fields:
        if not isinstance(row["Results"], list) or not row["Results"]:
            raise _wrong(path, name, "Results", repr(row["Results"]), "a list of results")
        for result in row["Results"]:
            _check_result(result, name, path)
    if "Weights" in row:
        _check_hash(row, name, path)


def _check_fields(node: object, name: str, path: str | Path, fields: Sequence[str]) -> None:
    if not isinstance(node, Mapping):
        raise ConfigError(f"{path}: {name}", found=repr(node), expected=f"{', '.join(fields)}")
    for field in fields:
        if node.get(field) in (None, ""):
            raise _wrong(path, name, field, None, ", ".join(fields))
    for field in _TEXTS:
        if field in node and not isinstance(node[field], str):
            raise _wrong(path, name, field, repr(node[field]), "text, in quotes where it is all digits")


def _check_result(result: object, name: str, path: str | Path) -> None:
    _check_fields(result, name, path, _RESULT_FIELDS)
    metrics = result["Metrics"]
    if not isinstance(metrics, Mapping):
        raise _wrong(path, name, "Metrics", repr(metrics), "numbers by name")
    for metric, value in metrics.items():
        if not isinstance(value, Real) or isinstance(value, bool):
            raise _wrong(path, name, f"Metrics: {metric}", repr(value), "a number")


def _check_hash(row: Mapping, name: str, path: str | Path) -> None:
    digits = row.get("SHA256", "")
    if digits and not is_digest(digits):
        raise _wrong(path, name, "SHA256", repr(digits), "8 to 64 hexadecimal digits")
    named = hash_in_name(PurePosixPath(urlparse(row["Weights"]).path).name)
    if digits and named and not digits.startswith(named):
        raise _wrong(path, name, "SHA256", repr(digits), f"{named}, as the file of Weights is called")


def _wrong(path: str | Path, name: str, field: str, found: object, expected: str) -> ConfigError:
    missing = found in (None, "")
    where = f"{path}: {name}" if missing else f"{path}: {name}: {field}"
    return ConfigError(where, found=f"no {field}" if missing else found, expected=expected)


def _header(path: Path) -> str:
    """The comments at the top of a file; '' where there is none."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:count])
