"""torch's archives (.pt2) may hold pickled objects, which run code when torch reads them. Ours hold none.

torch reads some parts of an archive with `weights_only=False` whatever its caller wants, and older layouts as a whole.
So before torch sees the file, every part of it must be one that ours have, under its exact name.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import torch

from ...errors import CheckpointError
from ..description import KEY

_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_SAMPLE = "data/sample_inputs/model.pt"
#: Every part that an archive may have, below its one folder.
_PARTS = re.compile(
    r"archive_format|archive_version|byteorder|version|\.data/(version|serialization_id)|models/model\.json"
    r"|data/weights/(weight_\d+|model_weights_config\.json)|data/constants/(tensor_\d+|model_constants_config\.json)"
    r"|data/sample_inputs/model\.pt|extra/[\w.-]+"
)
_TENSORS = ("weight_", "tensor_")


def check_archive(path: Path) -> str:
    """Refuses an archive that holds anything but graphs, tensors in plain bytes, and text.

    Returns:
        The text of our description in it; empty where there is none.

    Raises:
        CheckpointError: it is no archive, or holds pickled objects or compiled code; names the part.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            parts = {name.partition("/")[2]: name for name in names}
            if "archive_format" not in parts:
                raise CheckpointError(
                    f"exported file {path}", found="no archive of torch.export", expected="a .pt2 file"
                )
            _check_layout(path, names)
            for part, name in parts.items():
                _check_part(path, part, archive.read(name) if _is_looked_into(part) else b"")
            description = parts.get(f"extra/{KEY}")
            return archive.read(description).decode("utf-8", "replace") if description else ""
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise CheckpointError(
            f"exported file {path}", found="no readable archive", expected="a whole .pt2 file"
        ) from error


def _is_looked_into(part: str) -> bool:
    return part in (*_CONFIGS, _SAMPLE)


def _check_layout(path: Path, names: list[str]) -> None:
    roots = {name.partition("/")[0] for name in names}
    # torch finds parts whatever the case of their names.
    if len(roots) > 1 or len({name.lower() for name in names}) < len(names):
        raise CheckpointError(
            f"exported file {path}", found="several archives in one", expected="one folder, each part once"
        )


def _check_part(path: Path, part: str, content: bytes) -> None:
    runs = (
        not _PARTS.fullmatch(part)
        or (part in _CONFIGS and _names_pickles(json.loads(content)))
        or (part == _SAMPLE and not _holds_tensors(content))
    )
    if runs:
        raise CheckpointError(
            f"exported file {path}",
            found=f"{part}, which runs code when it is read",
            expected="a graph and tensors",
            do="Export the network anew from a checkpoint that you trust",
        )


def _names_pickles(config: dict) -> bool:
    entries = config["config"].values()
    return any(entry.get("use_pickle", True) or not entry["path_name"].startswith(_TENSORS) for entry in entries)


def _holds_tensors(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception:  # whatever stands in the way: torch would then read it without the restriction
        return not content
    return True
