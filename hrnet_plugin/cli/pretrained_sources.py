"""Pretrained weights of a config: local files in their place, or taken out and told. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import dicts_in, type_name
from hrnet_plugin.errors import ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config

    from hrnet_plugin.models.pretrained import MissingWeights

_PRETRAINED = ("Pretrained", "PretrainedInit")


def localise_weights(cfg: Config, *, replaced: bool = False) -> list[MissingWeights]:
    """Let every pretrained source of the model, and `load_from`, name a local file.

    A source that is not at hand is taken out of the config: `pretrained=` becomes None, an `init_cfg` entry of type
    Pretrained goes (its neighbours stay), `load_from` becomes None.

    Args:
        cfg: The config; it is changed.
        replaced: Whether a checkpoint will fill the whole model: then its own sources are taken out unseen, so that
            a damaged file nobody needs stops nothing.

    Returns:
        What was taken out, each once. A local path stays, whether the file is there or not.

    Raises:
        CheckpointError: weights at hand have another hash than the published one.
        ConfigError: no weights of that name in the zoo.
    """
    missing: dict[str, MissingWeights] = {}

    def place(source: str) -> str | None:
        return None if replaced else _local(source, missing)

    for node in dicts_in(cfg.model):
        if isinstance(node.get("pretrained"), str):
            node["pretrained"] = place(node["pretrained"])
        if node.get("init_cfg"):
            _localise_init_cfg(node, place)
    if isinstance(cfg.get("load_from"), str):
        cfg.load_from = _local(cfg.load_from, missing)
    return list(missing.values())


def weights_to_start_from(cfg: Config) -> list[str]:
    """Whatever the parts of the model and the run start from, less simple paths: as the config names it, each once."""
    from hrnet_plugin.published.sources import is_remote

    named = [node.get("pretrained") for node in dicts_in(cfg.model)]
    for node in dicts_in(cfg.model):
        named += [entry.get("checkpoint") for entry in _entries(node) if type_name(entry) in _PRETRAINED]
    named.append(cfg.get("load_from"))
    return list(dict.fromkeys(source for source in named if isinstance(source, str) and is_remote(source)))


def require_weights(missing: list[MissingWeights]) -> None:
    """Refuse to train from random weights (`--require-pretrained`).

    Raises:
        ConfigError: weights are missing.
    """
    for weights in missing:
        raise ConfigError(
            "--require-pretrained: pretrained weights are not at hand",
            found=f"nothing at {weights.path}",
            expected=f"the file from {weights.source}",
            do=f"To have it: {weights.command}",
        )


def local_checkpoint(source: str) -> str:
    """The local file of a checkpoint that the user named by path, URL or `hrnet://NAME`.

    Raises:
        CheckpointError: its file is not at hand, or has another hash than the published one; nothing is fetched.
        ConfigError: no weights of that name in the zoo.
    """
    from hrnet_plugin.models.pretrained import require_local

    return str(require_local(source))


def _localise_init_cfg(node: dict, place: Callable[[str], str | None]) -> None:
    entries, kept = _entries(node), []
    for entry in entries:
        if type_name(entry) in _PRETRAINED and isinstance(entry.get("checkpoint"), str):
            local = place(entry["checkpoint"])
            if local is None:
                continue
            entry["checkpoint"] = local
        kept.append(entry)
    if not kept:
        del node["init_cfg"]
    elif len(kept) < len(entries):
        node["init_cfg"] = kept


def _entries(node: dict) -> list:
    given = node.get("init_cfg") or []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _local(source: str, missing: dict[str, MissingWeights]) -> str | None:
    from hrnet_plugin.models.pretrained import find_weights, note_missing

    found = find_weights(source)
    if found is None:
        missing[source] = note_missing(source)
        return None
    return str(found)
