"""Exported files of a benchmark: written once, opened by each of its processes."""

from __future__ import annotations

from pathlib import Path

from ..deploy.description import NetworkDescription
from ..deploy.exporting import ncnn, onnx, openvino
from ..deploy.exporting.shape import InputShape
from ..deploy.optimising import optimised
from ..deploy.tensor_model import TensorModel
from .networks import example_images
from .subjects import Subject

#: The format of the file that a runtime opens; the others take the network as it is.
_FORMATS = {"onnxruntime": onnx, "openvino": openvino, "ncnn": ncnn}
#: Passes over which int8 takes its ranges: random images are all alike, and the clock does not care.
_CALIBRATION_PASSES = 4


def exported(subject: Subject, folder: Path) -> Path | None:
    """Where the file of a subject lies, whether or not it is there yet; None where its runtime opens none."""
    if subject.runtime not in _FORMATS:
        return None
    width, height = subject.network.size
    # What computes in bf16 opens an fp32 file.
    numbers = "int8" if subject.precision == "int8" else "fp32"
    about = (subject.network.key, subject.source.key, f"{width}x{height}", str(subject.network.batch), numbers)
    return Path(folder) / ("-".join(about) + _FORMATS[subject.runtime].SUFFIX)


def export(subject: Subject, model: TensorModel, folder: Path) -> None:
    """Writes the file of a subject, where its runtime opens one and it is not there yet.

    Args:
        subject: Of inference.
        model: Its network, with weights.
        folder: Where the files lie.

    Raises:
        UserError: the network cannot be exported, or a package is missing.
    """
    path = exported(subject, folder)
    if path is None or path.exists():
        return
    network = optimised(model, subject.runtime)
    shape = InputShape(subject.network.size, subject.network.batch)
    description = NetworkDescription("features", shape.size, shape.batch)
    if subject.precision == "int8":
        from ..deploy.calibration import write_quantised

        images = example_images(subject.network)
        write_quantised(network, path, description, shape, [images] * _CALIBRATION_PASSES)
    else:
        _FORMATS[subject.runtime].write(network, path, description, shape)
