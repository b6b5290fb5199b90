"""Numbers of the walk-through about parts: blocks, branches, fuse layers, heads, widths."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from counted_networks import BRANCH_1, MIB, SIZE, Table, config_breakdown, counted, mib, percent
from receptive_fields import receptive_field

from hrnet_plugin import nets
from hrnet_plugin.archs import find_arch
from hrnet_plugin.inspection.breakdown import Breakdown, PartCost, break_down, summed
from hrnet_plugin.inspection.grouping import by_branch, by_part
from hrnet_plugin.inspection.places import FUSE, Place

#: Configs whose heads are compared, and what enters those.
HEADS = {"hrnet_w32_coco": "32", "hrnet_w18_cityscapes": "18 + 36 + 72 + 144 = 270"}


def numbers_of_parts() -> tuple[dict[str, str], dict[str, Table]]:
    """Values and tables by name."""
    published = {name: config_breakdown(name) for name in HEADS}
    pose, whole = published["hrnet_w32_coco"], counted("w32")
    blocks, block_values = _blocks()
    values = block_values | _branch_values(pose) | _fuse_values(whole) | _head_values(pose, whole)
    return values, {
        "blocks": blocks,
        "branches": _branches(whole),
        "fuse_parameters": _fuse_matrix(whole, lambda cost: f"{cost.parameters:,}"),
        "fuse_macs": _fuse_matrix(whole, lambda cost: f"{cost.macs / 1e6:.1f}"),
        "fuse_methods": _fuse_methods(),
        "heads": _heads(published),
        "widths": _widths(),
    }


def _blocks() -> tuple[Table, dict[str, str]]:
    """What one block costs at the size of branch 1."""
    blocks = {
        "basic_64": nets.blocks.BasicBlock(64, 64),
        "bottleneck": nets.blocks.Bottleneck(256, 64),
        "basic_256": nets.blocks.BasicBlock(256, 256),
    }
    costs = {name: break_down(block, BRANCH_1, block.in_channels).total for name, block in blocks.items()}
    rows = [
        [
            str(blocks[name].out_channels),
            f"{cost.parameters:,}",
            f"{cost.macs / 1e6:.1f}",
            mib(cost),
            f"{receptive_field(blocks[name])}",
        ]
        for name, cost in costs.items()
    ]
    small, wide, narrow = costs["bottleneck"], costs["basic_256"], costs["basic_64"]
    weights = sum(value.numel() for value in blocks["bottleneck"].parameters() if value.dim() == 4)
    plain = sum(value.numel() for value in blocks["basic_256"].parameters() if value.dim() == 4)
    return rows, {
        "bottleneck.times": f"{wide.macs / small.macs:.1f}",
        "bottleneck.saved": percent(wide.macs - small.macs, wide.macs),
        "bottleneck.weights": f"{weights:,}",
        "bottleneck.plain": f"{plain:,}",
        "bottleneck.memory": f"{small.activations / wide.activations:.2f}",
        "bottleneck.against_basic": percent(narrow.macs - small.macs, narrow.macs),
        "bottleneck.basic_memory": f"{small.activations / narrow.activations:.1f}",
    }


def _branches(whole: Breakdown) -> Table:
    """Each branch of one module of stage 4: four blocks."""
    rows = []
    for branch, channels in enumerate(find_arch("w32").out_channels):
        cost = whole.costs[Place("stage 4", "branch", 4, 0, branch)]
        size = f"{BRANCH_1[0] >> branch}x{BRANCH_1[1] >> branch}"
        rows.append(
            [str(4 << branch), size, str(channels), f"{cost.parameters:,}", f"{cost.macs / 1e6:.1f}", mib(cost)]
        )
    return rows


def _branch_values(pose: Breakdown) -> dict[str, str]:
    """Shares of the pose network: of the highest and the lowest branch, of fusion, of stem and stage 1."""
    total, branches, parts = pose.total, by_branch(pose.costs), by_part(pose.costs)
    high, low, entrance = branches["branch 1"], branches["branch 4"], parts["stem"] + parts["stage 1"]
    free = counted("w32").total.activations
    frozen = break_down(nets.HRNet(find_arch("w32"), frozen_stages=1), SIZE).total.activations
    return {
        "branch_1.parameters": percent(high.parameters, total.parameters),
        "branch_1.activations": percent(high.activations, total.activations),
        "branch_4.parameters": percent(low.parameters, total.parameters),
        "branch_4.activations": percent(low.activations, total.activations),
        "fusion.macs": percent(branches["fusion"].macs, total.macs),
        "entrance.parameters": percent(entrance.parameters, total.parameters),
        "entrance.macs": percent(entrance.macs, total.macs),
        "entrance.activations": percent(entrance.activations, total.activations),
        "frozen.activations": percent(free - frozen, free),
    }


def _fuse_path(target: int, source: int) -> str:
    if source == target:
        return "="
    return f"1x1 ↑{2 ** (source - target)}" if source > target else " ".join(["3x3 ↓2"] * (target - source))


def _fuse_costs(whole: Breakdown) -> dict[tuple[int, int], PartCost]:
    """The paths of the first module of stage 4, by target and source."""
    return {
        (place.branch, place.source): cost
        for place, cost in whole.costs.items()
        if place.kind == FUSE and (place.stage, place.module) == (4, 0) and place.source is not None
    }


def _fuse_matrix(whole: Breakdown, amount: Callable[[PartCost], str]) -> Table:
    """A row a target, a column a source, in a module of four branches."""
    costs = _fuse_costs(whole)
    return [
        [
            "=" if source == target else f"{_fuse_path(target, source)}: {amount(costs[target, source])}"
            for source in range(4)
        ]
        for target in range(4)
    ]


def _fuse_values(whole: Breakdown) -> dict[str, str]:
    costs = _fuse_costs(whole)
    up = summed(cost for (target, source), cost in costs.items() if source > target)
    down = summed(cost for (target, source), cost in costs.items() if source < target)
    # The same 1x1 convolutions, had they come after the enlargement: 4**halvings as many positions.
    late = sum(cost.macs * 4 ** (source - target) for (target, source), cost in costs.items() if source > target)
    return {
        "fuse.down_share": percent(down.parameters, down.parameters + up.parameters, 0),
        "fuse.up_macs": f"{up.macs / 1e6:.1f}",
        "fuse.late_macs": f"{late / 1e6:.1f}",
        "fuse.late_times": f"{late / up.macs:.1f}",
    }


def _fuse_methods() -> Table:
    rows = []
    for method in ("sum", "mean", "concat"):
        cost = counted("w32", fuse_method=method).total
        rows.append([f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e9:.3f}", f"{cost.activations / MIB:.1f}"])
    return rows


def _heads(published: Mapping[str, Breakdown]) -> Table:
    """The heads of the published pose and segmentation networks."""
    rows = []
    for name, breakdown in published.items():
        head, total = by_part(breakdown.costs)["head"], breakdown.total
        rows.append(
            [
                HEADS[name],
                f"{head.parameters:,}",
                percent(head.parameters, total.parameters),
                percent(head.macs, total.macs),
                percent(head.activations, total.activations),
            ]
        )
    return rows


def _head_values(pose: Breakdown, whole: Breakdown) -> dict[str, str]:
    """What the pose network leaves out since its head takes branch 1 alone: fuse layers of the last module."""
    unread = {place: cost for place, cost in whole.costs.items() if place not in pose.costs}
    unused = summed(unread.values())
    return {
        "head.unused_parameters": f"{unused.parameters:,}",
        "head.unused_share": percent(unused.parameters, whole.total.parameters),
    }


def _widths() -> Table:
    rows = []
    for arch in ("w18", "w32", "w48"):
        cost = counted(arch, multiscale_output=False).total
        channels = " / ".join(map(str, find_arch(arch).out_channels))
        rows.append(
            [channels, f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e9:.2f}", f"{cost.activations / MIB:.0f}"]
        )
    return rows
