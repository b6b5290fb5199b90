"""OpenVINO's format: a graph in XML beside its weights.

It is converted from the ONNX graph: `torch.jit.trace`, OpenVINO's own way from torch, would freeze the sizes that the
upsampling reads from its input.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import CheckpointError
from ..description import KEY, NetworkDescription
from ..optional import need
from ..tensor_model import TensorModel
from .onnx import to_onnx
from .shape import InputShape
from .silence import silenced

if TYPE_CHECKING:
    import openvino

NAME = "openvino"
SUFFIX = ".xml"
#: bf16 is how the runtime computes; the file holds float32.
PRECISIONS = ("fp32", "bf16", "int8")


def write(network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape) -> Path:
    """Writes `network` to an XML file and a .bin file beside it, weights in float32.

    Args:
        network: In evaluation mode, folded or not.
        path: The XML file; both are replaced as a whole or not at all.
        description: Goes into the graph's runtime information.
        shape: Fixed or free batch and size.

    Raises:
        ConfigError: a layer that cannot be exported, by its name.
        MissingDependency: openvino, onnx or onnxscript is not installed.
    """
    return save(to_openvino(network, shape), path, description)


def to_openvino(network: TensorModel, shape: InputShape) -> openvino.Model:
    """The network as OpenVINO's own object."""
    core = need("openvino", "OpenVINO export").Core()
    model = to_onnx(network, shape)
    with silenced():
        return core.read_model(model.SerializeToString())


def save(model: openvino.Model, path: Path, description: NetworkDescription) -> Path:
    """Writes a graph, float32 as it is, with its description."""
    from .staging import staged

    model.set_rt_info(description.to_json(), [KEY])
    with staged(path) as folder:
        need("openvino", "OpenVINO export").save_model(model, str(folder / path.name), compress_to_fp16=False)
    return path


def read_description(path: Path) -> NetworkDescription:
    """The description in a graph's runtime information.

    Raises:
        CheckpointError: no such graph, or one that hrnet export did not write.
        MissingDependency: openvino is not installed.
    """
    model = read_graph(path)
    text = model.get_rt_info([KEY]).astype(str) if model.has_rt_info([KEY]) else ""
    return NetworkDescription.from_json(text, str(path))


def read_graph(path: Path) -> openvino.Model:
    """The graph in a file, OpenVINO's or ONNX's.

    Raises:
        CheckpointError: there is none.
        MissingDependency: openvino is not installed.
    """
    core = need("openvino", f"reading {path}").Core()
    try:
        with silenced():
            return core.read_model(str(path))
    except Exception as error:  # a parser of an untrusted file: each damage has an exception of its own
        raise CheckpointError(
            f"exported file {path}", found="no graph that OpenVINO reads", expected="a whole .xml with its .bin"
        ) from error
