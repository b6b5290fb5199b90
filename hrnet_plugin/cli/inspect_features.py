"""`hrnet inspect features`: what flows through a network, drawn over the picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError

from .explain import explained
from .inspecting import (
    add_command,
    check_outputs,
    print_json,
    print_table,
    print_written,
    read_config,
    write_file,
    write_page,
)
from .preflight import check_checkpoint_file, check_writable
from .pretrained_sources import local_checkpoint

if TYPE_CHECKING:
    import numpy as np
    from mmengine.config import Config
    from torch import Tensor, nn

    from hrnet_plugin.inspection.feature_flow import FlowCell

_ABOUT = (
    "Draw what flows through a trained network: stem, every branch before and after the fusion of each stage, and the "
    "output, over each picture, with shapes and statistics; the features themselves are saved as arrays (.npz)."
)
_HEAD = ("step", "branch", "shape", "mean", "std", "min", "max", "zeros", "constant channels")


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `features` to the commands of `hrnet inspect`."""
    parser = add_command(commands, "features", about=_ABOUT, run=run_features, checkpoint=True)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="image files")
    parser.add_argument(
        "--out", metavar="DIR", default="features", help="where sheets and arrays go (default features)"
    )
    parser.add_argument(
        "--box", metavar="X1,Y1,X2,Y2", help="pose: the body's box in pixels (default: the whole image)"
    )
    parser.add_argument("--channels", type=int, default=3, metavar="N", help="single channels in each cell (default 3)")
    parser.add_argument("--channel", metavar="I,J,...", help="which channels (default: those that vary most)")
    parser.add_argument(
        "--all-modules", action="store_true", help="every high-resolution module, not only the last of each stage"
    )
    parser.add_argument("--no-arrays", action="store_true", help="draw only, save no arrays")


def run_features(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        UserError: config, checkpoint or an image cannot be used, or a file cannot be written.
    """
    box = _numbers(args.box, "--box", 4)
    wanted = [int(channel) for channel in _numbers(args.channel, "--channel", None) or ()]
    _check_channels(args.channels, wanted)
    check_outputs(args)
    cfg = read_config(args)
    if box is not None and cfg.get("default_scope") != "mmpose":
        raise ConfigError("--box", found=f"a config of {cfg.get('default_scope')}", expected="one of mmpose")
    path = local_checkpoint(args.checkpoint)
    check_checkpoint_file(path)
    check_writable(args.out, "--out")
    from hrnet_plugin.inspection.flow_sheet import as_npz, draw_flow_sheet
    from hrnet_plugin.reports.page import Page

    page = Page("Feature flow", {"config": args.config, "checkpoint": args.checkpoint})
    written, found = [], []
    with explained(cfg):
        from hrnet_plugin.deploy.load import load_model

        model = load_model(cfg, path)
    for image, name in zip(args.images, _names(args.images), strict=True):
        with explained(cfg):
            picture, cells = _flow(cfg, model, image, box, args.all_modules)
        widest = max(len(cell.values) for cell in cells)
        if wanted and min(wanted) >= widest:
            raise ConfigError("--channel", found=args.channel, expected=f"0 to {widest - 1}")
        sheet = draw_flow_sheet(picture, cells, title=Path(image).name, channels=args.channels, wanted=wanted)
        target = sheet.save(Path(args.out, f"{name}_features.png"))
        written.append(str(target))
        if not args.no_arrays:
            arrays = Path(args.out, f"{name}_features.npz")
            write_file(as_npz(cells), arrays, "--out")
            written.append(str(arrays))
        found.append({"image": image, "features": [_plain(cell) for cell in cells]})
        page.section(Path(image).name).picture(target, f"Features of {image}")
        page.table(_HEAD, [_row(cell) for cell in cells])
        if not args.json:
            print(image)
            print_table(_HEAD, [_row(cell) for cell in cells])
    written += write_page(page, args)
    if args.json:
        print_json({"config": args.config, "checkpoint": args.checkpoint, "images": found, "files": written})
    print_written(written, args)
    return 0


def _check_channels(count: int, wanted: Sequence[int]) -> None:
    from hrnet_plugin.inspection.flow_sheet import MOST_CHANNELS

    if not 0 <= count <= MOST_CHANNELS:
        raise ConfigError("--channels", found=count, expected=f"0 to {MOST_CHANNELS}")
    if len(wanted) > MOST_CHANNELS:
        raise ConfigError("--channel", found=f"{len(wanted)} channels", expected=f"at most {MOST_CHANNELS}")


def _flow(
    cfg: Config, model: nn.Module, image: str, box: Sequence[float] | None, all_modules: bool
) -> tuple[np.ndarray, list[FlowCell]]:
    """The picture as the network gets it, (H, W, 3) RGB, and what it makes of it."""
    from hrnet_plugin.deploy.images import file_image
    from hrnet_plugin.deploy.tensor_model import TensorModel
    from hrnet_plugin.inspection.feature_flow import capture_flow, flow_columns

    images = file_image(cfg, model.data_preprocessor, image, box)
    network = TensorModel(model)
    cells = capture_flow(network, flow_columns(network, all_modules), lambda: network(images))
    return _as_picture(cfg, images), cells


def _as_picture(cfg: Config, images: Tensor) -> np.ndarray:
    """The first of normalised images (N, C, H, W) as (H, W, 3) uint8 RGB."""
    import numpy as np

    from hrnet_plugin.deploy.describing import pixel_scaling
    from hrnet_plugin.deploy.images import as_pixels

    pixels = as_pixels(images, pixel_scaling(cfg))[0].permute(1, 2, 0).clamp(0, 255).round().byte().numpy()
    pixels = np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] != 3 else pixels
    return np.ascontiguousarray(pixels[..., ::-1])


def _numbers(text: str | None, flag: str, count: int | None) -> list[float] | None:
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if count is None and numbers and all(number >= 0 and number == int(number) for number in numbers):
        return numbers
    if count is None or len(numbers) != count or numbers[2] <= numbers[0] or numbers[3] <= numbers[1]:
        expected = "indices of channels, as 0,5,9" if count is None else "x1,y1,x2,y2 with x2 > x1 and y2 > y1"
        raise ConfigError(flag, found=repr(text), expected=expected)
    return numbers


def _names(images: Sequence[str]) -> list[str]:
    """A name for each image's files: its own, with a number where two are called the same."""
    names: list[str] = []
    for image in images:
        stem, number = Path(image).stem, 2
        name = stem
        while name in names:
            name, number = f"{stem}-{number}", number + 1
        names.append(name)
    return names


def _row(cell: FlowCell) -> tuple[str, ...]:
    found = cell.statistics()
    return (
        cell.column,
        str(cell.branch + 1),
        "x".join(map(str, cell.values.shape)),
        *(f"{found[name]:.3g}" for name in ("mean", "std", "min", "max")),
        f"{100 * found['zeros']:.1f} %",
        f"{100 * found['constant_channels']:.1f} %",
    )


def _plain(cell: FlowCell) -> dict[str, object]:
    return {
        "step": cell.column,
        "branch": cell.branch + 1,
        "array": cell.key,
        "shape": list(cell.values.shape),
        **cell.statistics(),
    }
