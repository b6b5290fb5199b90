"""What gathers the numbers of one task, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mmengine.evaluator import Evaluator

from ...reports.test_report.report import Example, TaskResult


@dataclass(frozen=True)
class Findings:
    """What a collector ends with.

    Args:
        task: The numbers, or None where there are none.
        missing: Why there are none, or which of them are missing, a sentence each.
        examples: Drawn pictures, by the names of the task's lists of cases.
        data: What was tested, in a few words.
    """

    task: TaskResult | None
    missing: Sequence[str] = ()
    examples: Mapping[str, Sequence[Example]] = field(default_factory=dict)
    data: str = ""


class Collector(Protocol):
    """Gathers on each rank, and is joined on the first."""

    def watch(self, evaluator: Evaluator, merged: bool) -> None:
        """Looks at the evaluator before the test; `merged`: the model merges augmented images (`--tta`)."""

    def add(self, sample: Any) -> None:
        """Takes what it needs of one tested sample."""

    def state(self) -> Any:
        """What this rank has gathered, to be sent to the first."""

    def join(self, states: Sequence[Any]) -> None:
        """On the first rank: takes what all ranks have gathered, its own among them."""

    def findings(self, metainfo: Mapping[str, Any], metrics: Mapping[str, float]) -> Findings:
        """On the first rank: figures and pictures.

        Args:
            metainfo: Of the data set.
            metrics: Of the evaluator.
        """
