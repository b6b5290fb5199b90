"""Descriptions as plain values, to be written into a checkpoint or a metafile and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ..errors import SpecError
from .lite import LiteHRNetSpec, LiteStageSpec, LiteStemSpec
from .spec import BranchSpec, HRNetSpec, StageSpec

_KINDS = {"HRNet": HRNetSpec, "LiteHRNet": LiteHRNetSpec}


def spec_to_plain(spec: HRNetSpec | LiteHRNetSpec) -> dict:
    """The description in dicts, lists, numbers and words, with the name of its network under `network`."""
    name = next(name for name, kind in _KINDS.items() if isinstance(spec, kind))
    return {"network": name, **_listed(asdict(spec))}


def spec_from_plain(plain: Mapping) -> HRNetSpec | LiteHRNetSpec:
    """The description that :func:`spec_to_plain` wrote; validated as any other.

    Raises:
        SpecError: it is of another form.
    """
    try:
        fields = dict(plain)
        name = fields.pop("network")
        if name == "HRNet":
            stages = [
                StageSpec([BranchSpec(**branch) for branch in stage["branches"]], stage["num_modules"])
                for stage in fields.pop("stages")
            ]
            return HRNetSpec(tuple(stages), **fields)
        if name == "LiteHRNet":
            stages = tuple(LiteStageSpec(**stage) for stage in fields.pop("stages"))
            return LiteHRNetSpec(stages=stages, stem=LiteStemSpec(**fields.pop("stem")), **fields)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError("spec", found=f"{type(error).__name__}: {error}", expected="a description as written") from None
    raise SpecError("spec.network", found=repr(name), expected="HRNet or LiteHRNet")


def _listed(node: object) -> object:
    if isinstance(node, dict):
        return {key: _listed(value) for key, value in node.items()}
    return [_listed(item) for item in node] if isinstance(node, (list, tuple)) else node
