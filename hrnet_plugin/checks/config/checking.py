"""All checks of a config, one after the other; none of them stops the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hrnet_plugin.findings import NOTE, Finding, worst_first
from hrnet_plugin.wording import in_short

from .architecture import check_architecture, check_channels
from .batches import check_batch_norms, check_loaders
from .classes import check_classes, check_ignored
from .copies import check_copies, options_without_effect
from .evaluation import check_best, check_evaluation
from .keypoints import check_keypoints
from .kinds import check_kinds
from .metainfo import check_keypoint_descriptions
from .normalising import check_normalisation
from .optimizing import check_optimizing
from .pipelines import check_pipelines
from .run_config import RunConfig
from .schedule import check_intervals, check_learning_rate, check_schedulers
from .sections import check_sections
from .sizes import check_pose_sizes, check_segmentation_sizes
from .types import check_types
from .values import check_values
from .weights import check_weights

if TYPE_CHECKING:
    from mmengine.config import Config

Check = Callable[[RunConfig], Iterator[Finding]]
#: In the order in which findings of one level are told: what stops a run at once before what spoils it later.
CHECKS: tuple[Check, ...] = (
    check_kinds,
    check_sections,
    check_types,
    check_architecture,
    check_channels,
    check_values,
    check_loaders,
    check_pipelines,
    check_keypoint_descriptions,
    check_keypoints,
    check_classes,
    check_ignored,
    check_pose_sizes,
    check_segmentation_sizes,
    check_normalisation,
    check_evaluation,
    check_best,
    check_schedulers,
    check_intervals,
    check_learning_rate,
    check_optimizing,
    check_weights,
    check_batch_norms,
    check_copies,
)


def check_config(cfg: Config, options: Sequence[str] = ()) -> list[Finding]:
    """Everything that can be said about a config without its data: worst first, each thing once.

    Nothing is read but the config and the frameworks, nothing is written, and `cfg` stays as it is.

    Args:
        cfg: A config of one of the four frameworks, as `config_files.load_config` reads it.
        options: The `key=value` pairs that were put into it, to tell those that change nothing.

    Example:
        >>> from hrnet_plugin.config_files import find_config, load_config
        >>> from hrnet_plugin.findings import errors_in
        >>> errors_in(check_config(load_config(find_config("quickstart_pose"))))
        []
    """
    from mmengine.registry import DefaultScope

    from hrnet_plugin.zoo.quiet import quiet

    from .scope import read_scope

    with quiet():
        scope, framework, findings = read_scope(cfg)
        with DefaultScope.overwrite_default_scope(scope):
            run = RunConfig(cfg, framework)
            for check in CHECKS:
                findings += _guarded(check, run)
            findings = _without_consequences(findings, run)
    return worst_first(merged([*findings, *options_without_effect(options)]))


def _guarded(check: Check, run: RunConfig) -> list[Finding]:
    found: list[Finding] = []
    try:
        found.extend(check(run))
    except Exception as error:  # a config that no one thought of: the other checks still hold
        name = check.__name__.removeprefix("check_").replace("_", " ")
        what = f"{type(error).__name__} ({in_short(error)})"
        found.append(Finding(NOTE, "not-checked", f"the check of {name}", what, do="The rest was checked"))
    return found


def _without_consequences(findings: list[Finding], run: RunConfig) -> list[Finding]:
    """Less what is told at or below a value of the wrong kind: there is nothing of what the checks look for."""
    wrong = {finding.where for finding in run.kind_findings}
    below = tuple(f"{key}." for key in wrong)
    return [
        one
        for one in findings
        if one in run.kind_findings or (one.where not in wrong and not one.where.startswith(below))
    ]


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """What was found alike in several places, as one finding: in val and test for one, with the others as examples."""
    groups: dict[tuple, list[Finding]] = {}
    for finding in findings:
        same = (finding.level, finding.check, finding.found, finding.expected, finding.do)
        groups.setdefault(same, []).append(finding)
    result = []
    for group in groups.values():
        keys = list(dict.fromkeys(finding.where for finding in group))
        examples = (*group[0].examples, *(f"the same at {key}" for key in keys[1:]))
        result.append(replace(group[0], count=len(keys), examples=examples))
    return result
