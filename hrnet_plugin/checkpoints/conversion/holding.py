"""Whether a format can hold a network."""

from __future__ import annotations

from collections.abc import Mapping

from ...archs import HRNetSpec
from ...errors import CheckpointError
from .completeness import BACKBONE
from .expected import Spec
from .formats import FORMATS, Format, SetAside
from .formats.rules import fits_any
from .renaming import Renamed

_SHOWN = 3


def check_network(spec: Spec, choices: Mapping[str, object], target: Format, backbone_only: bool) -> list[str]:
    """Refuse a network that the target's code cannot build, or would run with other outputs.

    Args:
        spec: The backbone.
        choices: Those of its choices that are known.
        target: The format to convert to.
        backbone_only: A backbone alone may go where it would run with other outputs, as a start for training.

    Returns:
        What the user should know.

    Raises:
        CheckpointError: the target cannot hold it.
    """
    if target.source_only:
        what = f"format {target.name}"
        raise CheckpointError(what, found="a conversion into it", expected="one from it", do=target.source_only)
    network = type(spec).__name__.removesuffix("Spec")
    if network not in target.networks:
        raise _cannot_hold(target, f"a {network}", " or ".join(target.networks))
    if not isinstance(spec, HRNetSpec) or target.is_ours:
        return []
    if target.num_stages not in (None, len(spec.stages)):
        raise _cannot_hold(target, f"{len(spec.stages)} stages", str(target.num_stages))
    notes = []
    for name, value in target.choices.items():
        if name in choices and choices[name] != value:
            found = f"{name}={choices[name]!r}"
            if not backbone_only:
                raise _cannot_hold(target, found, f"{value!r}, since its outputs would be others", _ALONE)
            notes.append(f"{found} in the source and {value!r} in {target.name}: outputs differ")
    return notes + _usual_notes(spec, choices, target)


def _usual_notes(spec: HRNetSpec, choices: Mapping[str, object], target: Format) -> list[str]:
    """What the user has to set in the target, which can have it either way."""
    notes = []
    for name, value in target.usual.items():
        default = f"by default {value!r} in {target.name}"
        if name in choices and choices[name] != value:
            notes.append(f"{name}={choices[name]!r} in the source and {default}: set it there")
        elif name not in choices and spec.upsample_mode == "bilinear":
            notes.append(f"nothing in the source tells {name}, which is {default}: set it there as the source has it")
    return notes


_ALONE = "--backbone-only converts the backbone alone"


def check_keys(written: Renamed, target: Format) -> None:
    """Refuse to leave out weights for which the target has no names, or to write a head that is not the target's.

    Raises:
        CheckpointError: there are such weights, or the head is another one.
    """
    if not written.left:
        _check_head(written, target)
        return
    shown = ", ".join(written.left[:_SHOWN])
    more = f" and {len(written.left) - _SHOWN} more" if len(written.left) > _SHOWN else ""
    places = sorted({".".join(rule.ours.split(".")[:3]) for rule in target.rules if hasattr(rule, "ours")})
    raise _cannot_hold(target, shown + more, f"keys of ours such as {', '.join(places)}", _ALONE)


def _check_head(written: Renamed, target: Format) -> None:
    if target.is_ours or all(key.startswith(BACKBONE) for key in written.old.values()):
        return
    # timm writes what the authors' classification networks write.
    # What is set aside has no place with us; it returns later, if it was there.
    keys = [*written.weights, *(rule.theirs for rule in target.rules if isinstance(rule, SetAside))]
    if not any(known.rules == target.rules and known.fits(keys) for known in FORMATS.values()):
        lacking = [sign for sign in target.signs if not any(fits_any(sign, key) for key in keys)]
        raise _cannot_hold(target, "another head", " and ".join(lacking), _ALONE)


def _cannot_hold(target: Format, found: str, expected: str, do: str | None = None) -> CheckpointError:
    return CheckpointError(f"format {target.name} cannot hold the network", found=found, expected=expected, do=do)
