"""torch's archives (.pt2) may hold pickled objects, which run code when torch reads them. Ours hold none.

torch reads some parts of an archive with `weights_only=False` whatever its caller wants, so what could run is looked
for before torch sees the file.
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path, PurePosixPath

import torch

from ...errors import CheckpointError
from ..description import KEY

_CONFIGS = ("_weights_config.json", "_constants_config.json")
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
            parts = {str(PurePosixPath(*PurePosixPath(name).parts[1:])): name for name in names}
            if "archive_format" not in parts:
                raise CheckpointError(
                    f"exported file {path}", found="no archive of torch.export", expected="a .pt2 file"
                )
            for part, name in parts.items():
                _check_part(path, part, archive.read(name) if _is_looked_into(part) else b"")
            description = parts.get(f"extra/{KEY}")
            return archive.read(description).decode("utf-8", "replace") if description else ""
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise CheckpointError(
            f"exported file {path}", found="no readable archive", expected="a whole .pt2 file"
        ) from error


def _is_looked_into(part: str) -> bool:
    return part.endswith(_CONFIGS) or part.startswith("data/sample_inputs/")


def _check_part(path: Path, part: str, content: bytes) -> None:
    folder, name = str(PurePosixPath(part).parent), PurePosixPath(part).name
    pickled = (
        (folder == "data/constants" and not name.startswith(_TENSORS) and not name.endswith(_CONFIGS))
        or part.startswith("data/aotinductor")
        or (part.endswith(_CONFIGS) and _names_pickles(json.loads(content)))
        or (part.startswith("data/sample_inputs/") and not _holds_tensors(content))
    )
    if pickled:
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
