"""What was found out about the models of the zoo, and its sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..compat.inventory import installed
from .forward import Comparison

STEPS = ("resolved", "forward", "trained")
PASSED, FAILED, NEEDS_MMCV, NONE = "passed", "failed", "needs full mmcv", "-"


@dataclass(frozen=True)
class Outcome:
    """What came of one step.

    Args:
        state: `passed`, `failed` or `needs full mmcv`.
        line: What went wrong, in one line.
        result: What the step gave; None where it did not pass.
    """

    state: str
    line: str = ""
    result: Any = None


@dataclass
class Verdict:
    """What was found out about one model.

    Args:
        name: The model.
        framework: Whose model it is.
        resolved, forward, trained: `passed`, `failed`, `needs full mmcv`, or `-` where there was nothing to do.
        comparison: The two models side by side.
        network: The model that was run in the comparison: itself, or the first one of the very same network.
        kind: What was trained: task, head, data set.
        findings: One line each for what failed or could not be done.
    """

    name: str
    framework: str | None
    resolved: str = NONE
    forward: str = NONE
    trained: str = NONE
    comparison: Comparison | None = None
    network: str = ""
    kind: str = ""
    findings: list[str] = field(default_factory=list)

    def note(self, step: str, outcome: Outcome) -> Any:
        """Keeps what came of a step, and gives its result."""
        setattr(self, step, outcome.state)
        if outcome.line:
            self.findings.append(f"{step}: {outcome.line}")
        return outcome.result

    def fail(self, step: str, line: str) -> None:
        """Marks a step as failed, and says why."""
        setattr(self, step, FAILED)
        self.findings.append(f"{step}: {line}")

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return FAILED in (self.resolved, self.forward, self.trained)


def environment() -> str:
    """`mmcv` or `mmcv-lite`, whichever is installed, with its version."""
    found = installed("mmcv-lite")
    return " ".join(found[0]) if found else "no mmcv"


def report(verdicts: Sequence[Verdict]) -> dict:
    """The verdicts as plain values: totals, the largest difference of each framework, and every row."""
    frameworks = sorted({verdict.framework for verdict in verdicts if verdict.framework})
    compared = [verdict for verdict in verdicts if verdict.comparison is not None]
    return {
        "environment": environment(),
        "models": len(verdicts),
        **{step: _totals(verdicts, step) for step in STEPS},
        "networks_compared": len({verdict.network for verdict in compared}),
        "largest_difference": {
            name: max(verdict.comparison.largest for verdict in compared if verdict.framework == name)
            for name in frameworks
            if any(verdict.framework == name for verdict in compared)
        },
        "rows": [asdict(verdict) for verdict in verdicts],
    }


def _totals(verdicts: Sequence[Verdict], step: str) -> dict[str, int]:
    states = [getattr(verdict, step) for verdict in verdicts]
    return {state: states.count(state) for state in (PASSED, FAILED, NEEDS_MMCV) if state in states}
