"""The description of a network, read from the names and shapes of its weights."""

from __future__ import annotations

from collections.abc import Mapping

from ...archs import BranchSpec, HRNetSpec, LiteHRNetSpec, LiteStageSpec, LiteStemSpec, StageSpec
from ...errors import CheckpointError

#: Shapes of a backbone's weights by their names in it: `conv1.weight`, `stage2.0.branches.0.0.conv1.weight`.
Shapes = Mapping[str, tuple[int, ...]]
#: Of the numbers in the names of modules.
_DIGITS = 3


def read_spec(shapes: Shapes) -> HRNetSpec | LiteHRNetSpec:
    """The network whose first modules, blocks and branches these are; what is not in shapes has its default.

    Raises:
        CheckpointError: the weights from which it would be read are not there.
    """
    check_numbers(shapes)
    try:
        tree = _tree(shapes)
        return _read_lite(tree) if "stem" in tree else _read_hrnet(tree)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            "backbone", found=f"no network in its {len(shapes)} weights ({error})", expected="those of an HRNet"
        ) from None


def check_numbers(shapes: Shapes) -> None:
    """Refuses names such as `stage2.4000000000.weight`: all modules that come before would be looked for.

    Raises:
        CheckpointError: a number has more than three digits.
    """
    for key in shapes:
        for part in key.split("."):
            if part.isdecimal() and len(part) > _DIGITS:
                raise CheckpointError(f"weight {key}", found=f"module {part}", expected="modules from 0 to 999")


def _tree(shapes: Shapes) -> dict:
    tree: dict = {}
    for key, shape in shapes.items():
        *path, last = key.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = shape
    return tree


def _rows(node: Mapping) -> list:
    """What is numbered in a node, in the order of its numbers; there is as much of it as the last number says."""
    count = max((int(name) for name in node if name.isdecimal()), default=-1) + 1
    return [node.get(str(number), {}) for number in range(count)]


def _stages(tree: Mapping, first: int) -> list[list]:
    """The modules of each stage."""
    last = max(int(name.removeprefix("stage")) for name in tree if name.startswith("stage"))
    return [_rows(tree[f"stage{number}"]) for number in range(first, last + 1)]


def _read_hrnet(tree: Mapping) -> HRNetSpec:
    stages = [StageSpec((_read_branch(tree["layer1"]),))]
    modules: list = []
    for modules in _stages(tree, first=2):
        branches = tuple(_read_branch(branch) for branch in _rows(modules[0]["branches"]))
        stages.append(StageSpec(branches, len(modules)))
    fuse = modules[-1].get("fuse_layers", {})
    return HRNetSpec(
        tuple(stages),
        stem_width=tree["conv1"]["weight"][0],
        fuse_method="concat" if "reduce" in modules[0].get("fuse_layers", {}).get("0", {}) else "sum",
        multiscale_output="1" in fuse or len(stages[-1].branches) == 1,
    )


def _read_branch(node: Mapping) -> BranchSpec:
    blocks = _rows(node)
    block = "BOTTLENECK" if "conv3" in blocks[0] else "BASIC"
    return BranchSpec(block, len(blocks), blocks[0]["conv1"]["weight"][0])


def _read_lite(tree: Mapping) -> LiteHRNetSpec:
    stages = tuple(_read_lite_stage(modules) for modules in _stages(tree, first=0))
    return LiteHRNetSpec(stages, stem=_read_lite_stem(tree["stem"]), with_head="head_layer" in tree)


def _read_lite_stem(node: Mapping) -> LiteStemSpec:
    width, mid = node["conv1"]["conv"]["weight"][0], node["expand_conv"]["conv"]["weight"][0]
    out = node["branch1"]["1"]["conv"]["weight"][0] + node["linear_conv"]["conv"]["weight"][0]
    return LiteStemSpec(width, out, 1 if mid == width else mid / width)


def _read_lite_stage(modules: list) -> LiteStageSpec:
    rows = _rows(modules[0]["layers"])
    common = {"num_modules": len(modules), "with_fuse": "fuse_layers" in modules[0]}
    if "cross_resolution_weighting" not in rows[0]:
        channels = tuple(2 * branch["0"]["branch2"]["0"]["conv"]["weight"][0] for branch in rows)
        return LiteStageSpec(channels, num_blocks=len(_rows(rows[0])), module_type="NAIVE", **common)
    channels = tuple(2 * conv["conv"]["weight"][0] for conv in _rows(rows[0]["depthwise_convs"]))
    reduced, total, *_ = rows[0]["cross_resolution_weighting"]["conv1"]["conv"]["weight"]
    return LiteStageSpec(channels, num_blocks=len(rows), reduce_ratio=_reduction(reduced, total), **common)


def _reduction(reduced: int, total: int) -> int:
    """Of the ratios that lead to so many channels, the one of all published networks where it does."""
    published = LiteStageSpec.reduce_ratio
    return published if total // published == reduced else total // reduced
