"""Networks of the walk-through, built and counted once each, and how amounts of them are written."""

from __future__ import annotations

import functools

from hrnet_plugin import nets
from hrnet_plugin.archs import find_arch
from hrnet_plugin.inspection.breakdown import Breakdown, PartCost, break_down

#: (width, height) of the published pose network's input, and of branch 1 in it.
SIZE, BRANCH_1 = (192, 256), (48, 64)
MIB = 2**20

#: The cells of a table, row by row, without the first column.
Table = list[list[str]]


@functools.cache
def network(arch: str, **choices: object) -> nets.HRNet:
    """A preset with other choices."""
    return nets.HRNet(find_arch(arch).with_choices(**choices))


@functools.cache
def counted(arch: str, **choices: object) -> Breakdown:
    """Its costs at `SIZE`."""
    return break_down(network(arch, **choices), SIZE)


def config_breakdown(name: str) -> Breakdown:
    """The costs of a config's whole model at its own size."""
    from hrnet_plugin.config_files import find_config, load_config
    from hrnet_plugin.zoo.figures import countable_model, read_input_size

    cfg = load_config(find_config(name))
    model, options, _ = countable_model(cfg)
    return break_down(model, read_input_size(cfg), 3, options)


def percent(part: float, whole: float, digits: int = 1) -> str:
    """A share in percent."""
    return f"{100 * part / whole:.{digits}f} %"


def mib(cost: PartCost) -> str:
    """Activations in MiB."""
    return f"{cost.activations / MIB:.2f}"
