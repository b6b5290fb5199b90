"""`hrnet inspect profile`: where time and memory go, part by part."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError

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
from .preflight import check_writable

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor, nn

_ABOUT = (
    "Profile a few steps with torch's profiler: time and memory of stem, stages, branches, fuse layers, neck and head. "
    "Weights and images are random numbers; no data and no checkpoint are needed."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `profile` to the commands of `hrnet inspect`."""
    parser = add_command(commands, "profile", about=_ABOUT, run=run_profile)
    parser.add_argument("--train", action="store_true", help="with the backward pass, in training mode")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="images a step (default 1)")
    parser.add_argument("--size", metavar="WxH", help="input size in pixels (default: the config's)")
    parser.add_argument("--steps", type=int, default=3, metavar="N", help="steps to profile (default 3)")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="default: cuda where there is one")
    parser.add_argument("--threads", type=int, metavar="N", help="threads of the CPU (default: torch's)")
    parser.add_argument("--modules", action="store_true", help="also each high-resolution module and each fuse layer")
    parser.add_argument("--trace", metavar="FILE", help="write a trace for chrome://tracing or ui.perfetto.dev (.json)")
    parser.add_argument("--plot", metavar="FILE", help="write stacked bars, stage by branch (.png, .svg, .pdf)")


def run_profile(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        UserError: the config cannot be read or built, a flag is wrong, or a file cannot be written.
    """
    from pathlib import Path

    for flag in ("batch", "steps", "threads"):
        value = getattr(args, flag)
        if value is not None and value < 1:
            raise ConfigError(f"--{flag}", found=value, expected="1 or more")
    size = parse_size(args.size)
    check_outputs(args)
    if args.trace:
        check_writable(Path(args.trace).parent, "--trace: folder")
    cfg = read_config(args)
    import torch

    device = _device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    from hrnet_plugin.deploy.exporting.silence import silenced_native
    from hrnet_plugin.inspection import profile_views as views
    from hrnet_plugin.inspection.profiling import profile_network

    with explained(cfg):
        network, images = _network(cfg, size, args.batch, device)
    step = _training_step(network, images) if args.train else _inference_step(network, images)
    with silenced_native(), _single_pixels(args):  # the profiler says that it starts and stops
        profile = profile_network(network, step, steps=args.steps, device=device, trace=args.trace)
    written = [args.trace] if args.trace else []
    if args.plot:
        write_plot(views.plot(profile), args.plot)
        written.append(args.plot)
    what = "training step" if args.train else "forward pass"
    shape = f"{args.batch} of {images.shape[3]}x{images.shape[2]}"
    if args.html:
        about = {"config": args.config, "step": what, "images": shape, "threads": torch.get_num_threads()}
        written += write_page(views.build_page(profile, about), args)
    if args.json:
        print_json({"config": args.config, "step": what, "images": list(images.shape), **views.to_plain(profile)})
        return 0
    print(f"{args.config}: {what}, {shape}, {device}: {profile.step * 1e3:.1f} ms, the median of {args.steps}\n")
    print_table(views.HEAD, views.table_rows(profile, args.modules))
    print("\nover all stages")
    print_table(views.HEAD, views.branch_rows(profile))
    print("\n" + textwrap.fill(views.ABOUT, 100))
    print_written(written, args)
    return 0


@contextmanager
def _single_pixels(args: argparse.Namespace) -> Iterator[None]:
    """Turns what batch norms say to a single image with maps of one pixel into a line that names the flags."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ConfigError(
            f"--train --batch {args.batch}",
            found="maps of one pixel, on which batch norms cannot train with a single image",
            expected="--batch 2 or more, or a larger --size",
        ) from error


def _device(wanted: str | None) -> str:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise ConfigError("--device cuda", found="no GPU that torch can use", expected="one", do="Take --device cpu")
    return wanted or ("cuda" if torch.cuda.is_available() else "cpu")


def _network(cfg: Config, size: tuple[int, int] | None, batch: int, device: str) -> tuple[nn.Module, Tensor]:
    """The network with random weights, and images of random numbers (N, C, H, W)."""
    import torch

    from hrnet_plugin.deploy.describing import usual_size
    from hrnet_plugin.deploy.tensor_model import TensorModel
    from hrnet_plugin.zoo.forward import build_model, model_config
    from hrnet_plugin.zoo.quiet import quiet

    width, height = size or usual_size(cfg)
    with quiet():
        network = TensorModel(build_model(model_config(cfg), cfg.get("default_scope") or "mmengine")).to(device)
    return network, torch.randn(batch, network.channels, height, width, device=device)


def _inference_step(network: nn.Module, images: Tensor) -> Callable[[], object]:
    import torch

    network.eval()

    def step() -> None:
        with torch.inference_mode():
            network(images)

    return step


def _training_step(network: nn.Module, images: Tensor) -> Callable[[], object]:
    """Forward and backward; what stands in for the loss has a gradient everywhere and costs next to nothing."""
    network.train()

    def step() -> None:
        network.zero_grad(set_to_none=True)
        sum(output.float().square().mean() for output in network(images)).backward()

    return step
