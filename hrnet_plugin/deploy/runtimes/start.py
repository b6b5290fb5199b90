"""Runtimes by name: for a network in memory, or for an exported file."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import CheckpointError, ConfigError, nearest
from ..description import NetworkDescription
from ..exporting import ncnn as ncnn_format
from ..exporting import onnx, openvino, torch_export
from ..exporting.formats import format_of, read_description
from ..exporting.shape import InputShape
from ..optimising import optimised
from ..optional import need
from ..tensor_model import TensorModel
from .base import Runtime, check_precision
from .ncnn import NcnnRuntime
from .onnxruntime import OnnxRuntime
from .openvino import OpenvinoRuntime
from .torch_compiled import CompiledRuntime, check_compiler
from .torch_eager import TorchRuntime

RUNTIMES: dict[str, type[Runtime]] = {
    runtime.name: runtime for runtime in (TorchRuntime, CompiledRuntime, OnnxRuntime, OpenvinoRuntime, NcnnRuntime)
}
#: The format of the file that a runtime opens; the others take the network as it is.
_FORMATS = {"onnxruntime": onnx, "openvino": openvino, "ncnn": ncnn_format}
#: What a runtime needs to compute a network in memory: a module, and the packages to install where they differ.
_PACKAGES = {
    "onnxruntime": (("onnxruntime",), ("onnx",), ("onnxscript",)),
    "openvino": (("openvino",), ("onnx",), ("onnxscript",)),
    "ncnn": (("ncnn", "ncnn", "pnnx"), ("pnnx", "ncnn", "pnnx")),
}
#: Which runtimes open a format; the first is chosen where none is named.
_OPENED_BY = {
    "onnx": ("onnxruntime", "openvino"),
    "openvino": ("openvino",),
    "torch-export": ("torch", "torch-compile"),
    "ncnn": ("ncnn",),
}


def find_runtime(name: str) -> type[Runtime]:
    """The class of a runtime.

    Raises:
        ConfigError: nothing of this name.
    """
    if name not in RUNTIMES:
        raise ConfigError(f"runtime {name!r}", found="none of this name", do=nearest(name, RUNTIMES))
    return RUNTIMES[name]


def check_installed(name: str, precision: str) -> None:
    """Looks for what a runtime needs to compute a network in memory, before anything else is done.

    Raises:
        MissingDependency: a package or a compiler is not installed; names the command.
    """
    if name == "torch-compile":
        check_compiler()
    for module, *packages in _PACKAGES.get(name, ()):
        need(module, f"runtime {name}", *packages)
    if name == "openvino" and precision == "int8":
        need("nncf", "int8 with OpenVINO")


def check_format_installed(form: str, precision: str, *, opens: bool) -> None:
    """Looks for what it takes to write a format, and to open it again, before anything else is done.

    Args:
        form: One of `exporting.formats.FORMATS`.
        precision: Of the file.
        opens: Whether the file will be opened too.

    Raises:
        MissingDependency: a package is not installed; names the command.
    """
    if form == onnx.NAME and precision != "int8" and not opens:
        for module in ("onnx", "onnxscript"):
            need(module, "ONNX export", "onnx", "onnxscript")
    else:  # what opens a format is part of what writes it, and calibrates it
        check_installed(_OPENED_BY[form][0], precision)


def start_runtime(
    network: nn.Module,
    name: str,
    precision: str = "fp32",
    *,
    shape: InputShape,
    threads: int | None = None,
    calibration: Iterable[Tensor] | None = None,
) -> Runtime:
    """A runtime for a network in memory, optimised for it.

    Args:
        network: A `TensorModel` in evaluation mode; it is left as it is.
        name: One of `RUNTIMES`.
        precision: `fp32`, `bf16` or `int8`, as the runtime has them.
        shape: What is going to be computed.
        threads: Of the CPU; None leaves the choice to the runtime.
        calibration: Normalised images (N, C, H, W) for `int8`.

    Raises:
        ConfigError: no such runtime, a precision that it has not, or `int8` without images to calibrate with.
        MissingDependency: its package, or a compiler, is not installed.
    """
    kind = find_runtime(name)
    check_precision(kind, precision)
    if name not in _FORMATS:
        return kind(optimised(network, name), precision, threads)
    return _through_file(optimised(network, name).cpu(), kind, precision, shape, threads, calibration)


def _through_file(
    network: TensorModel,
    kind: type[Runtime],
    precision: str,
    shape: InputShape,
    threads: int | None,
    calibration: Iterable[Tensor] | None,
) -> Runtime:
    module = _FORMATS[kind.name]
    folder = tempfile.mkdtemp(prefix="hrnet-")
    path = Path(folder, f"network{module.SUFFIX}")
    description = NetworkDescription("features", shape.size)
    try:
        if precision == "int8":
            from ..calibration import write_quantised

            write_quantised(network, path, description, shape, calibration)
        else:
            module.write(network, path, description, shape)
        runtime = kind(path, precision, threads, shape)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # The file may be read as it is needed, and goes with the runtime.
    weakref.finalize(runtime, shutil.rmtree, folder, ignore_errors=True)
    return runtime


def usual_runtime(path: Path) -> str:
    """The runtime that opens an exported file where none is named."""
    return _OPENED_BY[format_of(path).NAME][0]


def open_export(
    path: str | Path, *, runtime: str | None = None, precision: str | None = None, threads: int | None = None
) -> Runtime:
    """A runtime for an exported file.

    Args:
        path: What `hrnet export` wrote.
        runtime: One that opens this format; None takes the format's own.
        precision: None computes as the export was asked for.
        threads: Of the CPU; None leaves the choice to the runtime.

    Raises:
        CheckpointError: no such file, or a broken one.
        ConfigError: a runtime that does not open this format, or a precision that the file has not.
        MissingDependency: the runtime's package is not installed.
    """
    path = Path(path)
    description = read_description(path)
    module = format_of(path)
    name = runtime or usual_runtime(path)
    kind = find_runtime(name)
    if name not in _OPENED_BY[module.NAME]:
        raise ConfigError(
            f"runtime {name} for {path}",
            found=f"a file of {module.NAME}",
            expected=" or ".join(_OPENED_BY[module.NAME]),
        )
    precision = precision or description.precision
    check_precision(kind, precision)
    if (precision == "int8") != (description.precision == "int8"):
        raise ConfigError(
            f"precision {precision} for {path}",
            found=f"a file of {description.precision} numbers",
            do=f"Export with --precision {precision}",
        )
    shape = allowed_shape(description)
    if module is torch_export:
        program, _ = torch_export.load(path)
        return kind(_Program(program), precision, threads, shape)
    return kind(path, precision, threads, shape)


def allowed_shape(description: NetworkDescription) -> InputShape:
    """What an exported network takes."""
    channels = len(description.mean) or 3
    size, batch = description.input_size, description.batch
    return InputShape(size or (64, 64), batch or 1, batch is None, size is None, channels)


class _Program(nn.Module):
    """An exported program, whose parameters torch's own module does not let be moved to evaluation mode."""

    def __init__(self, program: torch.export.ExportedProgram):
        super().__init__()
        self.program = program.module()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        device = next(self.program.parameters()).device
        try:
            return self.program(images.to(device))
        except (AssertionError, RuntimeError) as error:
            raise CheckpointError("exported program", found=" ".join(str(error).split())[:160]) from error
