"""The numbers of `docs/hrnet_explained.md` and its translations: computed by the package, written into the pages.

    python docs/scripts/explained_numbers.py            # print them
    python docs/scripts/explained_numbers.py --write    # put them into the pages

A number of the text stands between comments, `<!--NAME-->1,234<!---->`; the cells of a table, but for its head and
first column, follow `<!-- numbers: NAME -->`. `tests/docs/test_explained_numbers.py` computes all of them again and
refuses any other.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from receptive_fields import receptive_field
from torch import nn

from hrnet_plugin import nets
from hrnet_plugin.archs import find_arch
from hrnet_plugin.inspection.breakdown import Breakdown, PartCost, break_down, summed
from hrnet_plugin.inspection.grouping import by_branch, by_part
from hrnet_plugin.inspection.places import FUSE, Place

PAGES = ("hrnet_explained.md", "zh/hrnet_explained.md")
#: (width, height) of the published pose network's input, and of branch 1 in it.
SIZE, BRANCH_1 = (192, 256), (48, 64)
MIB = 2**20

#: Configs whose heads are compared, and what enters those.
HEADS = {"hrnet_w32_coco": "32", "hrnet_w18_cityscapes": "18 + 36 + 72 + 144 = 270"}

Table = list[list[str]]

_VALUE = re.compile(r"<!--(?P<name>[a-z][\w.]*)-->(?P<text>.*?)<!---->", re.DOTALL)
_TABLE = re.compile(r"<!-- numbers: (?P<name>\w+) -->\n\n(?P<head>\|.*\n\|.*\n)(?P<rows>(?:\|.*\n)+)")


def compute() -> tuple[dict[str, str], dict[str, Table]]:
    """All values by name, and all tables by name: a list of cells a row, without the first column."""
    published = {name: _config_breakdown(name) for name in HEADS}
    pose = published["hrnet_w32_coco"]
    whole = break_down(_network("w32"), SIZE)
    values: dict[str, str] = {}
    tables = {
        "branches": _branches(whole),
        "fuse_parameters": _fuse_matrix(whole, lambda cost: f"{cost.parameters:,}"),
        "fuse_macs": _fuse_matrix(whole, lambda cost: f"{cost.macs / 1e6:.1f}"),
        "fuse_methods": _fuse_methods(),
        "transitions": _transitions(),
        "equal_widths": _equal_widths(),
        "exchanges": _exchanges(),
        "receptive": _receptive(),
        "heads": _heads(published),
        "widths": _widths(),
    }
    tables["blocks"], block_values = _blocks()
    values |= block_values | _branch_values(pose) | _fuse_values(whole) | _transition_values() | _stage_values()
    values |= _head_values(pose, whole)
    return values, tables


def fill(markdown: str, values: Mapping[str, str], tables: Mapping[str, Table]) -> str:
    """A page with its values and tables as they were computed.

    Raises:
        KeyError: the page asks for a number that is not computed.
        ValueError: a table of the page has another number of rows.
    """

    def fill_table(match: re.Match[str]) -> str:
        rows, cells = match["rows"].splitlines(), tables[match["name"]]
        if len(rows) != len(cells):
            raise ValueError(f"table {match['name']}: found {len(rows)} rows, expected {len(cells)}")
        first = [row.split("|")[1].strip() for row in rows]
        filled = "".join(f"| {' | '.join([name, *row])} |\n" for name, row in zip(first, cells, strict=True))
        return f"<!-- numbers: {match['name']} -->\n\n{match['head']}{filled}"

    markdown = _TABLE.sub(fill_table, markdown)
    return _VALUE.sub(lambda match: f"<!--{match['name']}-->{values[match['name']]}<!---->", markdown)


def _network(arch: str, **choices: object) -> nets.HRNet:
    return nets.HRNet(find_arch(arch).with_choices(**choices))


def _percent(part: float, whole: float, digits: int = 1) -> str:
    return f"{100 * part / whole:.{digits}f} %"


def _mib(cost: PartCost) -> str:
    return f"{cost.activations / MIB:.2f}"


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
            _mib(cost),
            f"{receptive_field(blocks[name])}",
        ]
        for name, cost in costs.items()
    ]
    small, wide, narrow = costs["bottleneck"], costs["basic_256"], costs["basic_64"]
    weights = sum(value.numel() for value in blocks["bottleneck"].parameters() if value.dim() == 4)
    plain = sum(value.numel() for value in blocks["basic_256"].parameters() if value.dim() == 4)
    return rows, {
        "bottleneck.times": f"{wide.macs / small.macs:.1f}",
        "bottleneck.saved": _percent(wide.macs - small.macs, wide.macs),
        "bottleneck.weights": f"{weights:,}",
        "bottleneck.plain": f"{plain:,}",
        "bottleneck.memory": f"{small.activations / wide.activations:.2f}",
        "bottleneck.against_basic": _percent(narrow.macs - small.macs, narrow.macs),
        "bottleneck.basic_memory": f"{small.activations / narrow.activations:.1f}",
    }


def _branches(whole: Breakdown) -> Table:
    """Each branch of one module of stage 4: four blocks."""
    rows = []
    for branch, channels in enumerate(find_arch("w32").out_channels):
        cost = whole.costs[Place("stage 4", "branch", 4, 0, branch)]
        size = f"{BRANCH_1[0] >> branch}x{BRANCH_1[1] >> branch}"
        rows.append(
            [str(4 << branch), size, str(channels), f"{cost.parameters:,}", f"{cost.macs / 1e6:.1f}", _mib(cost)]
        )
    return rows


def _branch_values(pose: Breakdown) -> dict[str, str]:
    """What the branches have of the pose network."""
    values, total = {}, pose.total
    for name, cost in by_branch(pose.costs).items():
        short = name.replace("branch ", "branch_") if name.startswith("branch") else name.split(",")[0]
        values[f"{short}.parameters"] = _percent(cost.parameters, total.parameters)
        values[f"{short}.macs"] = _percent(cost.macs, total.macs)
        values[f"{short}.activations"] = _percent(cost.activations, total.activations)
    parts = by_part(pose.costs)
    entrance = parts["stem"] + parts["stage 1"]
    values["entrance.parameters"] = _percent(entrance.parameters, total.parameters)
    values["entrance.macs"] = _percent(entrance.macs, total.macs)
    values["entrance.activations"] = _percent(entrance.activations, total.activations)
    free, frozen = (
        break_down(nets.HRNet(find_arch("w32"), frozen_stages=stages), SIZE).total.activations for stages in (-1, 1)
    )
    values["frozen.activations"] = _percent(free - frozen, free)
    return values


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
    fusion = by_branch(whole.costs)["fusion"]
    # The same 1x1 convolutions, had they come after the enlargement: 4**halvings as many positions.
    late = sum(cost.macs * 4 ** (source - target) for (target, source), cost in costs.items() if source > target)
    return {
        "fuse.up_parameters": f"{up.parameters:,}",
        "fuse.down_parameters": f"{down.parameters:,}",
        "fuse.down_share": _percent(down.parameters, down.parameters + up.parameters, 0),
        "fuse.macs": _percent(fusion.macs, whole.total.macs),
        "fuse.parameters": _percent(fusion.parameters, whole.total.parameters),
        "fuse.up_macs": f"{up.macs / 1e6:.1f}",
        "fuse.late_macs": f"{late / 1e6:.1f}",
        "fuse.late_times": f"{late / up.macs:.1f}",
    }


def _fuse_methods() -> Table:
    rows = []
    for method in ("sum", "mean", "concat"):
        cost = break_down(_network("w32", multiscale_output=False, fuse_method=method), SIZE).total
        rows.append([f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e9:.3f}", f"{cost.activations / MIB:.1f}"])
    return rows


def _paths(transition: nn.ModuleList) -> Iterator[list[nn.Conv2d]]:
    """The convolutions of each path of a transition, of any implementation; a path may be None."""
    for path in transition:
        yield [] if path is None else [module for module in path.modules() if isinstance(module, nn.Conv2d)]


def _transitions() -> Table:
    """A row a path of W32."""
    network = _network("w32")
    rows = []
    for number in (1, 2, 3):
        before, after = (stage.out_channels for stage in find_arch("w32").stages[number - 1 : number + 1])
        for branch, convolutions in enumerate(_paths(getattr(network, f"transition{number}"))):
            source = min(branch, len(before) - 1)
            what = f"3x3 ↓{convolutions[0].stride[0]}" if convolutions and convolutions[0].stride[0] > 1 else "3x3"
            parameters = sum(value.numel() for value in getattr(network, f"transition{number}")[branch].parameters())
            widths = f"{before[source]} → {after[branch]}"
            rows.append([str(branch + 1), widths, what if convolutions else "=", f"{parameters:,}"])
    return rows


def _transition_values() -> dict[str, str]:
    network = _network("w32")
    paths = [convolutions for number in (1, 2, 3) for convolutions in _paths(getattr(network, f"transition{number}"))]
    cost = by_part(break_down(network, SIZE).costs)
    transitions = summed(cost[f"transition {number}"] for number in (1, 2, 3))
    total = summed(cost.values())
    return {
        "transition.paths": str(len(paths)),
        "transition.identities": str(sum(not convolutions for convolutions in paths)),
        "transition.convolutions": str(sum(bool(convolutions) for convolutions in paths)),
        "transition.parameters": _percent(transitions.parameters, total.parameters),
        "transition.macs": _percent(transitions.macs, total.macs),
        "transition.first_macs": _percent(cost["transition 1"].macs, total.macs),
        "transition.first_branch": f"{sum(value.numel() for value in network.transition1[0].parameters()):,}",
    }


#: A network whose widths are equal everywhere: 8 channels leave each block of each stage.
EQUAL = [(("BOTTLENECK", 2),), (("BASIC", 8),) * 2, (("BASIC", 8),) * 3, (("BASIC", 8),) * 4]


def equal_width_transitions(whose: str) -> list[nn.ModuleList]:
    """The three transitions of a network whose widths are equal everywhere, as an implementation builds them.

    Args:
        whose: `hrnet_plugin`, `timm`, or one of OpenMMLab's frameworks.
    """
    stages = {
        f"stage{number}": {
            "num_modules": 1,
            "num_branches": len(branches),
            "block": branches[0][0],
            "num_blocks": (1,) * len(branches),
            "num_channels": tuple(width for _, width in branches),
        }
        for number, branches in enumerate(EQUAL, start=1)
    }
    if whose == "hrnet_plugin":
        from hrnet_plugin.archs import read_extra

        network = nets.HRNet(read_extra(stages))
    elif whose == "timm":
        from timm.models.hrnet import HighResolutionNet

        rename = {"block": "block_type"}
        cfg = {name: {rename.get(key, key): value for key, value in stage.items()} for name, stage in stages.items()}
        for stage in cfg.values():
            stage["fuse_method"] = "SUM"
        network = HighResolutionNet(dict(stem_width=64, **cfg), head="")
    else:
        from importlib import import_module

        network = import_module(f"{whose}.models.backbones.hrnet").HRNet(extra=stages)
    return [network.transition1, network.transition2, network.transition3]


def _equal_widths() -> Table:
    """How many paths of existing and of new branches convolve at equal width, implementation by implementation."""
    rows = []
    for whose in ("hrnet_plugin", "mmpose", "mmseg", "mmdet", "mmpretrain", "timm"):
        existing, new = [], []
        for number, transition in enumerate(equal_width_transitions(whose), start=1):
            convolved = [bool(convolutions) for convolutions in _paths(transition)]
            existing += convolved[:number]
            new += convolved[number:]
        rows.append([f"{sum(existing)} / {len(existing)}", f"{sum(new)} / {len(new)}"])
    return rows


def _exchanges() -> Table:
    rows = []
    for stage in find_arch("w32").stages[1:]:
        branches = len(stage.branches)
        paths = branches**2
        rows.append([str(stage.num_modules), str(branches), str(paths), str(stage.num_modules * paths)])
    return rows


def _stage_values() -> dict[str, str]:
    stages = find_arch("w32").stages[1:]
    return {
        "exchange.modules": str(sum(stage.num_modules for stage in stages)),
        "exchange.paths": str(sum(stage.num_modules * len(stage.branches) ** 2 for stage in stages)),
        "receptive.fused": f"{_seen('w32', 4, 0):,}",
        "receptive.alone": f"{_seen('w32', 4, 0, exchange=False):,}",
    }


def _seen(arch: str, stage: int, branch: int, exchange: bool = True) -> int:
    """How many pixels across a position of a branch can see after a stage."""
    return receptive_field(_network(arch), stage=stage, branch=branch, exchange=exchange)


def _receptive() -> Table:
    """After each stage, in pixels of the image: branch 1, the same without fuse layers, the lowest branch without."""
    rows = []
    for stage in (1, 2, 3, 4):
        alone = (_seen("w32", stage, branch, exchange=False) for branch in (0, stage - 1))
        rows.append([f"{seen:,}" for seen in (_seen("w32", stage, 0), *alone)])
    return rows


def _config_breakdown(name: str) -> Breakdown:
    from hrnet_plugin.config_files import find_config, load_config
    from hrnet_plugin.zoo.figures import countable_model, read_input_size

    cfg = load_config(find_config(name))
    model, options, _ = countable_model(cfg)
    return break_down(model, read_input_size(cfg), 3, options)


def _heads(published: Mapping[str, Breakdown]) -> Table:
    """The heads of the published pose and segmentation networks."""
    rows = []
    for name, breakdown in published.items():
        head, total = by_part(breakdown.costs)["head"], breakdown.total
        rows.append(
            [
                HEADS[name],
                f"{head.parameters:,}",
                _percent(head.parameters, total.parameters),
                _percent(head.macs, total.macs),
                _percent(head.activations, total.activations),
            ]
        )
    return rows


def _head_values(pose: Breakdown, whole: Breakdown) -> dict[str, str]:
    """What the pose network leaves out since its head takes branch 1 alone: fuse layers of the last module."""
    unread = {place: cost for place, cost in whole.costs.items() if place not in pose.costs}
    unused = summed(unread.values())
    return {
        "head.unused_parameters": f"{unused.parameters:,}",
        "head.unused_share": _percent(unused.parameters, whole.total.parameters),
        "head.unused_macs": _percent(unused.macs, whole.total.macs),
    }


def _widths() -> Table:
    rows = []
    for arch in ("w18", "w32", "w48"):
        cost = break_down(_network(arch, multiscale_output=False), SIZE).total
        channels = " / ".join(map(str, find_arch(arch).out_channels))
        rows.append(
            [channels, f"{cost.parameters / 1e6:.2f}", f"{cost.macs / 1e9:.2f}", f"{cost.activations / MIB:.0f}"]
        )
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the numbers, or writes them into the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put them into the pages")
    write = parser.parse_args(argv).write
    values, tables = compute()
    if not write:
        for name, value in values.items():
            print(f"{name:<28} {value}")
        for name, rows in tables.items():
            print(f"\n{name}", *(" | ".join(row) for row in rows), sep="\n  ")
        return
    for name in PAGES:
        page = Path(__file__).resolve().parent.parent / name
        page.write_text(fill(page.read_text(encoding="utf-8"), values, tables), encoding="utf-8")


if __name__ == "__main__":
    main()
