"""OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ...errors import CheckpointError, ConfigError
from ..exporting.openvino import read_graph
from ..exporting.shape import InputShape
from ..optional import need
from .base import Runtime

if TYPE_CHECKING:
    import openvino

#: Graphs for one very shape are faster than one for all; more than these few would only fill the memory.
_SHAPES_KEPT = 4


class OpenvinoRuntime(Runtime):
    """Runs an OpenVINO graph or an ONNX file, compiled at the first call for each shape.

    Args:
        path: The .xml or .onnx file.
        precision: `bf16` computes an fp32 file in bfloat16; `int8` needs a quantised file.
        threads: Of this network; None takes one a core.
        shape: What the network takes, where that is limited.

    Raises:
        CheckpointError: a file that OpenVINO cannot read.
        ConfigError: at the first call, `bf16` on a processor that has none: OpenVINO would compute fp32.
        MissingDependency: openvino is not installed.
    """

    name = "openvino"
    precisions = ("fp32", "bf16", "int8")

    def __init__(
        self, path: Path, precision: str = "fp32", threads: int | None = None, shape: InputShape | None = None
    ):
        super().__init__(precision, threads, shape)
        self._core = need("openvino", "runtime openvino").Core()
        self._graph = read_graph(path)
        self._path = path
        self._requests: dict[tuple[int, ...], openvino.InferRequest] = {}

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        array = images.detach().cpu().contiguous().numpy()
        request = self._request(array.shape)
        found = request.infer({0: array}, share_inputs=True)
        return tuple(torch.from_numpy(found[port]) for port in request.model_outputs)

    def _request(self, nchw: tuple[int, ...]) -> openvino.InferRequest:
        if nchw not in self._requests:
            if len(self._requests) == _SHAPES_KEPT:
                self._requests.pop(next(iter(self._requests)))
            self._requests[nchw] = self._compile(nchw).create_infer_request()
        return self._requests[nchw]

    def _compile(self, nchw: tuple[int, ...]) -> openvino.CompiledModel:
        graph = self._graph
        if graph.is_dynamic():
            graph = graph.clone()
            graph.reshape(list(nchw))
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
        }
        if self.threads:
            options["INFERENCE_NUM_THREADS"] = self.threads
        try:
            compiled = self._core.compile_model(graph, "CPU", options)
        except RuntimeError as error:
            raise CheckpointError(
                f"exported file {self._path}", found=f"a graph that cannot be compiled for {nchw}"
            ) from error
        if self.precision == "bf16" and compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() != "bf16":
            raise ConfigError(
                "precision bf16 of runtime openvino", found="a processor without bfloat16", expected="fp32"
            )
        return compiled
