"""The networks of the installed frameworks, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from hrnet_plugin.archs import find_arch


def as_extra(arch: str) -> dict:
    """A preset written as OpenMMLab's `extra`, the only form the frameworks take."""
    extra = {}
    for number, stage in enumerate(find_arch(arch).stages, start=1):
        extra[f"stage{number}"] = {
            "num_modules": stage.num_modules,
            "num_branches": len(stage.branches),
            "block": stage.branches[0].block,
            "num_blocks": tuple(branch.num_blocks for branch in stage.branches),
            "num_channels": tuple(branch.width for branch in stage.branches),
        }
    return extra


def _mmpose(extra: dict, **options):
    from mmpose.models.backbones import HRNet

    multiscale = options.pop("multiscale_output", True)
    extra["stage4"]["multiscale_output"] = multiscale
    return HRNet(extra, **options)


def _mmseg(extra: dict, **options):
    from mmseg.models.backbones import HRNet

    return HRNet(extra, **options)


def _mmdet(extra: dict, **options):
    from mmdet.models.backbones import HRNet

    return HRNet(extra, **{"norm_eval": False, **options})


def _mmpretrain(extra: dict, **options):
    from mmpretrain.models.backbones import HRNet

    return HRNet(extra=extra, **options)


UPSTREAM: Mapping[str, Callable] = {
    "mmpose": _mmpose,
    "mmseg": _mmseg,
    "mmdet": _mmdet,
    "mmpretrain": _mmpretrain,
}


@pytest.fixture(scope="session")
def upstream() -> Callable:
    """`upstream(framework, arch, **options)`: that framework's own HRNet, all scales unless told otherwise."""
    import hrnet_plugin  # noqa: F401 - lets the frameworks import

    return lambda framework, arch, **options: UPSTREAM[framework](as_extra(arch), **options)


@pytest.fixture
def extra_of() -> Callable[[str], dict]:
    """A preset written as OpenMMLab's `extra`."""
    return as_extra


#: A prime number of values: no layer begins where the one before began.
NOISE = torch.rand(1_000_003, generator=torch.Generator().manual_seed(0))


def made_up_values(net: nn.Module) -> dict[str, torch.Tensor]:
    """A value for everything in a network's state, of a size at which activations neither vanish nor overflow."""
    values, start = {}, 0
    for name, tensor in net.state_dict().items():
        count = tensor.numel()
        noise = NOISE.roll(-start).repeat(-(-count // len(NOISE)))[:count].reshape(tensor.shape)
        start = (start + count) % len(NOISE)
        if tensor.ndim == 0:
            values[name] = torch.zeros((), dtype=tensor.dtype)
        elif tensor.ndim > 1:
            values[name] = (noise - 0.5) * 2 * (6 / tensor[0].numel()) ** 0.5
        elif name.endswith("bias") or name.endswith("mean"):
            values[name] = noise * 0.4 - 0.2
        else:
            values[name] = noise + 0.25
    return values


def fill(net: nn.Module, values: Mapping[str, torch.Tensor]) -> nn.Module:
    """Puts `values` into a network that may be without storage; parameters are shared, statistics are copies."""
    learnt = {name for name, _ in net.named_parameters()}
    state = {name: value if name in learnt else value.clone() for name, value in values.items()}
    net.load_state_dict(state, strict=True, assign=True)
    return net


@pytest.fixture(scope="session")
def values_of() -> Callable[[nn.Module], dict[str, torch.Tensor]]:
    """Made-up values for everything in a network's state, the same at each call."""
    return made_up_values


@pytest.fixture(scope="session")
def with_values() -> Callable[..., nn.Module]:
    """`with_values(build, values)`: the network that `build` makes, without its own initialisation, holding `values`.

    Building the ten presets five times over costs more than running them; nearly all of it is random numbers that are
    overwritten at once.
    """

    def make(build: Callable[[], nn.Module], values: Mapping[str, torch.Tensor] | None = None) -> nn.Module:
        with torch.device("meta"):
            net = build()
        return fill(net, made_up_values(net) if values is None else values)

    return make


@pytest.fixture
def pose_samples() -> Callable[[list[tuple[int, int]]], list]:
    """`pose_samples(sizes)`: what mmpose's pipeline packs for two images of 64x48 with three kinds of keypoints, the
    first with two people and the second with three. Heatmaps have the given sizes (width, height); the left half of
    each image is masked out, keypoints 1 and 2 are each other's mirror images."""
    import numpy as np
    from mmpose.datasets.transforms import BottomupGetHeatmapMask, GenerateTarget, PackPoseInputs

    def pack(sizes: list[tuple[int, int]]) -> list:
        encoders = [
            {"type": "hrnet_plugin.AssociativeEmbedding", "input_size": (64, 48), "heatmap_size": size, "sigma": 1}
            for size in sizes
        ]
        generate = GenerateTarget(encoders, multilevel=True) if len(sizes) > 1 else GenerateTarget(encoders[0])
        steps = generate, BottomupGetHeatmapMask(), PackPoseInputs(meta_keys=("img_shape", "flip_indices"))
        random = np.random.default_rng(0)
        packed = []
        for num_people in (2, 3):
            results = {
                "img": np.zeros((48, 64, 3), dtype=np.uint8),
                "img_shape": (48, 64),
                "input_size": (64, 48),
                "flip_indices": [0, 2, 1],
                "warp_mat": np.eye(2, 3, dtype=np.float32),
                "keypoints": random.uniform(4, 44, (num_people, 3, 2)).astype(np.float32),
                "keypoints_visible": np.ones((num_people, 3), dtype=np.float32),
                "invalid_segs": [[[0, 0, 32, 0, 32, 48, 0, 48]]],
            }
            for step in steps:
                results = step.transform(results)
            packed.append(results["data_samples"])
        return packed

    return pack
