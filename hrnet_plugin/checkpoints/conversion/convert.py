"""Converting checkpoints: from any format to our keys, and from them to any format that can hold the network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...archs import HRNetSpec
from ...errors import CheckpointError
from ..contents import Contents
from ..network_meta import OWN, describe_network, described_spec
from .completeness import BACKBONE, find_problems
from .expected import COUNTER, Spec, find_spec, name_network, shapes_of
from .formats import FORMATS, Format
from .formats.rules import fits_any
from .holding import check_keys, check_network
from .recognition import find_format, recognise
from .renaming import Renamed, insert_at, rename_from_ours, rename_to_ours
from .report import ADDED, DROPPED, FOLDED, MAPPED, MISSING, UNEXPECTED, ConversionReport, Entry

#: The entry beside the description of the network that says how the checkpoint was written before.
CONVERTED = "converted"


@dataclass(frozen=True)
class Conversion:
    """A converted checkpoint.

    Args:
        weights: Tensors by key.
        meta: What is written about them; nothing where `container` is ''.
        container: The entry of the file that the weights go under; '' where the file is the weights alone.
        report: What became of every key.
        versions: What torch keeps beside a state dict of each module's version, by the module's path.
    """

    weights: Mapping[str, Tensor]
    meta: Mapping
    container: str
    report: ConversionReport
    versions: Mapping[str, Mapping] = field(default_factory=dict)

    def checkpoint(self) -> dict:
        """What `torch.save` writes."""
        weights = OrderedDict(self.weights)
        if self.versions:
            weights._metadata = OrderedDict(self.versions)
        return {"meta": dict(self.meta), self.container: weights} if self.container else weights


def convert(
    contents: Contents,
    to: str = "ours",
    source: str | None = None,
    backbone_only: bool = False,
    align_corners: bool | None = None,
) -> Conversion:
    """A checkpoint in another format; tensors that need no change are shared with it.

    What was lost on the way to ours (prefixes, values without a place) comes back on the way to where it came from.

    Args:
        contents: The checkpoint.
        to: Name of the format to convert to.
        source: Name of its own format; None recognises it.
        backbone_only: Leave out necks and heads.
        align_corners: How the checkpoint's network upsamples, which no key tells; None is what its format usually does.

    Raises:
        CheckpointError: it is of no known format, or holds what the target cannot hold. Keys that are missing, too
            many, or of another shape are no error but stand in the report.
        ConfigError: a format is not known.
        SpecError: `align_corners` is True and the network upsamples by nearest neighbours.
    """
    target = find_format(to)
    origin = recognise(contents) if source is None else _named_format(source, contents)
    read = rename_to_ours(contents.weights, origin)
    ours = {key: value for key, value in read.weights.items() if not backbone_only or key.startswith(BACKBONE)}
    known = {} if align_corners is None else {"align_corners": align_corners}
    spec, choices = _describe(ours, contents, origin, known)
    problems = find_problems(ours, spec)
    supposed = {**origin.choices, **choices} if backbone_only else choices  # a note may rest on what is only usual
    notes = check_network(spec, supposed, target, backbone_only)
    fitting = {key: value for key, value in ours.items() if problems.get(key, ("",))[0] != UNEXPECTED}
    written = rename_from_ours(fitting, target)
    check_keys(written, target)
    report = ConversionReport(
        origin.name,
        target.name,
        name_network(spec),
        tuple(_entries(contents, origin, read, written, problems)),
        (*_notes(contents), *([origin.advice] if origin.advice and not known else []), *notes),
    )
    described = spec if choices or origin.choices or not isinstance(spec, HRNetSpec) else None
    return _finish(contents, origin, target, read, written, described, report)


def _named_format(name: str, contents: Contents) -> Format:
    """The format that the user says the checkpoint is of.

    Raises:
        CheckpointError: it has none of the keys by which that format is told.
        ConfigError: the format is not known.
    """
    known = find_format(name)
    if not any(fits_any(sign, key) for sign in known.signs for key in contents.weights):
        raise CheckpointError(
            f"checkpoint {contents.source}, read as {name}",
            found=f"no {' and no '.join(known.signs)}",
            expected="the keys of that format",
            do="Leave out --from to have it recognised",
        )
    return known


def _describe(
    ours: Mapping[str, Tensor], contents: Contents, origin: Format, known: Mapping[str, object]
) -> tuple[Spec, Mapping[str, object]]:
    """The backbone, and those of its choices that are known and not only usual."""
    described = described_spec(contents.meta)
    spec = find_spec(shapes_of(ours, BACKBONE), described)
    if not isinstance(spec, HRNetSpec):
        return spec, {}
    if spec == described and not known:
        return spec, {name: getattr(spec, name) for name in ("upsample_mode", "align_corners", "fuse_method")}
    usual = dict(origin.choices)
    if spec.fuse_method == "concat":  # told by its keys
        usual.pop("fuse_method", None)
    told = dict(known) if origin.is_ours else {**usual, "fuse_method": spec.fuse_method, **known}
    return spec.with_choices(**{**origin.usual, **usual, **known}), told


def _entries(
    contents: Contents, origin: Format, read: Renamed, written: Renamed, problems: Mapping[str, tuple[str, str]]
) -> Iterator[Entry]:
    new = {ours: theirs for theirs, ours in written.old.items()}
    ours_of = {old: key for key, old in read.old.items()} | read.folded
    reasons = {key: reason for key, _, reason in read.aside}
    for old in contents.weights:
        shown, key = contents.prefix + old, ours_of.get(old)
        if old in reasons:
            yield Entry(DROPPED, shown, note=reasons[old])
        elif key is None:
            yield Entry(UNEXPECTED, shown, note=f"{origin.name} has no such weight")
        elif key not in new and key not in problems:
            yield Entry(DROPPED, shown, note="the backbone alone was asked for")
        elif old in read.folded:
            yield Entry(FOLDED, shown, new.get(key, ""), "the bias goes into the running mean")
        elif key in problems:
            kind, note = problems[key]
            yield Entry(kind, shown, new.get(key, ""), note)
        else:
            yield Entry(MAPPED, shown, new[key])
    for key, (kind, note) in problems.items():
        if kind == MISSING:
            theirs = origin.from_ours(key)
            yield Entry(MISSING, contents.prefix + (theirs[1] if theirs else key), note=note)
    for key in written.added:
        yield Entry(ADDED, target=key, note="a bias of zero, since it was folded or never there")


def _notes(contents: Contents) -> Iterator[str]:
    if not any(key.endswith(COUNTER) for key in contents.weights):
        yield f"no {COUNTER}, as in files of torch before 0.4.1: nothing is computed from it"
    if contents.others:
        yield f"left out: {', '.join(contents.others)}"


def _finish(
    contents: Contents,
    origin: Format,
    target: Format,
    read: Renamed,
    written: Renamed,
    spec: Spec | None,
    report: ConversionReport,
) -> Conversion:
    memory = _memory(contents, target)
    weights = written.weights
    for index, key, value in _set_aside(memory, contents.source):
        weights = insert_at(weights, index, key, value)
    prefix = str(memory.get("prefix", ""))
    container = str(memory.get("container", target.container))
    meta = {name: value for name, value in contents.meta.items() if name != OWN}
    own = describe_network(spec)[OWN] if spec is not None else {}
    own[CONVERTED] = {
        "format": origin.name,
        "container": contents.container,
        "prefix": contents.prefix,
        "aside": [_kept(contents, key, index) for key, index, _ in read.aside],
    }
    return Conversion(
        weights={prefix + key: value for key, value in weights.items()},
        meta={**meta, OWN: own} if container else {},
        container=container,
        report=report,
        versions={name: {"version": number} for name, number in target.versions.items()},
    )


def _memory(contents: Contents, target: Format) -> Mapping:
    """How the checkpoint was written before, if the target is what it was written in."""
    own = contents.meta.get(OWN)
    memory = own.get(CONVERTED) if isinstance(own, Mapping) else None
    known = FORMATS.get(str(memory.get("format"))) if isinstance(memory, Mapping) else None
    return memory if known is not None and known.rules == target.rules else {}  # timm writes as cls does


def _set_aside(memory: Mapping, source: str) -> Iterator[tuple[int, str, Tensor]]:
    """Place, key and value of what had no place with us.

    Raises:
        CheckpointError: the metadata that keep it are damaged.
    """
    try:
        for kept in memory.get("aside", ()):
            dtype = getattr(torch, kept["dtype"], None)
            if not isinstance(dtype, torch.dtype):
                raise ValueError(f"dtype {kept['dtype']!r}")
            yield int(kept["index"]), str(kept["key"]), torch.tensor(kept["value"], dtype=dtype)
    except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise CheckpointError(
            f"checkpoint {source}: meta.{OWN}.{CONVERTED}.aside",
            found=f"{type(error).__name__}: {str(error)[:80]}",
            expected="key, index, dtype and value, as `hrnet convert` writes them",
            do="Convert the first file again",
        ) from error


def _kept(contents: Contents, key: str, index: int) -> dict:
    """A value in plain numbers, so that any file can carry it."""
    value = contents.weights[key]
    name = str(value.dtype).removeprefix("torch.")
    return {"key": key, "index": index, "dtype": name, "value": value.tolist()}
