"""Pretrained weights without surprise downloads.

A config names its ImageNet weights by URL, as OpenMMLab's do. Training never fetches them: they are looked for in the
weights folder under the URL's file name, and where they are not there the network starts from random weights and the
absence is noted for everybody to see.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlparse

import mmengine
from mmengine.logging import print_log


@dataclass(frozen=True)
class MissingWeights:
    """Weights that a config asks for and that are not at hand.

    Args:
        source: As the config names them.
        path: Where they would be found.
    """

    source: str
    path: Path

    def __str__(self) -> str:
        return (
            f"pretrained weights not found, starting from random weights: {self.source} "
            f"(to use them: curl -L --create-dirs -o {self.path} {self.source})"
        )


_missing: dict[str, MissingWeights] = {}


def weights_dir() -> Path:
    """The folder of pretrained weights: `HRNET_WEIGHTS`, or `hrnet_plugin/weights` in the user's cache."""
    if named := os.environ.get("HRNET_WEIGHTS"):
        return Path(named).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "hrnet_plugin" / "weights"


def is_remote(source: str) -> bool:
    """Whether loading `source` would need the network."""
    return "://" in source


def resolve_source(source: str) -> str:
    """The URL behind one of OpenMMLab's short names (`open-mmlab://msra/hrnetv2_w18`), from mmengine's own lists."""
    scheme, _, name = source.partition("://")
    if scheme not in ("open-mmlab", "openmmlab", "mmcls"):
        return source
    hub = Path(mmengine.__file__).parent / "hub"
    renamed = json.loads((hub / "deprecated.json").read_text(encoding="utf-8"))
    listed = hub / ("mmcls.json" if scheme == "mmcls" else "openmmlab.json")
    return json.loads(listed.read_text(encoding="utf-8")).get(renamed.get(name, name), source)


def find_weights(source: str) -> Path | None:
    """The local file for `source` (a path or a URL), or None where there is none."""
    if not is_remote(source):
        return Path(source).expanduser()
    path = _local_path(resolve_source(source))
    return path if path.is_file() else None


def _local_path(url: str) -> Path:
    return weights_dir() / PurePosixPath(urlparse(url).path).name


def note_missing(source: str) -> MissingWeights:
    """Keeps in mind that `source` was asked for and not found."""
    source = resolve_source(source)
    missing = MissingWeights(source, _local_path(source))
    _missing[source] = missing
    return missing


def missing_weights() -> tuple[MissingWeights, ...]:
    """All weights noted as missing in this process, in order."""
    return tuple(_missing.values())


def localise(init_cfg: Mapping | Sequence[Mapping] | None) -> list[dict]:
    """`init_cfg` as a list in which every `Pretrained` entry names a local file.

    An entry whose weights are not at hand is left out, noted and logged.
    """
    entries = [init_cfg] if isinstance(init_cfg, Mapping) else list(init_cfg or [])
    kept = []
    for entry in map(dict, entries):
        if _is_pretrained(entry):
            source = str(entry["checkpoint"])
            found = find_weights(source)
            if found is None:
                print_log(str(note_missing(source)), logger="current", level=30)
                continue
            entry["checkpoint"] = str(found)
        kept.append(entry)
    return kept


def has_pretrained(init_cfg: Sequence[Mapping]) -> bool:
    """Whether any entry of `init_cfg` loads a checkpoint."""
    return any(map(_is_pretrained, init_cfg))


def _is_pretrained(entry: Mapping) -> bool:
    kind = entry.get("type")
    return (kind if isinstance(kind, str) else getattr(kind, "__name__", "")) in (
        "Pretrained",
        "PretrainedInit",
    )
