"""Numbers of the walk-through about paths: transitions, how often branches meet, how far a position sees."""

from __future__ import annotations

from collections.abc import Iterator

from counted_networks import Table, counted, network, percent
from receptive_fields import receptive_field
from torch import nn

from hrnet_plugin import nets
from hrnet_plugin.archs import find_arch
from hrnet_plugin.inspection.breakdown import Breakdown
from hrnet_plugin.inspection.grouping import by_part


def numbers_of_paths() -> tuple[dict[str, str], dict[str, Table]]:
    """Values and tables by name."""
    return _transition_values(counted("w32")) | _stage_values(), {
        "transitions": _transitions(),
        "equal_widths": _equal_widths(),
        "exchanges": _exchanges(),
        "receptive": _receptive(),
    }


def _paths(transition: nn.ModuleList) -> Iterator[list[nn.Conv2d]]:
    """The convolutions of each path of a transition, of any implementation; a path may be None."""
    for path in transition:
        yield [] if path is None else [module for module in path.modules() if isinstance(module, nn.Conv2d)]


def _transitions() -> Table:
    """A row a path of W32."""
    w32 = network("w32")
    rows = []
    for number in (1, 2, 3):
        before, after = (stage.out_channels for stage in find_arch("w32").stages[number - 1 : number + 1])
        for branch, convolutions in enumerate(_paths(getattr(w32, f"transition{number}"))):
            source = min(branch, len(before) - 1)
            what = f"3x3 ↓{convolutions[0].stride[0]}" if convolutions and convolutions[0].stride[0] > 1 else "3x3"
            parameters = sum(value.numel() for value in getattr(w32, f"transition{number}")[branch].parameters())
            widths = f"{before[source]} → {after[branch]}"
            rows.append([str(branch + 1), widths, what if convolutions else "=", f"{parameters:,}"])
    return rows


def _transition_values(whole: Breakdown) -> dict[str, str]:
    w32 = network("w32")
    paths = [convolutions for number in (1, 2, 3) for convolutions in _paths(getattr(w32, f"transition{number}"))]
    first = by_part(whole.costs)["transition 1"]
    return {
        "transition.paths": str(len(paths)),
        "transition.identities": str(sum(not convolutions for convolutions in paths)),
        "transition.convolutions": str(sum(bool(convolutions) for convolutions in paths)),
        "transition.first_macs": percent(first.macs, whole.total.macs),
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
    return receptive_field(network(arch), stage=stage, branch=branch, exchange=exchange)


def _receptive() -> Table:
    """After each stage, in pixels of the image: branch 1, the same without fuse layers, the lowest branch without."""
    rows = []
    for stage in (1, 2, 3, 4):
        alone = (_seen("w32", stage, branch, exchange=False) for branch in (0, stage - 1))
        rows.append([f"{seen:,}" for seen in (_seen("w32", stage, 0), *alone)])
    return rows
