"""The suites by name: what each measures, and the table that it fills."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import ConfigError, nearest
from ..plans import Plan, Settings
from ..results import Report, Run, TargetLine
from . import accuracy, choices, gpu, plans, targets, test_tool
from .goals import Goal
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

    def table(self, report: Report, reasons: Mapping[str, str]) -> tuple[TargetLine, ...]:
        """Target and measured, line by line.

        Args:
            report: What was measured so far.
            reasons: By run, why it is not there.
        """
        return tuple(goal.line(report, reasons.get(goal.run, "not yet")) for goal in self.goals)


SUITES: Mapping[str, Suite] = {
    "targets": Suite(
        targets.GOALS,
        {
            "batch-1": plans.batch_one,
            "batch-8": plans.batch_eight,
            "training": plans.training_step,
            "training-memory": plans.training_memory,
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
