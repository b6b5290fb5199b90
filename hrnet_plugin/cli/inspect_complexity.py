"""`hrnet inspect complexity`: parameters, multiply-accumulates and activation memory, part by part."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from .explain import explained
from .inspecting import (
    add_command,
    check_outputs,
    parse_size,
    print_json,
    print_table,
    print_written,
    read_config,
    write_page,
    write_plot,
)

if TYPE_CHECKING:
    from mmengine.config import Config

    from hrnet_plugin.inspection.breakdown import Breakdown

_ABOUT = (
    "Show what each part costs: parameters, multiply-accumulates (MACs) and activation memory of stem, stages, "
    "branches, fuse layers, neck and head. Nothing is computed, no data and no checkpoint are needed."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `complexity` to the commands of `hrnet inspect`."""
    parser = add_command(commands, "complexity", about=_ABOUT, run=run_complexity)
    parser.add_argument("--size", metavar="WxH", help="input size in pixels (default: the config's)")
    parser.add_argument("--modules", action="store_true", help="also each high-resolution module and each fuse layer")
    parser.add_argument("--plot", metavar="FILE", help="write stacked bars, stage by branch (.png, .svg, .pdf)")


def run_complexity(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        UserError: the config cannot be read or built, or a file cannot be written.
    """
    size = parse_size(args.size)
    check_outputs(args)
    cfg = read_config(args)
    breakdown, counted = _count(cfg, size)
    from hrnet_plugin.inspection import breakdown_views as views

    written = []
    if args.plot:
        write_plot(views.plot(breakdown), args.plot)
        written.append(args.plot)
    about = {"config": args.config} | ({"counted": counted} if counted else {})
    written += write_page(views.build_page(breakdown, about), args) if args.html else []
    if args.json:
        print_json({"config": args.config, "counted": counted or "the whole model", **views.to_plain(breakdown)})
        return 0
    width, height = breakdown.input_size
    print(f"{args.config}, input {width}x{height}" + (f", {counted}" if counted else "") + "\n")
    print_table(views.HEAD, views.table_rows(breakdown, args.modules))
    print("\nover all stages")
    print_table(views.HEAD, views.branch_rows(breakdown))
    print("\n" + textwrap.fill(views.ABOUT, 100))
    print_written(written, args)
    return 0


def _count(cfg: Config, size: tuple[int, int] | None) -> tuple[Breakdown, str]:
    """The breakdown, and of what it is where that is not the whole model."""
    with explained(cfg):
        from hrnet_plugin.inspection.breakdown import break_down
        from hrnet_plugin.zoo.figures import countable_model, read_input_size

        size = size or read_input_size(cfg)
        model, options, counted = countable_model(cfg)
        return break_down(model, size, model_channels(cfg), options), counted


def model_channels(cfg: Config) -> int:
    """Channels of the images that the config's backbone takes."""
    return int((cfg.model.get("backbone") or {}).get("in_channels", 3))
