"""The proof of the zoo, model by model: resolved, forward, trained."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from mmengine.config import Config

from ..errors import MissingDependency, find_user_error
from ..plain import plain
from ..published.index import ZooModel
from .forward import Comparison, compare_models, model_config
from .quiet import quiet
from .report import FAILED, NEEDS_MMCV, NONE, PASSED, STEPS, Outcome, Verdict
from .resolve import differences, upstream_path


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
        self._compared: dict[str, tuple[str, Outcome]] = {}
        self._trained: set[str] = set()

    def verify(self, models: Iterable[ZooModel]) -> Iterator[Verdict]:
        """The verdict on each model, as soon as it is there."""
        gc.freeze()  # what is there now is not walked through again and again
        try:
            for model in models:
                with quiet():
                    verdict = self._verify_one(model)
                gc.collect()  # models hold themselves in cycles, and the next ones need the room
                yield verdict
        finally:
            gc.unfreeze()

    def _verify_one(self, model: ZooModel) -> Verdict:
        verdict = Verdict(model.name, model.framework)
        ours = verdict.note("resolved", _attempt(lambda: Config.fromfile(str(model.config))))
        theirs = None
        if ours is not None and model.upstream:
            theirs = verdict.note("resolved", _attempt(lambda: Config.fromfile(str(upstream_path(model)))))
        if theirs is not None and "resolved" in self.steps:
            compared = _attempt(lambda: differences(ours, theirs, model.differs))
            verdict.note("resolved", compared)
            for line in compared.result or ():
                verdict.fail("resolved", line)
        elif verdict.resolved == PASSED:
            verdict.resolved = NONE
        if ours is not None and self.steps != ("resolved",):
            self._run(verdict, model, ours, theirs)
        return verdict

    def _run(self, verdict: Verdict, model: ZooModel, ours: Config, theirs: Config | None) -> None:
        from .miniature import with_miniature_data

        small = _attempt(lambda: with_miniature_data(ours, self.folder))
        if small.result is None:
            verdict.note("forward", small)
            return
        if theirs is not None and "forward" in self.steps:
            self._compare(verdict, model, small.result, theirs)
        if "trained" in self.steps:
            self._train(verdict, small.result)

    def _compare(self, verdict: Verdict, model: ZooModel, ours: Config, theirs: Config) -> None:
        key = _same_network(ours, theirs)
        if key not in self._compared:
            self._compared[key] = model.name, _attempt(lambda: _compare(ours, theirs, with_loss=not model.differs))
        verdict.network, outcome = self._compared[key]
        found = verdict.comparison = verdict.note("forward", outcome)
        if found is None:
            return
        if found.parameters != found.upstream_parameters:
            verdict.fail("forward", f"{found.parameters} parameters, upstream {found.upstream_parameters}")
        if not found.largest <= self.tolerance:
            verdict.fail("forward", f"prediction differs by {found.prediction}, loss by {found.loss}")

    def _train(self, verdict: Verdict, cfg: Config) -> None:
        from .train_step import kind_of, train_one_step

        verdict.kind = kind_of(cfg)
        if verdict.kind not in self._trained:
            self._trained.add(verdict.kind)
            verdict.note("trained", _attempt(lambda: train_one_step(cfg)))


def _attempt(action: Callable[[], object]) -> Outcome:
    """What came of `action`; of an error its words alone, since its trace would keep whole models alive."""
    try:
        return Outcome(PASSED, result=action())
    except Exception as error:  # a config or a model may fail in any way; the others are still to be looked at
        mistake = find_user_error(error)
        needs_mmcv = isinstance(mistake, MissingDependency) and "mmcv" in mistake.what
        line = str(mistake or f"{type(error).__name__}: {error}")
        return Outcome(NEEDS_MMCV if needs_mmcv else FAILED, line)


def _compare(ours: Config, theirs: Config, with_loss: bool) -> Comparison:
    from .miniature import first_batch, with_small_sizes

    train_batch = first_batch(ours, "train_dataloader") if with_loss else None
    val_batch = first_batch(ours, "val_dataloader")
    return compare_models(
        model_config(ours), with_small_sizes(model_config(theirs)), ours.default_scope, val_batch, train_batch
    )


def _same_network(ours: Config, theirs: Config) -> str:
    return json.dumps([plain(model_config(ours)), plain(model_config(theirs))], sort_keys=True, default=str)
