"""ONNX, written by torch's exporter on top of `torch.export`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ...errors import CheckpointError
from ..description import KEY, NetworkDescription
from ..optional import need
from ..tensor_model import TensorModel
from .shape import InputShape
from .silence import silenced
from .tracing import explained_conversion, outputs_of, trace

if TYPE_CHECKING:
    import onnx

NAME = "onnx"
SUFFIX = ".onnx"
PRECISIONS = ("fp32", "int8")
INPUT = "images"

#: The operators that ONNX Runtime and OpenVINO of the last two years know.
OPSET = 20


def write(network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape) -> Path:
    """Writes `network` to an ONNX file in float32.

    Args:
        network: In evaluation mode, folded or not.
        path: The file; it is replaced as a whole or not at all.
        description: Goes into the file's metadata.
        shape: Fixed or free batch and size.

    Raises:
        ConfigError: a layer that cannot be exported, by its name.
        MissingDependency: onnx or onnxscript is not installed.
    """
    from .staging import staged

    model = to_onnx(network, shape)
    describe(model, description)
    with staged(path) as folder:
        need("onnx", "--to onnx").save(model, str(folder / path.name))
    return path


def to_onnx(network: TensorModel, shape: InputShape) -> onnx.ModelProto:
    """The network as ONNX's own object.

    Raises:
        ConfigError: a layer that cannot be exported, by its name.
        MissingDependency: onnx or onnxscript is not installed.
    """
    need("onnx", "ONNX export", "onnx", "onnxscript")
    need("onnxscript", "ONNX export", "onnx", "onnxscript")
    program = trace(network, shape, "ONNX")
    with explained_conversion(program, "ONNX"), silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=[f"output{index}" for index in range(len(outputs_of(program)))],
            opset_version=OPSET,
        )
    return _without_origins(exported.model_proto)


def _without_origins(model: onnx.ModelProto) -> onnx.ModelProto:
    """Less what the exporter notes of each node's origin: lines of source with paths of this machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer):
        del value.metadata_props[:]
    return model


def describe(model: onnx.ModelProto, description: NetworkDescription) -> None:
    """Puts the description into the file's metadata, in the place of one that is there."""
    kept = [entry for entry in model.metadata_props if entry.key != KEY]
    entries = {entry.key: entry.value for entry in kept} | {KEY: description.to_json()}
    need("onnx", "ONNX export").helper.set_model_props(model, entries)


def read_description(path: Path) -> NetworkDescription:
    """The description in a file's metadata.

    Raises:
        CheckpointError: no ONNX file, or one that hrnet export did not write.
        MissingDependency: onnx is not installed.
    """
    onnx = need("onnx", f"reading {path}")
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # a parser of an untrusted file: each damage has an exception of its own
        raise CheckpointError(f"exported file {path}", found="no ONNX model", expected="a whole .onnx file") from error
    found = [entry.value for entry in model.metadata_props if entry.key == KEY]
    return NetworkDescription.from_json(found[0] if found else "", str(path))
