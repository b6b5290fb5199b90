"""torch.export: the graph of a network in torch's own archive (.pt2)."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch.export import ExportedProgram

from ...errors import CheckpointError
from ..description import KEY, NetworkDescription
from ..tensor_model import TensorModel
from .archive_check import check_archive
from .shape import InputShape
from .silence import silenced
from .tracing import trace

NAME = "torch-export"
SUFFIX = ".pt2"
PRECISIONS = ("fp32",)


def write(network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape) -> Path:
    """Writes `network` as an exported program in float32.

    Args:
        network: In evaluation mode, folded or not.
        path: The file; it is replaced as a whole or not at all.
        description: Goes into the archive as a file of its own.
        shape: Fixed or free batch and size.

    Raises:
        ConfigError: a layer that cannot be exported, by its name.
    """
    from .staging import staged

    program = trace(network, shape, "torch-export")
    program._example_inputs = None  # the archive would carry the images
    with silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with staged(path) as folder:
            torch.export.save(program, folder / path.name, extra_files={KEY: description.to_json()})
    return path


def load(path: Path) -> tuple[ExportedProgram, NetworkDescription]:
    """The program of a file and its description. Nothing in the file is run while it is read.

    Raises:
        CheckpointError: no such archive, or one that holds more than a graph and tensors.
    """
    check_archive(path)
    files = {KEY: ""}
    try:
        with silenced():
            program = torch.export.load(path, extra_files=files)
    except Exception as error:  # a parser of an untrusted file: each damage has an exception of its own
        raise CheckpointError(
            f"exported file {path}", found="no exported program", expected="a whole .pt2 file of this torch"
        ) from error
    return program, NetworkDescription.from_json(files[KEY], str(path))


def read_description(path: Path) -> NetworkDescription:
    """The description in an archive, without reading its graph.

    Raises:
        CheckpointError: no such archive, or one that hrnet export did not write.
    """
    return NetworkDescription.from_json(check_archive(path), str(path))
