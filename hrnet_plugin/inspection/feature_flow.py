"""The flow of features through an HRNet: which modules to look at, and what was seen there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .capture import Feature, capture_features, tensors_in
from .places import BRANCH, Places

#: Title of the last step: what the whole network gives.
OUTPUT = "output"
#: Standard deviation up to which a channel is the same everywhere.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Column:
    """A step of the flow that is drawn as one column.

    Args:
        title: As `stage 2, before fusion`.
        modules: Name of the module of each branch and, where the module gives several tensors, which of them; None
            where there is no such branch.
    """

    title: str
    modules: tuple[tuple[str, int | None] | None, ...]


@dataclass(frozen=True)
class FlowCell:
    """What one branch gave at one step.

    Args:
        column: Title of the step.
        branch: 0 for the highest resolution.
        module: Name of the module.
        output: Which of its outputs, None where it has one.
        values: (C, H, W) float32, of one image.
    """

    column: str
    branch: int
    module: str
    output: int | None
    values: np.ndarray

    @property
    def key(self) -> str:
        """Name in a file of arrays: the module's, with the number of the output after a colon."""
        return self.module if self.output is None else f"{self.module}:{self.output}"

    def statistics(self) -> dict[str, float]:
        """Mean, deviation and extremes of all values; the share of values that are 0, of channels that are constant."""
        values = self.values.astype(np.float64)
        flat = values.reshape(len(values), -1)
        return {
            "mean": float(values.mean()),
            "std": float(values.std()),
            "min": float(values.min()),
            "max": float(values.max()),
            "zeros": float((values == 0).mean()),
            "constant_channels": float((flat.std(axis=1) <= _CONSTANT).mean()),
        }


def flow_columns(network: nn.Module, all_modules: bool = False) -> list[Column]:
    """The steps of a network: stem, stage 1, each stage before and after its fusion, neck.

    Args:
        network: A model of any of the frameworks, or a bare backbone; ours or the frameworks' own.
        all_modules: All high-resolution modules of each stage, in the place of the last one.
    """
    places = Places(network)
    prefix = places.backbone_name
    modules = dict(network.named_modules())
    if prefix is None:
        return _ends(modules, None)
    inside = f"{prefix}." if prefix else ""
    columns = [
        Column(title, ((f"{inside}{name}", None),))
        # Of `relu`, which stands after both convolutions of the stem, what it gave last is kept.
        for title, name in (("stem", "stem" if f"{inside}stem" in modules else "relu"), ("stage 1", "layer1"))
        if f"{inside}{name}" in modules
    ]
    stages = [name for name in modules if name.startswith(f"{inside}stage") and name.count(".") == inside.count(".")]
    for stage in stages:
        count = len(modules[stage])
        for index in range(count) if all_modules else (count - 1,):
            columns += _around_fusion(modules, places, f"{stage}.{index}", stage.removeprefix(f"{inside}stage"), count)
    return columns + _ends(modules, prefix)


def capture_flow(
    network: nn.Module, columns: Sequence[Column], run: Callable[[], object], image: int = 0
) -> list[FlowCell]:
    """Runs a network and gives what was seen at the steps, and at the end what the network itself gave.

    Args:
        network: In the mode in which it is to be looked at.
        columns: Of :func:`flow_columns`.
        run: Runs the network once, on a batch, and gives its outputs (N, C, H, W).
        image: Which image of the batch.
    """
    names = dict.fromkeys(entry[0] for column in columns for entry in column.modules if entry)
    chosen = functools.partial(_of_image, image=image)
    with capture_features(network, names, keep=chosen) as features, torch.no_grad():
        output = run()
    cells = [
        cell
        for column in columns
        for branch, entry in enumerate(column.modules)
        if entry and (cell := _cell(column.title, branch, entry, features))
    ]
    for index, tensor in enumerate(tensors_in(output)):
        cells.append(FlowCell(OUTPUT, index, "output", index, _as_numpy(_of_image(tensor, image))))
    return cells


def _around_fusion(
    modules: Mapping[str, nn.Module], places: Places, name: str, number: str, count: int
) -> list[Column]:
    """The steps before and after the fusion of one high-resolution module."""
    title = f"stage {number}" + (f", module {int(name.rpartition('.')[2]) + 1}" if count > 1 else "")
    branches: dict[int, str] = {}
    for inner in modules:
        if inner.startswith(f"{name}."):
            place = places.of(inner)
            if place.kind == BRANCH and place.branch is not None and inner.count(".") == name.count(".") + 2:
                branches[place.branch] = inner
    fused = [key for key in modules if key.startswith(f"{name}.fuse_layers.") and key.count(".") == name.count(".") + 2]
    width = max(len(branches), len(fused), 1)
    before = tuple((branches[index], None) if index in branches else None for index in range(width))
    if not branches and f"{name}.layers" in modules:  # Lite-HRNet's blocks hold all branches: the last of them
        before = tuple((f"{name}.layers.{len(modules[f'{name}.layers']) - 1}", index) for index in range(width))
    columns = [Column(f"{title}, before fusion", before)] if any(before) else []
    return [*columns, Column(f"{title}, after fusion", tuple((name, index) for index in range(width)))]


def _ends(modules: Mapping[str, nn.Module], backbone: str | None) -> list[Column]:
    """The steps behind the stages; the backbone as a whole where nothing is known of its inside."""
    names = {"backbone": "backbone"} if backbone is None else {}
    return [Column(title, ((name, None),)) for name, title in {**names, "neck": "neck"}.items() if name in modules]


def _cell(title: str, branch: int, entry: tuple[str, int | None], features: Mapping[str, Feature]) -> FlowCell | None:
    name, output = entry
    feature = features.get(name)
    if isinstance(feature, tuple):
        output = output or 0
        feature = feature[output] if output < len(feature) else None
    elif output:
        return None
    return None if feature is None else FlowCell(title, branch, name, output, _as_numpy(feature))


def _of_image(tensor: Tensor, image: int) -> Tensor:
    return tensor[image].clone()


def _as_numpy(tensor: Tensor) -> np.ndarray:
    values = tensor.float().cpu().numpy()
    return values if values.ndim == 3 else values.reshape(-1, 1, 1)
