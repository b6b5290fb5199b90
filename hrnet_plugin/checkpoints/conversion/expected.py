"""The weights that a backbone has, by name and shape: what a checkpoint is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import torch
from torch import Tensor, nn

from ...archs import LITE_ZOO, ZOO, HRNetSpec, LiteHRNetSpec
from ...errors import CheckpointError
from ...nets import HRNet, Layers, LiteHRNet
from .structure import Shapes, read_spec

Spec = HRNetSpec | LiteHRNetSpec
#: A counter that batch norms have since torch 0.4.1; nothing is computed from it.
COUNTER = "num_batches_tracked"
_LITE = ("stem.", "stage0.", "transition0.", "head_layer.")


def shapes_of(weights: Mapping[str, Tensor], prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Shapes of the weights whose names begin with `prefix`, by their names without it."""
    return {key[len(prefix) :]: tuple(value.shape) for key, value in weights.items() if key.startswith(prefix)}


def find_spec(shapes: Shapes, described: Spec | None = None) -> Spec:
    """The network that a backbone's weights are of, or were of before some were lost.

    The one that the checkpoint describes, where they are a part of it. Otherwise what their names and shapes say, with
    any widths, blocks, modules and branches; where that leaves gaps, or has fewer stages than all published networks,
    the preset that they are the largest part of, or else differ least from.

    Args:
        shapes: Of the backbone's weights.
        described: What the checkpoint says of itself.

    Raises:
        CheckpointError: they are of no network at all.
    """
    if described is not None and _is_part(shapes, described):
        return described
    published = _published(any(key.startswith(_LITE) for key in shapes))
    try:
        read, unreadable = read_spec(shapes), None
    except CheckpointError as error:
        read, unreadable = None, error
    if read is not None and len(read.stages) >= len(published[0].stages) and not _missing(shapes, read):
        return read
    wholes = [spec for spec in published if _is_part(shapes, spec)]
    if wholes:
        return min(wholes, key=lambda spec: len(_missing(shapes, spec)))
    likeliest = min([*published, *([read] if read else [])], key=lambda spec: _disagreements(shapes, spec))
    if unreadable is not None and _disagreements(shapes, likeliest) > len(shapes) // 2:
        raise unreadable
    return likeliest


def name_network(spec: Spec) -> str:
    """A network in a few words: its preset where it is one."""
    kind = type(spec).__name__.removesuffix("Spec")
    presets = {**ZOO, **LITE_ZOO}.items()
    known = next((name for name, preset in presets if preset.stages == spec.stages), "of no preset")
    several = ", all scales" if spec.multiscale_output and len(spec.out_channels) > 1 else ""
    return f"{kind} {known}{several}"


def backbone_shapes(spec: Spec, like: Shapes) -> Mapping[str, tuple[int, ...]]:
    """Shapes of all weights of a backbone, those of the image and the kind of its norms as in `like`."""
    entrance = like.get("conv1.weight") or like.get("stem.conv1.conv.weight")
    channels = entrance[1] if entrance and len(entrance) == 4 else 3
    group_norm = any(key.rpartition(".")[0].endswith(("gn1", ".gn")) for key in like)
    return _build_shapes(spec, channels or 3, group_norm)


@lru_cache(maxsize=64)
def _build_shapes(spec: Spec, in_channels: int, group_norm: bool) -> Mapping[str, tuple[int, ...]]:
    layers = Layers(norm=lambda channels: nn.GroupNorm(1, channels), norm_name="gn") if group_norm else None
    with torch.device("meta"):
        network = (HRNet if isinstance(spec, HRNetSpec) else LiteHRNet)(spec, in_channels, layers=layers)
    return shapes_of(network.state_dict())


def _published(lite: bool) -> list[Spec]:
    if lite:
        return list(LITE_ZOO.values())
    return [spec.with_choices(multiscale_output=several) for several in (True, False) for spec in ZOO.values()]


def _is_part(shapes: Shapes, spec: Spec) -> bool:
    whole = backbone_shapes(spec, shapes)
    return all(whole.get(key) == shape for key, shape in shapes.items())


def _missing(shapes: Shapes, spec: Spec) -> list[str]:
    return [key for key in backbone_shapes(spec, shapes) if key not in shapes and not key.endswith(COUNTER)]


def _disagreements(shapes: Shapes, spec: Spec) -> int:
    whole = backbone_shapes(spec, shapes)
    return len(_missing(shapes, spec)) + sum(whole.get(key) != shape for key, shape in shapes.items())
