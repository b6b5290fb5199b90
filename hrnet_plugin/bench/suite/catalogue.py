"""The suites by name: what each measures, and the table that it fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import ConfigError, nearest
from ..plans import Plan, Settings
from ..results import Report, Run, TargetLine
from ..subjects import TRAINING, Network
from . import accuracy, choices, gpu, plans, targets, test_tool
from .goals import Goal
from .subjects import w32
from .whole_processes import Given

Tool = Callable[[Given, Settings, Callable[[str], None]], Run]


@dataclass(frozen=True)
class Suite:
    """A table of targets, and the runs from which it is read.

    Args:
        goals: The table's lines.
        plans: What is measured by turns in fresh processes, by the run's name.
        tools: Whole processes of test tools, which need weights and images; by the run's name.
        device: On which it runs.
    """

    goals: tuple[Goal, ...]
    plans: Mapping[str, Callable[[], Plan]]
    tools: Mapping[str, Tool] = field(default_factory=dict)
    device: str = "cpu"

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of rows, in the table's order."""
        return tuple(dict.fromkeys(goal.row for goal in self.goals))

    def only(self, rows: Sequence[str]) -> Suite:
        """The part of these rows; all where none is named.

        Raises:
            ConfigError: there is no such row.
        """
        for row in rows:
            if row not in self.rows:
                raise ConfigError(f"--rows {row}", found="no such row", do=nearest(row, self.rows))
        goals = tuple(goal for goal in self.goals if not rows or goal.row in rows)
        runs = {goal.run for goal in goals}
        chosen = {name: plan for name, plan in self.plans.items() if name in runs}
        return Suite(goals, chosen, {name: tool for name, tool in self.tools.items() if name in runs}, self.device)

    def make_plans(self, given: Given) -> list[Plan]:
        """What is measured; W32 with the weights that are given, where it is the network that they are for."""
        plans = [make() for make in self.plans.values()]
        if given.checkpoint is None:
            return plans
        return [_with_weights(plan, str(given.checkpoint.resolve())) for plan in plans]

    def processes_of(self, tool: str, settings: Settings) -> int:
        """How many processes a tool's run has."""
        return 1 if tool == accuracy.NAME else settings.processes

    def table(self, report: Report, reasons: Mapping[str, str]) -> tuple[TargetLine, ...]:
        """Target and measured, line by line.

        Args:
            report: What was measured so far.
            reasons: By run, why it is not there.
        """
        return tuple(goal.line(report, reasons.get(goal.run, "not yet")) for goal in self.goals)


def _with_weights(plan: Plan, checkpoint: str) -> Plan:
    """A plan whose W32 has the weights of a checkpoint."""
    own = [network.key for network in w32()]

    def trained(network: Network | None) -> Network | None:
        if network is None or network.key not in own:
            return network
        return replace(network, checkpoint=checkpoint)

    subjects = (
        replace(one, network=trained(one.network), reference=trained(one.reference)) if one.role != TRAINING else one
        for one in plan.subjects
    )
    return replace(plan, subjects=tuple(subjects))


SUITES: Mapping[str, Suite] = {
    "targets": Suite(
        targets.GOALS,
        {
            "batch-1": plans.batch_one,
            "batch-8": plans.batch_eight,
            "training": plans.training_step,
            "training-memory": plans.training_memory,
            "training-options": plans.training_options,
            "decoding": plans.decoding_run,
            "segmentation": plans.segmentation_run,
            "growth": plans.growth,
            "structure": plans.structure,
            "choices": choices.choices,
        },
        {test_tool.NAME: test_tool.run_test_tool, accuracy.NAME: accuracy.run_accuracy},
    ),
    "gpu": Suite(targets.GPU_GOALS, {"gpu-latency": gpu.latency, "gpu-training": gpu.throughput}, device="cuda"),
}


def find_suite(name: str) -> Suite:
    """The suite of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in SUITES:
        raise ConfigError(f"--suite {name}", found="no such suite", do=nearest(name, SUITES))
    return SUITES[name]
