"""`hrnet test --runtime`: which program computes the network of a test, and in which precision."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError, nearest

from .calibration_data import check_calibration_data

if TYPE_CHECKING:
    from mmengine.config import Config
    from mmengine.runner import Runner
    from torch import Tensor

    from hrnet_plugin.deploy.runtime_hook import RuntimeHook

#: The framework's own modules, as they were trained.
FRAMEWORK = "framework"
RUNTIMES = ("torch", "torch-compile", "onnxruntime", "openvino", "ncnn")
PRECISIONS = ("fp32", "bf16", "int8")
_CALIBRATION_IMAGES = 300


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags, in a group of their own."""
    group = parser.add_argument_group("what computes the network")
    group.add_argument(
        "--runtime",
        metavar="NAME",
        help=f"{', '.join(RUNTIMES)}, or {FRAMEWORK} for the framework's own modules as they were trained "
        "(default torch: batch norms folded, channels last; outputs are equal to 1e-5)",
    )
    group.add_argument(
        "--precision", choices=PRECISIONS, default="fp32", help="int8 is calibrated with images of the training set"
    )
    group.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: one a core)")
    group.add_argument(
        "--calibrate-images",
        type=int,
        metavar="N",
        default=_CALIBRATION_IMAGES,
        help=f"training images to calibrate int8 with (default {_CALIBRATION_IMAGES})",
    )


def check_runtime_flags(args: argparse.Namespace) -> None:
    """Looks at the flags before anything is built.

    Raises:
        ConfigError: an unknown runtime, a precision that it has not, or a number below 1.
        MissingDependency: a package or compiler that the runtime needs is not installed.
    """
    for flag, value in (("--threads", args.threads), ("--calibrate-images", args.calibrate_images)):
        if value is not None and value < 1:
            raise ConfigError(flag, found=value, expected="1 or more")
    if args.runtime == FRAMEWORK:
        if args.precision != "fp32":
            raise ConfigError(
                f"--precision {args.precision} with --runtime {FRAMEWORK}",
                found="modules as they were trained",
                expected="fp32",
                do=f"Choose one of {', '.join(RUNTIMES)}",
            )
        return
    from hrnet_plugin.deploy.runtimes.base import check_precision
    from hrnet_plugin.deploy.runtimes.start import check_installed, find_runtime

    name = args.runtime or "torch"
    if name not in RUNTIMES:
        raise ConfigError(f"--runtime {name}", found="none of this name", do=nearest(name, (*RUNTIMES, FRAMEWORK)))
    kind = find_runtime(name)
    check_precision(kind, args.precision)
    check_installed(kind.name, args.precision)


def runtime_hook(args: argparse.Namespace, runner: Runner, notices: list[str]) -> RuntimeHook:
    """The hook that puts the runtime into the model and measures it.

    Args:
        args: Of `hrnet test`.
        runner: Of the test.
        notices: Is told where the default runtime cannot compute the network.

    Raises:
        ConfigError: there are no images to calibrate `int8` with.
    """
    from hrnet_plugin.deploy.runtime_hook import RuntimeHook

    if args.precision == "int8":
        check_calibration_data(runner.cfg, "train", "Give --data-root DIR")
    return RuntimeHook(
        args.runtime or "torch",
        args.precision,
        args.threads,
        calibration=partial(_training_images, runner, args.calibrate_images),
        required=args.runtime is not None or args.precision != "fp32",
        notices=notices,
    )


def _training_images(runner: Runner, count: int) -> Iterable[Tensor]:
    """Images that are not tested on, prepared as those that are."""
    from hrnet_plugin.deploy.images import dataset_images
    from hrnet_plugin.engine.checkpoint_fit import unwrapped

    cfg: Config = runner.cfg
    return dataset_images(cfg, unwrapped(runner.model).data_preprocessor, "train", count)
