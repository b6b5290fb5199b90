"""Draws the pictures of `docs/hrnet_explained.md` that show how the network is built.

    python docs/scripts/draw_hrnet.py                   # into docs/images/

Everything is drawn from the descriptions that networks are built from: modules, branches, widths, which path of a
transition convolves.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sketching import DOWN, INK, KEPT, ROW, UP, add_arrow, add_box, add_dot, add_title, as_svg, new_axes

from hrnet_plugin.archs import HRNetSpec, find_arch
from hrnet_plugin.inspection.stacked_bars import BRANCH_COLOURS, FUSION_COLOUR, OTHER_COLOUR

IMAGES = Path(__file__).resolve().parent.parent / "images"
#: Of the branches' names: as BRANCH_COLOURS, dark enough for letters on paper.
TEXT_COLOURS = ("#1b6ca8", "#1f7a6f", "#55783f", "#9a7410")


def draw_network(spec: HRNetSpec, size: tuple[int, int], outputs: int = 1) -> Figure:
    """The whole network: a row a branch, a box a branch of a module, lines where branches meet.

    Args:
        spec: What is drawn.
        size: (width, height) of the image.
        outputs: How many branches the head takes.
    """
    axes = new_axes(12.6, 4.7)
    x = _entrance(axes, spec)
    ends, widths = [(x, 0.0)], spec.stages[0].out_channels
    for number, stage in enumerate(spec.stages[1:], start=2):
        left = x + 1.15
        add_title(axes, (x + left) / 2, f"transition\n{number - 1}", small=True)
        _transition(axes, ends, left, widths, stage.out_channels)
        start, x = left, left
        for index in range(stage.num_modules):
            last = number == len(spec.stages) and index == stage.num_modules - 1
            targets = outputs if last else len(stage.branches)
            ends = _module(axes, x, stage, targets)
            x = ends[0][0]
        modules = f"{stage.num_modules} module{'s' * (stage.num_modules > 1)}"
        add_title(axes, (start + x) / 2, f"stage {number}\n{modules}")
        widths = stage.out_channels
    add_box(axes, x + 0.45, 0, 0.8, "head", OTHER_COLOUR)
    add_arrow(axes, (x, 0), (x + 0.45, 0), KEPT)
    for branch, channels in enumerate(spec.stages[-1].out_channels):
        width, height = size[0] // (4 << branch), size[1] // (4 << branch)
        text = f"branch {branch + 1}\n{channels} channels\n{width}x{height}, stride {4 << branch}"
        axes.text(-0.25, -ROW * branch, text, ha="right", va="center", color=TEXT_COLOURS[branch], size=8.5)
    _legend(axes, 0.0, -3.7)
    axes.set_xlim(-2.45, x + 1.35)
    axes.set_ylim(-3.95, 1.0)
    return axes.figure


def draw_blocks() -> Figure:
    """Both residual blocks, with the widths that they have in the published networks."""
    axes = new_axes(10.6, 2.5)
    basic = [("3x3", "64"), ("3x3", "64")]
    bottleneck = [("1x1", "64"), ("3x3", "64"), ("1x1", "256")]
    _residual(axes, 0.0, "BasicBlock", "64", basic, BRANCH_COLOURS[0])
    _residual(axes, 7.2, "Bottleneck", "256", bottleneck, BRANCH_COLOURS[1])
    axes.set_xlim(-1.1, 14.4)
    axes.set_ylim(-1.35, 2.0)
    return axes.figure


def draw_fusion(branches: int = 3) -> Figure:
    """The fuse layers of a module, one beside the other: what each branch gets from each."""
    axes = new_axes(11.0, 3.9)
    for target in range(branches):
        _fuse_layer(axes, 4.3 * target, target, branches)
    axes.set_xlim(-0.6, 4.3 * branches - 0.6)
    axes.set_ylim(-ROW * branches * 1.15 + 0.3, 1.0)
    return axes.figure


def draw_transitions(spec: HRNetSpec) -> Figure:
    """The transitions of a network: what is taken over, what changes its width, what is new."""
    axes = new_axes(11.0, 4.3)
    x = 0.0
    for number, (before, after) in enumerate(zip(spec.stages[:-1], spec.stages[1:], strict=True), start=1):
        add_title(axes, x + 1.5, f"transition {number}")
        for branch, channels in enumerate(before.out_channels):
            add_box(axes, x, -ROW * branch, 0.8, str(channels), BRANCH_COLOURS[branch])
        for branch, channels in enumerate(after.out_channels):
            source = min(branch, len(before.branches) - 1)
            add_box(axes, x + 2.2, -ROW * branch, 0.8, str(channels), BRANCH_COLOURS[branch])
            start, end = (x + 0.8, -ROW * source), (x + 2.2, -ROW * branch)
            if source != branch:
                add_arrow(axes, start, end, DOWN, "3x3, stride 2")
            elif before.out_channels[source] != channels:
                add_arrow(axes, start, end, FUSION_COLOUR, "3x3")
            else:
                add_arrow(axes, start, end, KEPT, "as it is")
        x += 4.4
    axes.set_xlim(-0.3, x - 1.1)
    axes.set_ylim(-3.5, 0.95)
    return axes.figure


def _entrance(axes: Axes, spec: HRNetSpec) -> float:
    """Stem and stage 1; returns where they end."""
    add_box(axes, 0, 0, 0.95, "stem", OTHER_COLOUR)
    add_title(axes, 0.47, "to\nstride 4", small=True)
    add_arrow(axes, (0.95, 0), (1.25, 0), KEPT)
    first = spec.stages[0].branches[0]
    add_box(axes, 1.25, 0, 1.5, f"{first.num_blocks} bottlenecks", BRANCH_COLOURS[0])
    add_title(axes, 2.0, "stage 1\n")
    return 2.75


def _transition(
    axes: Axes, ends: Sequence[tuple[float, float]], right: float, before: Sequence[int], after: Sequence[int]
) -> None:
    for branch, channels in enumerate(after):
        source = min(branch, len(ends) - 1)
        same = source == branch and before[source] == channels
        colour = KEPT if same else DOWN if source != branch else FUSION_COLOUR
        add_arrow(axes, ends[source], (right, -ROW * branch), colour)


def _module(axes: Axes, left: float, stage, targets: int) -> list[tuple[float, float]]:
    """The branches of a module and its fuse layers; returns where the fused branches end."""
    width, gap = 0.78, 0.6
    for branch, spec in enumerate(stage.branches):
        add_box(axes, left, -ROW * branch, width, f"{spec.num_blocks}\nblocks", BRANCH_COLOURS[branch], size=7)
    ends = []
    for target in range(targets):
        for source in range(len(stage.branches)):
            colour = KEPT if source == target else UP if source > target else DOWN
            start, end = (left + width, -ROW * source), (left + width + gap, -ROW * target)
            axes.plot(*zip(start, end, strict=True), color=colour, lw=1.1, alpha=0.85, zorder=1)
        centre = (left + width + gap, -ROW * target)
        add_dot(axes, *centre)
        ends.append(centre)
    for target in range(targets):
        axes.plot([ends[target][0], ends[target][0] + 0.08], [ends[target][1]] * 2, color=KEPT, lw=1.1, zorder=1)
    return [(x + 0.08, y) for x, y in ends]


def _fuse_layer(axes: Axes, left: float, target: int, branches: int) -> None:
    add_title(axes, left + 1.5, f"into branch {target + 1}")
    y = -ROW * 1.15 * target
    for source in range(branches):
        own = -ROW * 1.15 * source
        add_box(axes, left - 0.3, own, 0.55, str(source + 1), BRANCH_COLOURS[source])
        if source == target:
            text, colour = "as it is", KEPT
        elif source > target:
            text, colour = f"1x1, {2 ** (source - target)} times up", UP
        else:
            text, colour = ", ".join(["3x3 ↓2"] * (target - source)), DOWN
        add_arrow(axes, (left + 0.25, own), (left + 2.55, y), colour, text)
    add_dot(axes, left + 2.7, y, "+")
    axes.text(left + 2.72, y - 0.42, "ReLU", color=INK, ha="center", va="center", size=8)


def _residual(axes: Axes, left: float, name: str, enters: str, layers: Sequence[tuple[str, str]], colour: str) -> None:
    """A residual block from left to right, its shortcut above."""
    axes.text(left - 1.0, 1.75, name, size=11, weight="bold", color=INK, va="center")
    axes.text(left - 0.42, 0.14, enters, size=9, color=INK, ha="center")
    x = left
    add_arrow(axes, (left - 1.0, 0), (x, 0), INK)
    for index, (kernel, channels) in enumerate(layers):
        add_box(axes, x, 0, 1.15, kernel, colour, size=11)
        after = "norm" if index == len(layers) - 1 else "norm, ReLU"
        axes.text(x + 0.57, -0.52, after, size=8, color=INK, ha="center", va="center")
        add_arrow(axes, (x + 1.15, 0), (x + 1.95, 0), INK)
        axes.text(x + 1.5, 0.14, channels, size=9, color=INK, ha="center")
        x += 1.95
    _shortcut(axes, left - 0.72, x + 0.2)
    add_dot(axes, x + 0.2, 0, "+")
    add_arrow(axes, (x + 0.4, 0), (x + 1.1, 0), INK)
    axes.text(x + 0.75, -0.35, "ReLU", size=8, color=INK, ha="center", va="center")
    kernels = " and ".join(kernel for kernel, _ in layers) if len(layers) == 2 else ", ".join(k for k, _ in layers)
    axes.text(left - 1.0, -1.1, f"{kernels}; {enters} channels enter and leave", size=9, color=INK, va="center")


def _shortcut(axes: Axes, left: float, right: float) -> None:
    axes.plot([left, left, right], [0, 0.95, 0.95], color=KEPT, lw=1.4, zorder=1)
    add_arrow(axes, (right, 0.97), (right, 0.22), KEPT)
    axes.text((left + right) / 2, 1.15, "shortcut", size=8, color=KEPT, ha="center", va="center")


def _legend(axes: Axes, x: float, y: float) -> None:
    entries = (
        (KEPT, "as it is"),
        (FUSION_COLOUR, "3x3 convolution to another width"),
        (DOWN, "strided 3x3 convolutions, down"),
        (UP, "1x1 convolution, then up"),
    )
    for colour, text in entries:
        axes.plot([x, x + 0.5], [y, y], color=colour, lw=2)
        axes.text(x + 0.62, y, text, size=8.5, color=INK, va="center")
        x += 1.2 + 0.104 * len(text)
    add_dot(axes, x + 0.1, y)
    axes.text(x + 0.32, y, "sum and ReLU", size=8.5, color=INK, va="center")


def pictures() -> dict[str, Figure]:
    """All pictures by file name."""
    spec = find_arch("w32")
    return {
        "hrnet_w32.svg": draw_network(spec, (192, 256)),
        "blocks.svg": draw_blocks(),
        "fuse_layers.svg": draw_fusion(),
        "transitions.svg": draw_transitions(spec),
    }


def main() -> None:
    """Writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder (default docs/images)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures().items():
        (out / name).write_bytes(as_svg(figure))
        print(out / name)


if __name__ == "__main__":
    main()
