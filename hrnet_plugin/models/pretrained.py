"""Pretrained weights without surprise downloads.

A config names its weights as `hrnet://NAME`, by URL or by one of OpenMMLab's short names. Training never fetches them:
they are looked for in the weight store (`published.store`), and where they are not there the network starts from random
weights and the absence is noted for everybody to see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mmengine
from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader

from ..errors import CheckpointError
from ..published.sources import SCHEME, Source, find_source, is_named, is_remote
from ..published.store import find_stored, stored_path, weights_dir

__all__ = [
    "MissingWeights",
    "find_weights",
    "has_pretrained",
    "is_remote",
    "localise",
    "missing_weights",
    "note_missing",
    "resolve_source",
    "weights_dir",
    "weights_source",
]


@dataclass(frozen=True)
class MissingWeights:
    """Weights that a config asks for and that are not at hand.

    Args:
        source: The URL at which they were published.
        path: Where they would be found.
        name: As `hrnet zoo fetch` is asked for them.
        fetchable: Whether it can fetch them.
    """

    source: str
    path: Path
    name: str
    fetchable: bool = True

    @property
    def command(self) -> str:
        """What brings the weights, as the end of a sentence."""
        return f"hrnet zoo fetch {self.name}" if self.fetchable else f"put the file at {self.path}"

    def __str__(self) -> str:
        return (
            f"pretrained weights not found, starting from random weights: {self.name} is not at {self.path} "
            f"(to use them: {self.command})"
        )


_missing: dict[str, MissingWeights] = {}


def resolve_source(source: str) -> str:
    """The URL behind `hrnet://NAME` or one of OpenMMLab's short names; anything else as it is.

    Raises:
        ConfigError: no weights of that name in the zoo.
    """
    return weights_source(source).url if is_named(source) else _resolve_short_name(source)


def _resolve_short_name(source: str) -> str:
    """The URL behind `open-mmlab://msra/hrnetv2_w18` and the like, from mmengine's own lists."""
    scheme, _, name = source.partition("://")
    if scheme not in ("open-mmlab", "openmmlab", "mmcls"):
        return source
    hub = Path(mmengine.__file__).parent / "hub"
    renamed = json.loads((hub / "deprecated.json").read_text(encoding="utf-8"))
    listed = hub / ("mmcls.json" if scheme == "mmcls" else "openmmlab.json")
    return json.loads(listed.read_text(encoding="utf-8")).get(renamed.get(name, name), source)


def weights_source(source: str) -> Source:
    """What the store knows of `hrnet://NAME`, a URL or one of OpenMMLab's short names.

    Raises:
        ConfigError: no weights of that name in the zoo, or a URL that names no file.
    """
    return find_source(_resolve_short_name(source))


def find_weights(source: str) -> Path | None:
    """The local file for `source`, or None where the store has none. A path stays as it is.

    Raises:
        CheckpointError: the store's file has another hash than the published one.
        ConfigError: no weights of that name in the zoo.
    """
    if not is_remote(source):
        return Path(source).expanduser()
    return find_stored(weights_source(source))


def note_missing(source: str) -> MissingWeights:
    """Keeps in mind that `source` was asked for and not found."""
    missing = _describe(weights_source(source))
    _missing[missing.source] = missing
    return missing


def _describe(source: Source) -> MissingWeights:
    return MissingWeights(source.url, stored_path(source), source.name, source.fetchable)


def missing_weights() -> tuple[MissingWeights, ...]:
    """All weights noted as missing in this process, in order."""
    return tuple(_missing.values())


def localise(init_cfg: Mapping | Sequence[Mapping] | None) -> list[dict]:
    """`init_cfg` as a list in which every `Pretrained` entry names a local file.

    An entry whose weights are not at hand is left out, noted and logged.

    Raises:
        CheckpointError: weights at hand have another hash than the published one.
        ConfigError: no weights of that name in the zoo.
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


def require_local(source: str) -> Path:
    """The local file for `source`.

    Raises:
        CheckpointError: the store has none, or one with another hash; names file, folder, URL and the command that
            fetches it.
        ConfigError: no weights of that name in the zoo.
    """
    found = find_weights(source)
    if found is None:
        missing = _describe(weights_source(source))
        do = missing.command[0].upper() + missing.command[1:]
        raise CheckpointError(
            f"checkpoint {source}",
            found=f"nothing at {missing.path}",
            expected=f"the file from {missing.source}",
            do=f"Fetch it with: {missing.command}" if missing.fetchable else do,
        )
    return found


@CheckpointLoader.register_scheme(prefixes=f"{SCHEME}://", force=True)
def load_from_hrnet(filename: str, map_location: object = None) -> dict:
    """mmengine's way to `hrnet://NAME`, for a framework's own tools: the store's file, never a download.

    Raises:
        CheckpointError: the store has no such file, or one with another hash.
        ConfigError: no weights of that name in the zoo.
    """
    return CheckpointLoader.load_checkpoint(str(require_local(filename)), map_location)
