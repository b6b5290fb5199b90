"""`hrnet export`: a trained network as a file for ONNX Runtime, OpenVINO, torch.export or ncnn."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError

from .arguments import add_config_options

if TYPE_CHECKING:
    from types import ModuleType

    from hrnet_plugin.deploy.exporting.shape import InputShape

HELP = "export a trained network to ONNX, OpenVINO, torch.export or ncnn"

#: Those of `deploy.exporting.formats`, which needs torch.
_FORMATS = ("onnx", "openvino", "torch-export", "ncnn")
_PRECISIONS = ("fp32", "bf16", "int8")
_DYNAMIC = "dynamic"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet export`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    parser.add_argument("checkpoint", help="a checkpoint file, or hrnet://NAME for published weights in the store")
    parser.add_argument("--to", required=True, choices=_FORMATS, help="the format to write")
    parser.add_argument("--out", metavar="FILE", help="the file to write (default: the config's name, here)")
    parser.add_argument("--batch", default="1", metavar="N", help="images a call, or 'dynamic' for any (default: 1)")
    parser.add_argument(
        "--size",
        metavar="WxH",
        help="width and height of the images in pixels (default: the config's), or 'dynamic' for all multiples of 32 "
        "from 64 on",
    )
    parser.add_argument(
        "--precision",
        choices=_PRECISIONS,
        default="fp32",
        help="fp32; bf16: computed in bfloat16 (openvino, ncnn); int8: quantised after training (onnx, openvino)",
    )
    parser.add_argument(
        "--normalise-inside",
        action="store_true",
        help="the file takes pixels of 0 to 255 in the order blue, green, red, and normalises them by itself",
    )
    parser.add_argument(
        "--calibrate",
        metavar="WHAT",
        help="images for int8: a folder of images, or train, val or test for that data set of the config "
        "(default: train)",
    )
    parser.add_argument(
        "--calibrate-images",
        type=int,
        default=300,
        metavar="N",
        help="how many of them (default: 300; of more than 512x512 pixels fewer)",
    )
    parser.add_argument(
        "--check",
        nargs="?",
        type=int,
        const=32,
        metavar="N",
        help="compare outputs and metric with PyTorch on N images of the test data (default: 32), or on drawn ones "
        "where there are no data; exit status 1 where fp32 differs by more than 1e-4",
    )
    parser.add_argument("--data-root", metavar="DIR", help="the folder with the data")
    add_config_options(parser, "model.test_cfg.flip_test=False")


def run(args: argparse.Namespace) -> int:
    """Exports.

    Returns:
        0, or 1 where `--check` found the file to differ from PyTorch.

    Raises:
        UserError: the network, or what was asked for, cannot be exported; or the data that it needs are not there.
    """
    from .exporting import export

    return export(args)


@dataclass(frozen=True)
class Target:
    """What is to be written.

    Args:
        module: The format (`deploy.exporting.formats`).
        path: The file.
        shape: What the network will take.
    """

    module: ModuleType
    path: Path
    shape: InputShape


def plan_target(args: argparse.Namespace, usual: tuple[int, int] | None, stem: str, channels: int = 3) -> Target:
    """What the flags ask for, checked before anything is built.

    Args:
        args: Of `hrnet export`.
        usual: (width, height) that the config tests at; None where it names none.
        stem: The config's name.
        channels: Of the images.

    Raises:
        ConfigError: flags that do not go together, or a wrong value.
    """
    from hrnet_plugin.deploy.exporting.formats import FORMATS

    module = FORMATS[args.to]
    if args.precision not in module.PRECISIONS:
        others = [name for name, other in FORMATS.items() if args.precision in other.PRECISIONS]
        raise ConfigError(
            f"--precision {args.precision} with --to {args.to}",
            found="no such numbers in this format",
            expected=" or ".join(module.PRECISIONS),
            do=f"For {args.precision} take --to {' or '.join(others)}",
        )
    for flag, value in (("--calibrate-images", args.calibrate_images), ("--check", args.check)):
        if value is not None and value < 1:
            raise ConfigError(flag, found=value, expected="a number of images, 1 or more")
    if args.calibrate and args.precision != "int8":
        raise ConfigError("--calibrate", found=f"--precision {args.precision}", expected="--precision int8")
    return Target(module, _path(args, module.SUFFIX, stem), replace(_shape(args, usual), channels=channels))


def _path(args: argparse.Namespace, suffix: str, stem: str) -> Path:
    if args.out is None:
        return Path(stem + ("" if args.precision == "fp32" else f"_{args.precision}") + suffix)
    path = Path(args.out).expanduser()
    if path.name.endswith(suffix):
        return path
    if path.suffix or path.is_dir():
        raise ConfigError(f"--out {args.out}", found=path.suffix or "a folder", expected=f"a file ending with {suffix}")
    return path.with_name(path.name + suffix)


def _shape(args: argparse.Namespace, usual: tuple[int, int] | None) -> InputShape:
    from hrnet_plugin.deploy.exporting.shape import MULTIPLE, InputShape

    if args.batch != _DYNAMIC and not (args.batch.isdecimal() and int(args.batch) > 0):
        raise ConfigError("--batch", found=args.batch, expected="a number of images, or dynamic")
    free_batch = args.batch == _DYNAMIC or args.to == "ncnn"  # which computes images one by one
    free_size = args.size == _DYNAMIC
    if free_size and args.to == "ncnn":
        raise ConfigError("--size dynamic with --to ncnn", found="a free size", expected="a fixed one, --size WxH")
    size = _read_size(args.size) if args.size and not free_size else usual
    if free_size:
        size = tuple(max(2, round(length / MULTIPLE)) * MULTIPLE for length in usual or (256, 256))
    elif size is None:
        raise ConfigError("size of the images", found="none in the config", do="Give --size WxH")
    return InputShape(size, 1 if free_batch else int(args.batch), free_batch, free_size)


def _read_size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 32):
        raise ConfigError(
            "--size", found=text, expected="WIDTHxHEIGHT of 32 pixels or more, such as 192x256, or dynamic"
        )
    return int(width), int(height)
