"""Exported files of a benchmark: written once, opened by each of its processes."""

from __future__ import annotations

from pathlib import Path

from ..deploy.tensor_model import TensorModel
from .subjects import Subject

#: The format of a file that a runtime opens; the others take the network as it is.
FORMATS = {"onnxruntime": "onnx", "openvino": "openvino", "ncnn": "ncnn"}
_ENDINGS = {"onnx": ".onnx", "openvino": ".xml", "ncnn": ".ncnn.param"}


def exported(subject: Subject, folder: Path) -> Path:
    """Where the file of a subject lies, whether or not it is there yet."""
    width, height = subject.network.size
    # OpenVINO computes an fp32 file in bf16 when it is asked to.
    numbers = "int8" if subject.precision == "int8" else "fp32"
    name = f"{subject.network.key}-{width}x{height}-{subject.network.batch}-{numbers}"
    return Path(folder) / f"{name}{_ENDINGS.get(FORMATS.get(subject.runtime, ''), '.none')}"


def export(subject: Subject, model: TensorModel, folder: Path) -> None:
    """Writes the file of a subject, where its runtime opens one and it is not there yet.

    Raises:
        UserError: the network cannot be exported, or a package is missing.
    """
