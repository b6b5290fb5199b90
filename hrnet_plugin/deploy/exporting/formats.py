"""The formats by name and by file."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from ...errors import CheckpointError
from ..description import NetworkDescription
from . import ncnn, onnx, openvino, torch_export

#: By the name that `--to` takes. Each module has NAME, SUFFIX, PRECISIONS, `write` and `read_description`.
FORMATS: dict[str, ModuleType] = {module.NAME: module for module in (onnx, openvino, torch_export, ncnn)}


def format_of(path: Path) -> ModuleType:
    """The format of an exported file, by its suffix.

    Raises:
        CheckpointError: a suffix of none.
    """
    for module in FORMATS.values():
        if path.name.endswith(module.SUFFIX):
            return module
    raise CheckpointError(
        f"exported file {path}",
        found=f"suffix {path.suffix or 'none'}",
        expected=", ".join(module.SUFFIX for module in FORMATS.values()),
    )


def files_of(path: Path) -> list[Path]:
    """All files of an export, the one that names it first."""
    beside = {openvino.SUFFIX: (".bin",), ncnn.SUFFIX: (".ncnn.bin", ".ncnn.json")}
    module = format_of(path)
    stem = path.name.removesuffix(module.SUFFIX)
    return [path, *(path.with_name(stem + suffix) for suffix in beside.get(module.SUFFIX, ()))]


def read_description(path: Path) -> NetworkDescription:
    """What an exported file says of itself.

    Raises:
        CheckpointError: it is not there, or no file that hrnet export wrote.
        MissingDependency: the package that reads it is not installed.
    """
    if not path.is_file():
        raise CheckpointError(f"exported file {path}", found="no such file")
    return format_of(path).read_description(path)
