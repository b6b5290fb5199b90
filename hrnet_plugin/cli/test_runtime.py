"""`hrnet test --runtime`: which program computes the network of a test, and in which precision."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError, nearest

from .calibration_data import check_calibration_data

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner
    from torch import Tensor, nn

    from hrnet_plugin.deploy.runtime_hook import RuntimeHook
    from hrnet_plugin.deploy.runtimes.base import Runtime

#: The framework's own modules, as they were trained.
FRAMEWORK = "framework"
RUNTIMES = ("torch", "torch-compile", "onnxruntime", "openvino", "ncnn")
PRECISIONS = ("fp32", "bf16", "int8")
_CALIBRATION_IMAGES = 300


def add_runtime_arguments(parser: argparse.ArgumentParser, *, framework: bool = True) -> None:
    """The flags, in a group of their own.

    Args:
        parser: A verb's.
        framework: Whether it can leave the computing to the framework's own modules.
    """
    or_framework = f", or {FRAMEWORK} for the framework's own modules as they were trained" if framework else ""
    group = parser.add_argument_group("what computes the network")
    group.add_argument(
        "--runtime",
        metavar="NAME",
        help=f"{', '.join(RUNTIMES)}{or_framework} (default torch: batch norms folded, channels last; outputs are "
        "equal to 1e-5)",
    )
    group.add_argument(
        "--precision", choices=PRECISIONS, help="default fp32; int8 is calibrated with images of the training set"
    )
    group.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: one a core)")
    group.add_argument(
        "--calibrate-images",
        type=int,
        metavar="N",
        default=_CALIBRATION_IMAGES,
        help=f"training images to calibrate int8 with (default {_CALIBRATION_IMAGES}; fewer of large ones)",
    )


def check_runtime_flags(args: argparse.Namespace) -> None:
    """Looks at the flags before anything is built.

    Raises:
        ConfigError: an unknown runtime, a precision that it has not, or a number below 1.
        MissingDependency: a package or compiler that the runtime needs is not installed.
    """
    _check_numbers(args)
    precision = args.precision or "fp32"
    if args.runtime == FRAMEWORK:
        if precision != "fp32":
            raise ConfigError(
                f"--precision {precision} with --runtime {FRAMEWORK}",
                found="modules as they were trained",
                expected="fp32",
                do=f"Choose one of {', '.join(RUNTIMES)}",
            )
        return
    from hrnet_plugin.deploy.runtimes.base import check_precision
    from hrnet_plugin.deploy.runtimes.start import check_installed

    kind = _find(args.runtime or "torch")
    check_precision(kind, precision)
    check_installed(kind.name, precision)


def open_exported(cfg: Config, args: argparse.Namespace) -> Runtime:
    """The runtime of an exported file that stands in the place of a checkpoint.

    Args:
        cfg: Of the test. Where the file normalises by itself, its data preprocessor no longer does.
        args: Of `hrnet test`.

    Raises:
        CheckpointError: no such file, a broken one, or one that does not fit the config.
        ConfigError: flags that do not go with the file.
        MissingDependency: the runtime is not installed.
    """
    from hrnet_plugin.deploy.describing import describe
    from hrnet_plugin.deploy.export_fit import check_fits, leave_pixels_alone
    from hrnet_plugin.deploy.exporting.formats import read_description
    from hrnet_plugin.deploy.runtimes.start import open_export

    _check_numbers(args)
    path = Path(args.checkpoint).expanduser()
    if args.runtime == FRAMEWORK:
        raise ConfigError(f"--runtime {FRAMEWORK}", found=f"exported file {path}", expected="trained weights (.pth)")
    if args.runtime is not None:
        _find(args.runtime)
    description = read_description(path)
    check_fits(description, describe(cfg, name=Path(cfg.filename or "").stem), path)
    if description.normalised_inside:
        leave_pixels_alone(cfg)
    return open_export(path, runtime=args.runtime, precision=args.precision, threads=args.threads)


def _check_numbers(args: argparse.Namespace) -> None:
    for flag, value in (("--threads", args.threads), ("--calibrate-images", args.calibrate_images)):
        if value is not None and value < 1:
            raise ConfigError(flag, found=value, expected="1 or more")


def _find(name: str) -> type[Runtime]:
    from hrnet_plugin.deploy.runtimes.start import find_runtime

    if name not in RUNTIMES:
        raise ConfigError(f"--runtime {name}", found="none of this name", do=nearest(name, (*RUNTIMES, FRAMEWORK)))
    return find_runtime(name)


def runtime_hook(
    args: argparse.Namespace, runner: Runner, notices: list[str], opened: Runtime | None = None
) -> RuntimeHook:
    """The hook that puts the runtime into the model and measures it.

    Args:
        args: Of `hrnet test`.
        runner: Of the test.
        notices: Is told where the default runtime cannot compute the network.
        opened: The runtime of an exported file, if one is tested.

    Raises:
        ConfigError: there are no images to calibrate `int8` with.
    """
    from hrnet_plugin.deploy.runtime_hook import RuntimeHook

    if opened is not None:
        check = partial(_check_network, Path(args.checkpoint).expanduser())
        return RuntimeHook(opened.name, opened.precision, opened=opened, check=check)
    precision = args.precision or "fp32"
    if precision == "int8":
        check_calibration_data(runner.cfg, "train", "Give --data-root DIR")
    return RuntimeHook(
        args.runtime or "torch",
        precision,
        args.threads,
        calibration=partial(_training_images, runner, args.calibrate_images),
        required=args.runtime is not None or precision != "fp32",
        notices=notices,
    )


def _check_network(path: Path, model: nn.Module) -> None:
    from hrnet_plugin.deploy.export_fit import check_network_fits
    from hrnet_plugin.deploy.exporting.formats import read_description
    from hrnet_plugin.deploy.load import network_entry

    check_network_fits(read_description(path), network_entry(model), path)


def _training_images(runner: Runner, count: int) -> Iterable[Tensor]:
    """Images that are not tested on, prepared as those that are."""
    from hrnet_plugin.deploy.images import dataset_images
    from hrnet_plugin.deploy.load import enough_of
    from hrnet_plugin.engine.checkpoint_fit import unwrapped

    cfg: Config = runner.cfg
    images = dataset_images(cfg, unwrapped(runner.model).data_preprocessor, "train", count)
    return enough_of(images, count)
