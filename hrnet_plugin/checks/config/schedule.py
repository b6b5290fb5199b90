"""The learning rate over the training, and what happens every so often, against how long the training is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding

from .keys import join
from .run_config import Loop, RunConfig

SCHEDULE = "schedule"
INTERVALS = "intervals"
_WARM_UPS = ("LinearLR", "ConstantLR")
#: Adam's kind: steps of about the learning rate itself, whatever the gradient's size.
_ADAPTIVE = ("Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Lamb", "Lion")


def check_schedulers(run: RunConfig) -> Iterator[Finding]:
    """Warm-up, milestones and ends within the training, counted in its unit."""
    loop = run.loop
    if loop is None or loop.length is None:
        return
    for key, node in run.schedulers:
        yield from _unit(key, node, loop)
        yield from _reach(key, node, loop)


def _unit(key: str, node: Mapping[str, Any], loop: Loop) -> Iterator[Finding]:
    by_epoch = node.get("by_epoch", True)
    if node.get("convert_to_iter_based") and not by_epoch:
        found = "True with by_epoch=False"
        yield Finding(ERROR, SCHEDULE, join(key, "convert_to_iter_based"), found, "by_epoch=True", "Drop it")
    if by_epoch and not loop.by_epoch:
        said = "True" if "by_epoch" in node else "nothing, which is True"
        do = "An iteration-based training has one epoch, at whose end the scheduler would act once"
        yield Finding(ERROR, SCHEDULE, join(key, "by_epoch"), said, "False", do)
    milestones = node.get("milestones")
    has_marks = isinstance(milestones, (list, tuple)) and milestones
    if not by_epoch and loop.by_epoch and has_marks and max(milestones) <= loop.length:
        found = f"False, with milestones {list(milestones)} within {loop.length} epochs"
        do = "Counted in iterations, the learning rate falls at the very beginning"
        yield Finding(ERROR, SCHEDULE, join(key, "by_epoch"), found, "True", do)


def _reach(key: str, node: Mapping[str, Any], loop: Loop) -> Iterator[Finding]:
    if node.get("by_epoch", True) != loop.by_epoch:
        return  # an epoch's number of iterations is not known without the data
    length, unit = loop.length, loop.unit
    begin, end, milestones = node.get("begin", 0), node.get("end"), node.get("milestones")
    if isinstance(begin, int) and begin >= length:
        found = f"{begin}, when the training of {length} {unit} has ended"
        yield Finding(NOTE, SCHEDULE, join(key, "begin"), found, "an earlier begin", f"Or raise {loop.key}")
        return
    if isinstance(milestones, (list, tuple)) and milestones:
        late = [mark for mark in milestones if mark >= length]
        if len(late) == len(milestones):
            found = f"{list(milestones)}, all after the {length} {unit} of the training"
            do = f"The learning rate never falls: lower them, or raise {loop.key}"
            yield Finding(ERROR, SCHEDULE, join(key, "milestones"), found, f"milestones before {length}", do)
        elif late:
            found = f"{late[0]}, after the {length} {unit} of the training"
            yield Finding(NOTE, SCHEDULE, join(key, "milestones"), found, f"milestones before {length}")
    elif isinstance(end, int) and end > length:
        is_warm_up = type_name(node) in _WARM_UPS and begin == 0
        do = f"The learning rate never gets to where it should: lower end, or raise {loop.key}"
        found = f"{end}, after the {length} {unit} of the training"
        level = ERROR if is_warm_up else NOTE
        yield Finding(level, SCHEDULE, join(key, "end"), found, f"at most {length}", do)
    period = node.get("T_max")
    if isinstance(period, int) and isinstance(end, int) and period < (end - begin) * 0.9:
        do = "After it, the learning rate rises again"
        yield Finding(NOTE, SCHEDULE, join(key, "T_max"), str(period), f"{end - begin}, from begin to end", do)


def check_intervals(run: RunConfig) -> Iterator[Finding]:
    """How long the training is, and how often is validated, saved and logged."""
    loop = run.loop
    if loop is None:
        return
    if loop.length is None:
        yield from _length(run, loop)
        return
    yield from _validations(run, loop)
    for key, hook in run.hooks("CheckpointHook"):
        yield from _checkpoints(key, hook, loop)
    for key, hook in run.hooks("LoggerHook"):
        if "log_metric_by_epoch" in hook and bool(hook["log_metric_by_epoch"]) != loop.by_epoch:
            found = f"{hook['log_metric_by_epoch']} in a training counted in {loop.unit}"
            yield Finding(NOTE, INTERVALS, join(key, "log_metric_by_epoch"), found, str(loop.by_epoch))
    processor = run.get("log_processor")
    if isinstance(processor, Mapping) and bool(processor.get("by_epoch", True)) != loop.by_epoch:
        said = str(processor["by_epoch"]) if "by_epoch" in processor else "nothing, which is True"
        do = "Logs would count in another unit than the training"
        yield Finding(NOTE, INTERVALS, "log_processor.by_epoch", said, str(loop.by_epoch), do)


def _length(run: RunConfig, loop: Loop) -> Iterator[Finding]:
    """What is no length of a training; mmengine takes whole numbers that are written with a point."""
    given = run.get(loop.key)
    is_whole = isinstance(given, float) and given > 0 and given.is_integer()
    if given is not None and not is_whole:
        yield Finding(ERROR, SCHEDULE, loop.key, repr(given), "a whole number of at least 1")


def _validations(run: RunConfig, loop: Loop) -> Iterator[Finding]:
    if run.get("val_dataloader") is None or loop.val_interval <= loop.length:
        return
    waits = any(hook.get("save_best") for _, hook in run.hooks("CheckpointHook"))
    found = f"{loop.val_interval}, more than the {loop.length} {loop.unit} of the training"
    do = "No validation takes place" + (", and no best checkpoint is saved" if waits else "")
    key = "train_cfg.val_interval"
    yield Finding(ERROR if waits else NOTE, INTERVALS, key, found, f"at most {loop.length}", do)


def _checkpoints(key: str, hook: Mapping[str, Any], loop: Loop) -> Iterator[Finding]:
    by_epoch, interval = bool(hook.get("by_epoch", True)), hook.get("interval", -1)
    if by_epoch and not loop.by_epoch:
        said = "True" if "by_epoch" in hook else "nothing, which is True"
        do = "An iteration-based training has one epoch: nothing is saved before its end"
        yield Finding(ERROR, INTERVALS, join(key, "by_epoch"), said, "False", do)
    elif not by_epoch and loop.by_epoch and isinstance(interval, int) and 0 < interval <= loop.length:
        found = f"False, with interval={interval}"
        do = "That is a checkpoint every few iterations"
        yield Finding(NOTE, INTERVALS, join(key, "by_epoch"), found, "True", do)
    elif by_epoch == loop.by_epoch and isinstance(interval, int) and interval > loop.length:
        never = not hook.get("save_last", True)
        found = f"{interval}, more than the {loop.length} {loop.unit} of the training"
        do = "Nothing is saved" if never else "One checkpoint alone is saved, at the end"
        yield Finding(ERROR if never else NOTE, INTERVALS, join(key, "interval"), found, f"at most {loop.length}", do)


def check_learning_rate(run: RunConfig) -> Iterator[Finding]:
    """A learning rate with which something is learnt."""
    optimizer, key = run.get("optim_wrapper.optimizer"), "optim_wrapper.optimizer.lr"
    rate = optimizer.get("lr") if isinstance(optimizer, Mapping) else None
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        if isinstance(rate, str):
            yield Finding(ERROR, "learning-rate", key, repr(rate), "a number")
        return
    kind = type_name(optimizer)
    if rate == 0:
        yield Finding(ERROR, "learning-rate", key, "0, with which nothing is learnt", "a number above 0")
    elif kind in _ADAPTIVE and rate >= 0.1:
        do = f"{kind} changes each weight by about this much in each step"
        yield Finding(ERROR, "learning-rate", key, str(rate), "1e-5 to 1e-2", do)
    elif kind == "SGD" and rate > 5:
        yield Finding(ERROR, "learning-rate", key, str(rate), "1e-4 to 1")
