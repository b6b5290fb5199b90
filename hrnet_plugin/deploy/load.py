"""`hrnet_plugin.load`: a predictor from a config and a checkpoint, or from an exported file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ..checkpoints.contents import read_contents
from ..checkpoints.loading.plan import plan_loading
from ..checkpoints.network_meta import describe_network
from ..config_files import find_config, load_config
from ..errors import CheckpointError, ConfigError
from ..zoo.forward import build_model, model_config
from ..zoo.quiet import quiet
from .describing import describe, task_of, usual_size
from .devices import find_device
from .exporting.formats import FORMATS, read_description
from .exporting.shape import MULTIPLE, InputShape
from .images import fitted
from .predictor import Predictor, check_readable
from .runtimes.base import check_precision
from .runtimes.start import check_installed, find_runtime, open_export, start_runtime
from .tensor_model import TensorModel

if TYPE_CHECKING:
    from mmengine.config import Config

#: Images to calibrate with: beyond these few hundred, ranges hardly change.
ENOUGH_IMAGES = 300
#: Of all of them: 300 of 512x512, or 38 of 1024x2048.
_ENOUGH_PIXELS = 300 * 512 * 512
#: (width, height) that stands for all where any goes.
_ANY = (256, 256)


def load(
    config: str | Path | Config,
    checkpoint: str | Path | None = None,
    *,
    runtime: str | None = None,
    precision: str | None = None,
    size: tuple[int, int] | None = None,
    threads: int | None = None,
    calibration: Tensor | Iterable[Tensor] | None = None,
    device: str | None = None,
) -> Predictor:
    """A predictor.

    Args:
        config: A config with its `checkpoint`, or a file that `hrnet export` wrote.
        checkpoint: The trained weights; none with an exported file, which holds its own.
        runtime: `torch`, `torch-compile`, `onnxruntime`, `openvino` or `ncnn`; None takes torch, or the
            one that opens the file.
        precision: `fp32`, `bf16` or `int8`, as the runtime has them; None takes fp32, or the file's own.
        size: (width, height) of the network's input; None takes the config's. A segmentation then looks at each image
            in its own size, as the config's test does: exactly so in torch, while the others fill it up to multiples of
            32, which changes labels where its sides are none. ncnn alone has one size for all.
        threads: Of the CPU.
        calibration: For `int8`: normalised images (N, 3, H, W), or batches of such; the first 300 are taken, or fewer
            large ones.
        device: `cuda`, `cuda:1` or `mps`, for `torch` and `torch-compile`; None computes on the CPU.

    Raises:
        ConfigError: arguments that do not go together, or a network whose outputs are not read here.
        CheckpointError: a checkpoint or exported file that is broken or of another network.
        MissingDependency: the runtime is not installed.

    Example:
        >>> predictor = hrnet_plugin.load("hrnet_w32_coco", "epoch_210.pth")  # doctest: +SKIP
        >>> (prediction,) = predictor("street.jpg", boxes=[[10, 20, 110, 320]])  # doctest: +SKIP
        >>> hrnet_plugin.inference.draw("street.jpg", prediction, "drawn.jpg")  # doctest: +SKIP
    """
    if isinstance(config, (str, Path)) and is_export(config):
        elsewhere = None if device in (None, "cpu") else device
        _check_alone(config, checkpoint=checkpoint, size=size, calibration=calibration, device=elsewhere)
        _check_numbers(None, threads)
        description = read_description(Path(config))
        check_readable(description)
        return Predictor(open_export(config, runtime=runtime, precision=precision, threads=threads), description)
    if checkpoint is None:
        raise ConfigError("checkpoint", found="none", expected="trained weights beside a config")
    _check_numbers(size, threads)
    runtime, precision = runtime or "torch", precision or "fp32"
    check_precision(find_runtime(runtime), precision)
    if calibration is not None and precision != "int8":
        raise ConfigError("calibration", found=f"precision {precision}", expected="precision int8, or no calibration")
    check_installed(runtime, precision)
    place = find_device(device, runtime)
    cfg = _read(config)
    is_free = task_of(cfg) == "segmentation" and size is None and runtime != "ncnn"
    size = None if is_free else size or usual_size(cfg)
    description = describe(cfg, name=Path(cfg.filename or "").stem, size=size, precision=precision)
    check_readable(description)
    channels = len(description.mean)
    shape = InputShape(size or _ANY, dynamic_batch=True, dynamic_size=size is None, channels=channels)
    images = None if calibration is None else fitted(calibration_images(calibration, channels), shape)
    network = TensorModel(load_model(cfg, checkpoint)).to(place)
    started = start_runtime(network, runtime, precision, shape=shape, threads=threads, calibration=images)
    return Predictor(started, description, device=place)


def calibration_images(given: Tensor | Iterable[Tensor], channels: int = 3) -> Iterator[Tensor]:
    """The first `ENOUGH_IMAGES` of some images, one by one.

    Args:
        given: (N, C, H, W), or batches of such, as many as there may be.
        channels: C.

    Yields:
        (1, C, H, W).

    Raises:
        ConfigError: something that is no such tensor.
    """
    batches = [given] if isinstance(given, Tensor) else given
    return enough_of(_one_by_one(batches, channels))


def enough_of(images: Iterable[Tensor], most: int = ENOUGH_IMAGES) -> Iterator[Tensor]:
    """The first of some images (1, C, H, W), fewer of large ones: all of them will be held in memory."""
    pixels = 0
    for image in islice(images, most):
        yield image
        pixels += image[0, 0].numel()
        if pixels >= _ENOUGH_PIXELS:
            return


def _one_by_one(batches: object, channels: int) -> Iterator[Tensor]:
    expected = f"tensors (N, {channels}, H, W) of normalised images"
    if isinstance(batches, (str, Path)) or not isinstance(batches, Iterable):
        raise ConfigError("calibration", found=f"{batches!r:.80}", expected=expected)
    for batch in batches:
        if not isinstance(batch, Tensor) or batch.ndim != 4 or batch.shape[1] != channels:
            found = f"shape {tuple(batch.shape)}" if isinstance(batch, Tensor) else f"a {type(batch).__name__}"
            raise ConfigError("calibration", found=found, expected=expected)
        yield from batch.split(1)


def is_export(path: str | Path) -> bool:
    """Whether a file has the name of one that `hrnet export` wrote."""
    return str(path).endswith(tuple(form.SUFFIX for form in FORMATS.values()))


def load_model(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """A config's whole model in evaluation mode, with all its weights from a checkpoint.

    Raises:
        CheckpointError: no such file, or one that does not fill the network.
    """
    if is_export(checkpoint):
        raise CheckpointError(
            f"checkpoint {checkpoint}",
            found="an exported file",
            expected="trained weights",
            do="Give it alone to hrnet_plugin.load, which reads config and weights from it",
        )
    contents = read_contents(str(checkpoint))
    with quiet():
        model = build_model(model_config(cfg), cfg.get("default_scope") or "mmengine")
        plan = plan_loading(model, contents, adapts=False)
    advice = "Take the config that the checkpoint was trained with"
    plan.require(1.0, what=f"checkpoint {checkpoint}", advice=advice)
    plan.apply(model)
    model.eval()
    return model


def network_entry(model: nn.Module) -> dict:
    """The description of a model's backbone for a file's metadata; empty for a backbone of another package."""
    spec = getattr(getattr(model, "backbone", model), "spec", None)
    return describe_network(spec) if spec is not None else {}


def _check_alone(path: str | Path, **others: object) -> None:
    """Raises:
    ConfigError: something that is settled in an exported file is given beside it.
    """
    for name, value in others.items():
        if value is not None:
            raise ConfigError(
                f"{name} beside {path}",
                found=str(value) if isinstance(value, (str, Path, tuple)) else type(value).__name__,
                expected="none: an exported file holds its own weights, size and precision, and is computed on the CPU",
                do="Give config and checkpoint in its place, or export them anew",
            )


def _check_numbers(size: object, threads: object) -> None:
    """Raises:
    ConfigError: no (width, height) that a network can take, or no number of threads.
    """
    lengths = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if size is not None and (len(lengths) != 2 or not all(isinstance(one, int) and one >= MULTIPLE for one in lengths)):
        raise ConfigError("size", found=size, expected=f"(width, height) of {MULTIPLE} pixels or more")
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ConfigError("threads", found=threads, expected="1 or more")


def _read(config: str | Path | Config) -> Config:
    if not isinstance(config, (str, Path)):
        return config
    return load_config(find_config(str(config)))
