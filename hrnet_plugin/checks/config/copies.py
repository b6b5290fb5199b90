"""Values that a config copies from one place to another: changed at one, they stay as they were at the other."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hrnet_plugin.findings import NOTE, Finding
from hrnet_plugin.plain import as_list, plain

from .keys import join, walk
from .run_config import RunConfig
from .sections import READ

#: Variables that configs have at their top by these names, and what the keys are called to which they copy them.
_COPIED_TO = {
    "codec": ("decoder", "encoder"),
    "train_pipeline": ("pipeline",),
    "val_pipeline": ("pipeline",),
    "test_pipeline": ("pipeline",),
    "crop_size": ("crop_size", "size"),
    "data_root": ("data_root",),
    "dataset_type": ("type",),
    "metainfo": ("metainfo",),
    "norm_cfg": ("norm_cfg",),
    "optimizer": ("optimizer",),
    "max_epochs": ("max_epochs",),
    "max_iters": ("max_iters",),
    "num_classes": ("num_classes",),
}


def check_copies(run: RunConfig) -> Iterator[Finding]:
    """Variables of the config's own file that none of the places holds to which configs copy them.

    Those of its bases are left alone: who changes a place itself does not change the variable, and need not.
    """
    own = _assigned(run.filename)
    for name, targets in _COPIED_TO.items():
        value = run.tree.get(name)
        if value is None or name not in own:
            continue
        copies = list(_copies(run, targets))
        if copies and not any(_agree(plain(value), plain(copy)) for _, copy in copies):
            found = f"a variable with {_difference(value, copies[0][1])}"
            do = "It was copied when its base was read: change the places themselves"
            places = tuple(f"copied to {key}" for key in dict.fromkeys(key for key, _ in copies))
            yield Finding(NOTE, "stale-copy", name, found, do=do, examples=places)
    yield from _preprocessor(run)


def _assigned(filename: str | None) -> set[str]:
    """The names that a config file sets itself."""
    try:
        tree = ast.parse(Path(filename).read_text(encoding="utf-8")) if filename else ast.Module([])
    except (OSError, SyntaxError, UnicodeDecodeError):
        return set()
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def options_without_effect(options: Sequence[str]) -> Iterator[Finding]:
    """Options of the command line that change a variable of the config file, which was read before they came.

    Args:
        options: `key=value` pairs as `--cfg-options` takes them.
    """
    for option in options:
        key = option.partition("=")[0]
        if key.partition(".")[0] not in READ:
            found = "a variable of the config file, which no run reads"
            do = "It was copied when the file was read: give the keys that hold the copies"
            yield Finding(NOTE, "option-without-effect", key, found, do=do)


def _copies(run: RunConfig, targets: Sequence[str]) -> Iterator[tuple[str, Any]]:
    for section in (name for name in run.tree if name in READ):
        for key, node in walk(run.tree[section], section):
            for target in targets:
                if target in node:
                    is_codecs = target == "encoder" and isinstance(node[target], list)
                    for value in as_list(node[target]) if is_codecs else [node[target]]:
                        yield join(key, target), value


def _agree(value: Any, copy: Any) -> bool:
    """Whether a copy holds all that the variable says; it may say more."""
    if isinstance(value, dict) and isinstance(copy, dict):
        return all(name in copy and value[name] == copy[name] for name in value)
    return value == copy


def _difference(value: Any, copy: Any) -> str:
    """What the variable holds where the copy holds something else."""
    value, copy = plain(value), plain(copy)
    if isinstance(value, dict) and isinstance(copy, dict):
        name = next(name for name in value if name not in copy or value[name] != copy[name])
        return f"{name}={value[name]!r}, where the run has {copy.get(name)!r}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return "other steps than the run has"
    return f"{value!r}, where the run has {copy!r}"


def _preprocessor(run: RunConfig) -> Iterator[Finding]:
    outside, inside = run.get("data_preprocessor"), run.get("model.data_preprocessor")
    if (
        outside
        and inside
        and "data_preprocessor" in _assigned(run.filename)
        and not _agree(plain(outside), plain(inside))
    ):
        found = f"a preprocessor with {_difference(outside, inside)}"
        do = "That of the model is used: change model.data_preprocessor"
        yield Finding(NOTE, "stale-copy", "data_preprocessor", found, do=do)
