"""The networks of the installed frameworks, to compare with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

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
