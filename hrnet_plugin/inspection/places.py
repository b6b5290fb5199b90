"""Where in an HRNet a module stands: in which stage, high-resolution module, branch or fuse layer.

Names of modules are those that released weights fix, ours and the frameworks' alike, so that every table and picture of
a network speaks of the same parts. Stages and transitions are numbered as their attributes are (`stage2`: stage 2),
branches from 1, the highest resolution, on.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from torch import nn

STEM, STAGE, TRANSITION, BRANCH, FUSE, NECK, HEAD, OTHER = (
    "stem", "stage", "transition", "branch", "fuse", "neck", "head", "other",
)  # fmt: skip

_STEM = re.compile(r"(conv1|conv2|[a-z]+1|[a-z]+2|stem|relu)(\..*)?$")
_FIRST_STAGE = re.compile(r"layer1(\..*)?$")
_TRANSITION = re.compile(r"transition(\d+)(?:\.(\d+))?(\..*)?$")
_STAGE = re.compile(r"stage(\d+)(?:\.(\d+))?(?:\.(.*))?$")
_PLACED_IN_MODULE = (
    (FUSE, re.compile(r"fuse_layers\.(?P<branch>\d+)(?:\.(?P<source>\d+))?")),
    (FUSE, re.compile(r"relu|fuse_layers")),  # the ReLU stands after every fuse layer
    (BRANCH, re.compile(r"branches\.(?P<branch>\d+)")),
    # Lite-HRNet: naive modules have a list of branches, the others blocks that hold all branches.
    (BRANCH, re.compile(r"layers\.\d+\.(?:depthwise_convs|spatial_weighting)\.(?P<branch>\d+)")),
)
_NAIVE_BRANCH = re.compile(r"layers\.(?P<branch>\d+)")
_BACKBONE_MARKS = ("stage2", "transition1")
_AUXILIARY = "auxiliary head"


@dataclass(frozen=True)
class Place:
    """A place in a network.

    Args:
        part: The largest part that it belongs to, as people call it: `stem`, `stage 2`, `transition 1`, `neck`, `head`.
        kind: `STEM`, `STAGE` (stage 1, and what of a stage belongs to no branch), `TRANSITION`, `BRANCH`, `FUSE`,
            `NECK`, `HEAD` or `OTHER`.
        stage: Number of the stage or, for a transition, of the stage before it; None outside.
        module: Index of the high-resolution module within its stage, or None.
        branch: Index of the branch, 0 for the highest resolution; of a transition or fuse layer the one that leaves it.
        source: Of a path of a fuse layer, the branch that it comes from.
    """

    part: str
    kind: str
    stage: int | None = None
    module: int | None = None
    branch: int | None = None
    source: int | None = None

    @property
    def label(self) -> str:
        """In words: `stage 2, module 1, branch 3`, `stage 3, module 2, fusion into branch 1`."""
        words = [self.part]
        if self.module is not None:
            words.append(f"module {self.module + 1}")
        if self.branch is not None and self.kind in (BRANCH, FUSE, TRANSITION):
            into = {FUSE: "fusion into ", TRANSITION: "into "}.get(self.kind, "")
            words.append(f"{into}branch {self.branch + 1}")
            if self.source is not None:
                words[-1] += f" from branch {self.source + 1}"
        elif self.kind == FUSE:
            words.append("fusion")
        return ", ".join(words)

    def to_plain(self) -> dict[str, object]:
        """As plain values for JSON, the label first; indices count from 0."""
        return {"place": self.label, **asdict(self)}


class Places:
    """The places of one network's modules and parameters.

    Args:
        network: A model of any of the frameworks, or a bare backbone.
    """

    def __init__(self, network: nn.Module):
        self.backbone_name = _find_backbone(network)
        self._naive = _has_naive_branches(network)

    def of(self, name: str) -> Place:
        """The place of a module or parameter.

        Args:
            name: As `named_modules()` or `named_parameters()` has it.
        """
        prefix = self.backbone_name
        if prefix is not None and (not prefix or name == prefix or name.startswith(f"{prefix}.")):
            inner = name[len(prefix) :].lstrip(".")
            return self._in_backbone(inner) or (Place("backbone", OTHER) if prefix else _outside(name))
        return _outside(name)

    def _in_backbone(self, name: str) -> Place | None:
        if found := _STAGE.match(name):
            return self._in_stage(int(found[1]), found[2], found[3] or "")
        if found := _TRANSITION.match(name):
            branch = None if found[2] is None else int(found[2])
            return Place(f"transition {found[1]}", TRANSITION, int(found[1]), branch=branch)
        if _FIRST_STAGE.match(name):
            return Place("stage 1", STAGE, 1, branch=0)
        if name.partition(".")[0] == "head_layer":  # Lite-HRNet's backbone ends in one
            return Place("iterative head", HEAD)
        return Place("stem", STEM) if _STEM.match(name) else None

    def _in_stage(self, number: int, module: str | None, inner: str) -> Place:
        part, index = f"stage {number}", None if module is None else int(module)
        kinds = (*_PLACED_IN_MODULE, (BRANCH, _NAIVE_BRANCH)) if self._naive else _PLACED_IN_MODULE
        for kind, pattern in kinds:
            if found := pattern.match(inner):
                places = {field: int(value) for field, value in found.groupdict().items() if value is not None}
                return Place(part, kind, number, index, **places)
        return Place(part, STAGE, number, index)


def _find_backbone(network: nn.Module) -> str | None:
    """The name of the module that holds the stages, or None where there is none."""
    for name, module in network.named_modules():
        if all(mark in module._modules for mark in _BACKBONE_MARKS):
            return name
    return None


def _has_naive_branches(network: nn.Module) -> bool:
    """Whether `layers` of a Lite-HRNet's modules are its branches, a list, and not blocks in turn."""
    for name, module in network.named_modules():
        if re.search(r"stage\d+\.\d+\.layers$", name):
            return isinstance(module, nn.ModuleList)
    return False


def _outside(name: str) -> Place:
    first = name.partition(".")[0]
    if first == "auxiliary_head":
        return Place(_AUXILIARY, HEAD)
    if "head" in first:  # head, heads, decode_head, bbox_head
        return Place("head", HEAD)
    if first == "neck":
        return Place("neck", NECK)
    return Place("backbone" if first == "backbone" else "other", OTHER)
