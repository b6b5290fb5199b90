"""ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...errors import CheckpointError
from ..exporting.shape import InputShape
from ..optional import need
from .base import Runtime


class OnnxRuntime(Runtime):
    """Runs an ONNX file.

    Args:
        path: The file.
        precision: That of the file: `int8` for a quantised one.
        threads: Of this session; None takes one a core.
        shape: What the network takes, where that is limited.

    Raises:
        CheckpointError: a file that ONNX Runtime cannot read.
        MissingDependency: onnxruntime is not installed.
    """

    name = "onnxruntime"
    precisions = ("fp32", "int8")

    def __init__(
        self, path: Path, precision: str = "fp32", threads: int | None = None, shape: InputShape | None = None
    ):
        super().__init__(precision, threads, shape)
        onnxruntime = need("onnxruntime", "runtime onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # a parser of an untrusted file: each damage has an exception of its own
            raise CheckpointError(
                f"exported file {path}", found="nothing that ONNX Runtime reads", expected="a whole .onnx file"
            ) from error
        self._input = self._session.get_inputs()[0].name

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        outputs = self._session.run(None, {self._input: images.detach().cpu().contiguous().numpy()})
        return tuple(torch.from_numpy(output) for output in outputs)
