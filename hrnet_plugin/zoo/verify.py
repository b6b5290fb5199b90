"""The proof of the zoo, model by model: resolved, forward, trained."""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mmengine.config import Config, ConfigDict

from ..compat.inventory import installed
from ..errors import MissingDependency, find_user_error
from ..plain import plain
from .forward import Comparison, compare_models
from .index import ZooModel
from .resolve import differences, upstream_path

STEPS = ("resolved", "forward", "trained")
PASSED, FAILED, NEEDS_MMCV, NONE = "passed", "failed", "needs full mmcv", "-"


@dataclass
class Verdict:
    """What was found out about one model.

    Args:
        name: The model.
        framework: Whose model it is.
        resolved, forward, trained: `passed`, `failed`, `needs full mmcv`, or `-` where there was nothing to do.
        comparison: The two models side by side.
        kind: What was trained: task, head, data set.
        findings: One line each for what failed or could not be done.
    """

    name: str
    framework: str | None
    resolved: str = NONE
    forward: str = NONE
    trained: str = NONE
    comparison: Comparison | None = None
    kind: str = ""
    findings: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether any step failed."""
        return FAILED in (self.resolved, self.forward, self.trained)


class Verifier:
    """Verifies models one after the other; models that are the same network are compared once.

    Args:
        folder: Where the generated data are written.
        steps: Which of `resolved`, `forward`, `trained` to do.
        tolerance: The largest difference between two outputs that counts as equal.
    """

    def __init__(self, folder: Path, steps: Sequence[str] = STEPS, tolerance: float = 0.0):
        self.folder = folder
        self.steps = tuple(steps)
        self.tolerance = tolerance
        self._compared: dict[str, Comparison | Exception] = {}
        self._trained: dict[str, Exception | None] = {}

    def verify(self, models: Iterable[ZooModel]) -> Iterator[Verdict]:
        """The verdict on each model, as soon as it is there."""
        for model in models:
            with _quiet():
                verdict = self._verify_one(model)
            yield verdict

    def _verify_one(self, model: ZooModel) -> Verdict:
        verdict = Verdict(model.name, model.framework)
        ours = self._attempt(verdict, "resolved", lambda: Config.fromfile(str(model.config)))
        theirs = None
        if ours is not None and model.upstream:
            theirs = self._attempt(verdict, "resolved", lambda: Config.fromfile(str(upstream_path(model))))
        if theirs is not None and "resolved" in self.steps:
            found = differences(ours, theirs, model.differs)
            verdict.resolved = FAILED if found else PASSED
            verdict.findings += found
        if ours is not None and self.steps != ("resolved",):
            self._run(verdict, model, ours, theirs)
        return verdict

    def _run(self, verdict: Verdict, model: ZooModel, ours: Config, theirs: Config | None) -> None:
        from .miniature import with_miniature_data

        small = self._attempt(verdict, "forward", lambda: with_miniature_data(ours, self.folder))
        if small is not None and theirs is not None and "forward" in self.steps:
            self._compare(verdict, model, small, theirs)
        if small is not None and "trained" in self.steps:
            self._train(verdict, small)

    def _compare(self, verdict: Verdict, model: ZooModel, ours: Config, theirs: Config) -> None:
        with_loss = not model.differs

        def comparison() -> Comparison:
            return self._once(self._compared, _same_network(ours, theirs), lambda: _compare(ours, theirs, with_loss))

        verdict.comparison = self._attempt(verdict, "forward", comparison)
        if verdict.comparison is None:
            return
        found = verdict.comparison
        verdict.forward = PASSED
        if found.parameters != found.upstream_parameters:
            verdict.forward = FAILED
            verdict.findings.append(f"{found.parameters} parameters, upstream {found.upstream_parameters}")
        if not found.largest <= self.tolerance:
            verdict.forward = FAILED
            verdict.findings.append(f"prediction differs by {found.prediction}, loss by {found.loss}")

    def _train(self, verdict: Verdict, cfg: Config) -> None:
        from .train_step import kind_of, train_one_step

        verdict.kind = kind_of(cfg)
        if verdict.kind in self._trained:
            return

        def train() -> bool:
            return self._once(self._trained, verdict.kind, lambda: train_one_step(cfg)) is not None

        if self._attempt(verdict, "trained", train):
            verdict.trained = PASSED

    def _attempt(self, verdict: Verdict, step: str, action: Callable):
        """The result of `action`, or None with what went wrong in the verdict."""
        try:
            return action()
        except Exception as error:  # a config or a model may fail in any way; the others are still to be looked at
            mistake = find_user_error(error)
            needs_mmcv = isinstance(mistake, MissingDependency) and "mmcv" in mistake.what
            setattr(verdict, step, NEEDS_MMCV if needs_mmcv else FAILED)
            verdict.findings.append(f"{step}: {mistake or f'{type(error).__name__}: {error}'}")
            return None

    @staticmethod
    def _once(memory: dict, key: str, action: Callable):
        """The remembered result of `action`, or its error raised again."""
        if key not in memory:
            try:
                memory[key] = action()
            except Exception as error:
                memory[key] = error
        if isinstance(memory[key], Exception):
            raise memory[key]
        return memory[key]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the frameworks' notes: building and initialising a model prints a line for each of its parameters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _compare(ours: Config, theirs: Config, with_loss: bool) -> Comparison:
    from .miniature import first_batch, with_small_sizes

    train_batch = first_batch(ours, "train_dataloader") if with_loss else None
    val_batch = first_batch(ours, "val_dataloader")
    return compare_models(_model(ours), with_small_sizes(_model(theirs)), ours.default_scope, val_batch, train_batch)


def _model(cfg: Config) -> ConfigDict:
    """The model as the runner builds it, its preprocessor from the config's top where it stands there."""
    model = copy.deepcopy(cfg.model)
    if cfg.get("data_preprocessor"):
        model.setdefault("data_preprocessor", copy.deepcopy(cfg.data_preprocessor))
    return model


def _same_network(ours: Config, theirs: Config) -> str:
    return json.dumps([plain(_model(ours)), plain(_model(theirs))], sort_keys=True, default=str)


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
