"""Pretrained weights of a config: local files in their place, or taken out and told. Nothing is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.config_tree import dicts_in, type_name
from hrnet_plugin.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config

    from hrnet_plugin.models.pretrained import MissingWeights


def localise_weights(cfg: Config) -> list[MissingWeights]:
    """Let every pretrained source of the model, and `load_from`, name a local file.

    A source that is not at hand is taken out of the config: `pretrained=` becomes None, an `init_cfg` entry of type
    Pretrained goes (its neighbours stay), `load_from` becomes None.

    Returns:
        What was taken out, each once. A local path stays, whether the file is there or not.
    """
    missing: dict[str, MissingWeights] = {}
    for node in dicts_in(cfg.model):
        if isinstance(node.get("pretrained"), str):
            node["pretrained"] = _local(node["pretrained"], missing)
        if node.get("init_cfg"):
            _localise_init_cfg(node, missing)
    if isinstance(cfg.get("load_from"), str):
        cfg.load_from = _local(cfg.load_from, missing)
    return list(missing.values())


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
            do=f"Fetch it with: curl -L --create-dirs -o {weights.path} {weights.source}",
        )


def local_checkpoint(source: str) -> str:
    """The local file of a checkpoint that the user named by path or URL.

    Raises:
        CheckpointError: a URL whose file is not at hand; nothing is fetched.
    """
    missing: dict[str, MissingWeights] = {}
    found = _local(source, missing)
    if found is None:
        weights = missing[source]
        raise CheckpointError(
            f"checkpoint {source}",
            found=f"nothing at {weights.path}",
            do=f"Fetch it with: curl -L --create-dirs -o {weights.path} {weights.source}",
        )
    return found


def _localise_init_cfg(node: dict, missing: dict[str, MissingWeights]) -> None:
    given = node["init_cfg"]
    entries = list(given) if isinstance(given, (list, tuple)) else [given]
    kept = []
    for entry in entries:
        if type_name(entry) in ("Pretrained", "PretrainedInit") and isinstance(entry.get("checkpoint"), str):
            local = _local(entry["checkpoint"], missing)
            if local is None:
                continue
            entry["checkpoint"] = local
        kept.append(entry)
    if not kept:
        del node["init_cfg"]
    elif len(kept) < len(entries):
        node["init_cfg"] = kept


def _local(source: str, missing: dict[str, MissingWeights]) -> str | None:
    from hrnet_plugin.models.pretrained import find_weights, note_missing

    found = find_weights(source)
    if found is None:
        missing[source] = note_missing(source)
        return None
    return str(found)
