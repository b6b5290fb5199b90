"""ncnn's format: a graph in text beside its weights, and our description in JSON beside both.

ncnn computes 3x3 convolutions by Winograd's method, with fewer multiplications than any direct convolution.
"""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.export import ExportedProgram

from ...errors import CheckpointError, ConfigError
from ..description import NetworkDescription
from ..optional import need
from ..tensor_model import TensorModel
from .dimensions import example_images
from .shape import InputShape
from .staging import staged
from .tracing import explained_tracing, layers_of, operators_of, trace

NAME = "ncnn"
SUFFIX = ".ncnn.param"
#: bf16 is how the runtime computes; the file holds float32.
PRECISIONS = ("fp32", "bf16")
#: A wrong graph differs by its whole output; float32 and Winograd's sums by far less than this.
_TOLERANCE = 1e-3
#: Operators that ncnn computes; any other is named first where it fails.
_USUAL = frozenset(("conv2d", "linear", "relu", "relu_", "sigmoid", "softmax", "add", "add_", "mul", "cat", "mean"))
_USUAL |= {"conv_transpose2d", "batch_norm", "flatten", "upsample_nearest2d", "upsample_bilinear2d", "getitem"}
_USUAL |= {"adaptive_avg_pool2d", "avg_pool2d", "max_pool2d", "view", "reshape", "permute", "transpose", "split"}


def write(network: TensorModel, path: Path, description: NetworkDescription, shape: InputShape) -> Path:
    """Writes `network` to X.ncnn.param, X.ncnn.bin and X.ncnn.json, in float32, for images of one fixed size.

    Args:
        network: In evaluation mode, folded.
        path: The .param file; all three are replaced as a whole or not at all.
        description: Goes into the .json file.
        shape: A fixed size; images are computed one by one, whatever the batch.

    Raises:
        ConfigError: a free size, or layers that ncnn has not.
        MissingDependency: ncnn or pnnx is not installed.
    """
    if shape.dynamic_size:
        raise ConfigError("--size dynamic with --to ncnn", found="a free size", expected="a fixed one, --size WxH")
    need("ncnn", "--to ncnn", "ncnn", "pnnx")
    converter = need("pnnx", "--to ncnn", "ncnn", "pnnx").EXEC_PATH
    fixed = InputShape(shape.size, 1, channels=shape.channels)
    # torch.jit.trace would write down what this one image does, where a layer looks at what it gets.
    program, image = trace(network, fixed, NAME), example_images(fixed)
    with staged(path) as folder:
        stem = path.name.removesuffix(SUFFIX)
        with explained_tracing(network, "ncnn"), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.jit.trace(network, image, check_trace=False).save(str(folder / "traced.pt"))
        _convert(converter, folder, image, program)
        for suffix in ("param", "bin"):
            (folder / f"traced.ncnn.{suffix}").rename(folder / f"{stem}.ncnn.{suffix}")
        for left in [*folder.glob("traced*")]:
            left.unlink()
        (folder / f"{stem}.ncnn.json").write_text(description.to_json(), encoding="utf-8")
        _check(network, folder / path.name, image.flip(3) * 0.5, program)
    return path


def _convert(converter: str, folder: Path, image: torch.Tensor, program: ExportedProgram) -> None:
    shape = f"inputshape=[{','.join(map(str, image.shape))}]"
    done = subprocess.run(
        [converter, "traced.pt", shape, "fp16=0"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode or not (folder / "traced.ncnn.bin").exists():
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        unknown = _unknown_layers(folder / "traced.pnnx.param", program)
        found = f"pnnx failed ({lines[-1] if lines else done.returncode})"
        raise ConfigError("export to ncnn", found=f"{found}{f'; it does not know {unknown}' if unknown else ''}")


def _check(network: TensorModel, path: Path, image: torch.Tensor, program: ExportedProgram) -> None:
    """pnnx passes over what it does not know: only the outputs show it, for an image that it has not seen."""
    from ..runtimes.ncnn import NcnnRuntime

    with torch.no_grad():
        expected = network(image)
    try:
        found = NcnnRuntime(path)(image)
    except CheckpointError:
        raise ConfigError(
            "export to ncnn",
            found=f"layers that ncnn has not: {_unknown_layers(path, program) or _kinds(program)}",
            do="Choose another format",
        ) from None  # the command line tells the innermost
    for ours, theirs in zip(expected, found, strict=True):
        largest = float(ours.abs().max()) or 1.0
        if ours.shape != theirs.shape or not np.isfinite(theirs.numpy()).all():
            difference = float("inf")
        else:
            difference = float((ours - theirs).abs().max()) / largest
        if difference > _TOLERANCE:
            raise ConfigError(
                "export to ncnn",
                found=f"outputs that differ by {difference:.2g} of the largest",
                expected=f"at most {_TOLERANCE:g}",
                do="ncnn has no form for a layer of this network: choose another format",
            )


def _unknown_layers(path: Path, program: ExportedProgram) -> str:
    """What pnnx left as torch calls it, such as `torch.topk`, each with the module that it stands in."""
    if not path.is_file():
        return ""
    kinds = [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines()[2:] if line.strip()]
    return ", ".join(_told(kind, program) for kind in sorted({kind for kind in kinds if "." in kind}))


def _told(kind: str, program: ExportedProgram) -> str:
    layers = layers_of(program, kind.rpartition(".")[2])
    return f"{kind} in {layers[0]}" if layers else kind


def _kinds(program: ExportedProgram) -> str:
    """Where pnnx left no word of what it did not know: what in the graph is none of the usual."""
    names = {name for name, _ in operators_of(program)}
    return ", ".join(f"{name} in {layers_of(program, name)[0]}" for name in sorted(names - _USUAL)) or "unknown"


def read_description(path: Path) -> NetworkDescription:
    """The description in the .json file beside the graph.

    Raises:
        CheckpointError: there is none.
    """
    beside = path.with_name(path.name.removesuffix(SUFFIX) + ".ncnn.json")
    try:
        text = beside.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"exported file {path}", found=f"no {beside.name} beside it", expected="the three files of the export"
        ) from error
    return NetworkDescription.from_json(text, str(beside))
