"""What stands around an optimizer: clipped and accumulated gradients, and options of single parameters."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hrnet_plugin.errors import nearest
from hrnet_plugin.findings import ERROR, Finding

from .architecture import REFUSED, UNKNOWN_ARGUMENT
from .keys import join
from .lookup import arguments_of
from .run_config import RunConfig

WRAPPER = "optim_wrapper"
RULES = f"{WRAPPER}.paramwise_cfg"
#: What mmengine's default constructor reads of `paramwise_cfg`, and of each rule in its `custom_keys`.
PARAMWISE = (
    *("bias_lr_mult", "bias_decay_mult", "norm_decay_mult", "flat_decay_mult", "dwconv_decay_mult"),
    *("dcn_offset_lr_mult", "bypass_duplicate", "custom_keys"),
)
RULE = ("lr_mult", "decay_mult")
#: How near a rule's first word is to the name of a part that it means.
_NEAR = 0.75


def check_optimizing(run: RunConfig) -> Iterator[Finding]:
    """The options of mmengine's own wrapper of an optimizer, and of the constructor that it has by default."""
    from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper

    node = run.get(WRAPPER)
    if not isinstance(node, Mapping):
        return
    kind = run.find("optimizer wrapper", {"type": "OptimWrapper", **node})
    if isinstance(kind, type) and issubclass(kind, OptimWrapper):
        yield from _accumulated(node)
        yield from _clipped(node.get("clip_grad"))
    constructor = {"type": node.get("constructor", "DefaultOptimWrapperConstructor")}
    if run.find("optimizer wrapper constructor", constructor) is DefaultOptimWrapperConstructor:
        yield from _paramwise(run, node.get("paramwise_cfg"))
    yield from _unmatched(run)


def _accumulated(node: Mapping[str, Any]) -> Iterator[Finding]:
    count = node.get("accumulative_counts", 1)
    if not isinstance(count, (int, float)) or count < 1 or count % 1:
        expected = "a whole number of at least 1, the batches of one step"
        yield Finding(ERROR, REFUSED, join(WRAPPER, "accumulative_counts"), repr(count), expected)


def _clipped(clipping: Any) -> Iterator[Finding]:
    """Torch's function reads these options at the first step."""
    from torch.nn.utils import clip_grad_norm_, clip_grad_value_

    key, functions = join(WRAPPER, "clip_grad"), {"norm": clip_grad_norm_, "value": clip_grad_value_}
    if clipping is None:
        return
    if not isinstance(clipping, Mapping):
        expected = "a dict(max_norm=...), or a dict(type='value', clip_value=...)"
        yield Finding(ERROR, REFUSED, key, repr(clipping), expected)
        return
    by = clipping.get("type", "norm")
    if by not in functions:
        yield Finding(ERROR, REFUSED, join(key, "type"), repr(by), "'norm' or 'value'")
        return
    yield from _options_of(functions[by], clipping, key)


def _options_of(function: Callable, clipping: Mapping[str, Any], key: str) -> Iterator[Finding]:
    known, given = arguments_of(function), set(clipping) - {"type"}
    names, required = known.listed - {"parameters"}, known.required - {"parameters"}
    unknown = sorted(given - names)
    for name in unknown:
        found = f"an argument that torch's {function.__name__} does not take"
        yield Finding(ERROR, UNKNOWN_ARGUMENT, join(key, name), found, do=nearest(name, names - given))
    for name in sorted(required):
        value = clipping.get(name)
        if name not in given:
            if not unknown:  # else: most likely the one that is misspelt
                needed = f"a number, which torch's {function.__name__} needs"
                yield Finding(ERROR, "missing-argument", join(key, name), "nothing", needed)
        elif not isinstance(value, (int, float)) or not value > 0:
            do = "With 0, no gradient is left" if value == 0 else ""
            yield Finding(ERROR, REFUSED, join(key, name), repr(value), "a number above 0", do)


def _paramwise(run: RunConfig, options: Any) -> Iterator[Finding]:
    """Options that the constructor passes over without a word."""
    if not isinstance(options, Mapping):
        return
    yield from _unread(options, RULES, PARAMWISE)
    optimizer = run.get(f"{WRAPPER}.optimizer")
    optimizer = optimizer if isinstance(optimizer, Mapping) else {}
    # What else a rule holds becomes an option of its parameters' group, which the optimizer has to know.
    own = arguments_of(kind).names if (kind := run.find("optimizer", optimizer)) else None
    rules = options.get("custom_keys")
    for rule, node in rules.items() if isinstance(rules, Mapping) else ():
        if isinstance(node, Mapping) and own is not None:
            yield from _unread(node, join(RULES, "custom_keys", rule), (*RULE, *(own - {"params"})))
    if optimizer and optimizer.get("weight_decay") is None:
        yield from _without_decay(options)


def _unread(node: Mapping[str, Any], key: str, known: tuple[str, ...]) -> Iterator[Finding]:
    for name in node:
        if name not in known and name not in ("type", "_scope_"):
            found = "an option that nothing reads"
            yield Finding(ERROR, UNKNOWN_ARGUMENT, join(key, name), found, do=nearest(str(name), known))


def _without_decay(options: Mapping[str, Any]) -> Iterator[Finding]:
    """mmengine stops at factors of a weight decay that is not there."""
    rules = options.get("custom_keys")
    factors = [name for name in ("bias_decay_mult", "norm_decay_mult", "dwconv_decay_mult") if name in options]
    for rule, node in rules.items() if isinstance(rules, Mapping) else ():
        if isinstance(node, Mapping) and "decay_mult" in node:
            factors.append(join("custom_keys", rule, "decay_mult"))
    for name in factors[:1]:
        do = f"{join(RULES, name)} multiplies it"
        yield Finding(ERROR, "missing-argument", f"{WRAPPER}.optimizer.weight_decay", "nothing", "a number", do)


def _unmatched(run: RunConfig) -> Iterator[Finding]:
    """Rules for single parameters, by a part of their names: those that match none change nothing.

    Lists of what some networks have and others do not are common; what begins as the network's own parts do is meant.
    """
    rules = run.get(f"{RULES}.custom_keys")
    network = run.network
    if not isinstance(rules, Mapping) or network.failures:
        return
    names = [name for name, _ in network.parts.named_parameters()]
    parts = sorted({name.partition(".")[0] for name in names})
    for rule in map(str, rules):
        is_meant = difflib.get_close_matches(rule.partition(".")[0], parts, n=1, cutoff=_NEAR)
        if is_meant and not any(rule in name for name in names):
            do = f"Names of parameters begin with {', '.join(parts)}"
            where = join(RULES, "custom_keys", rule)
            yield Finding(ERROR, "learning-rate", where, "a part of no parameter's name", do=do)
