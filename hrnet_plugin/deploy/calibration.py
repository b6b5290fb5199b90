"""int8 by post-training quantisation: ranges of activations are taken from a few hundred images."""

from __future__ import annotations

import dataclasses
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import Tensor

from ..errors import ConfigError
from .description import NetworkDescription
from .exporting import onnx, openvino
from .exporting.shape import InputShape
from .exporting.silence import silenced
from .exporting.staging import staged
from .optional import need
from .tensor_model import TensorModel


def write_quantised(
    network: TensorModel,
    path: Path,
    description: NetworkDescription,
    shape: InputShape,
    images: Iterable[Tensor] | None,
) -> Path:
    """Writes a network with int8 convolutions: OpenVINO's through NNCF, ONNX's through ONNX Runtime's own quantiser.

    Args:
        network: In evaluation mode, folded.
        path: A .xml or .onnx file; replaced as a whole or not at all.
        description: Goes into the file, with `int8` for its precision.
        shape: Fixed or free batch and size.
        images: (N, C, H, W) as the network takes them; all of them are used.

    Raises:
        ConfigError: no images, a format without int8, or a layer that cannot be exported.
        MissingDependency: the quantiser is not installed.
    """
    writers = {openvino.SUFFIX: _write_openvino, onnx.SUFFIX: _write_onnx}
    if path.suffix not in writers:
        raise ConfigError("int8", found=f"a {path.suffix} file", expected="OpenVINO or ONNX Runtime")
    description = dataclasses.replace(description, precision="int8")
    return writers[path.suffix](network, path, description, shape, _Images(images))


class _Images:
    """Images one by one, as numpy arrays (1, C, H, W); readable again and again.

    Raises:
        ConfigError: there are none.
    """

    def __init__(self, images: Iterable[Tensor] | None):
        self._kept: list[Tensor] = []
        for batch in images or ():
            self._kept += batch.detach().cpu().float().contiguous().split(1)
        if not self._kept:
            raise ConfigError(
                "int8",
                found="no images to calibrate with",
                expected="some; 300 are enough",
                do="Give some hundred of those that the network was trained with",
            )

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator:
        return (image.numpy() for image in self._kept)


def _write_openvino(
    network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape, images: _Images
) -> Path:
    nncf = need("nncf", "int8 with OpenVINO")
    nncf.set_log_level(logging.ERROR)
    model = openvino.to_openvino(network, _any_batch(shape))
    with silenced():
        quantised = nncf.quantize(model, nncf.Dataset(images), subset_size=len(images))
    if not shape.dynamic_batch:
        quantised.reshape({0: [shape.batch, *list(quantised.inputs[0].partial_shape)[1:]]})
    return openvino.save(quantised, path, description)


def _write_onnx(
    network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape, images: _Images
) -> Path:
    quantisation = need("onnxruntime.quantization", "int8 with ONNX Runtime", "onnxruntime")
    preparing = need("onnxruntime.quantization.shape_inference", "int8 with ONNX Runtime", "onnxruntime")
    package = need("onnx", "int8 with ONNX Runtime")
    model = onnx.to_onnx(network, _any_batch(shape))

    class Reader(quantisation.CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter(images)

        def get_next(self) -> dict | None:
            image = next(self._left, None)
            return None if image is None else {onnx.INPUT: image}

    with staged(path) as folder, tempfile.TemporaryDirectory() as scratch, silenced():
        exported, prepared = Path(scratch, "exported.onnx"), Path(scratch, "prepared.onnx")
        package.save(model, str(exported))
        preparing.quant_pre_process(str(exported), str(prepared), skip_symbolic_shape=True)
        quantisation.quantize_static(
            str(prepared),
            str(folder / path.name),
            Reader(),
            quant_format=quantisation.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantisation.QuantType.QUInt8,
            weight_type=quantisation.QuantType.QInt8,
            # 8 bits times 8 bits summed in 16 overflow on CPUs without VNNI unless weights keep to 7 bits.
            reduce_range=not _has_vnni(),
        )
        written = package.load(str(folder / path.name))
        if not shape.dynamic_batch:
            written.graph.input[0].type.tensor_type.shape.dim[0].dim_value = shape.batch
        onnx.describe(written, description)
        package.save(written, str(folder / path.name))
    return path


def _any_batch(shape: InputShape) -> InputShape:
    """The same with a free batch: images come one by one to calibrate, whatever the batch of the file."""
    return dataclasses.replace(shape, dynamic_batch=True)


def _has_vnni() -> bool:
    import torch

    return torch.cpu._is_vnni_supported()
