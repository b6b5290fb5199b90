"""timm's HRNet as a backbone: images to the features of every branch."""

from __future__ import annotations

from torch import Tensor, nn

from .upstream import check_installed

_STEM = ("conv1", "bn1", "act1", "conv2", "bn2", "act2")
_STAGES = ("layer1", "transition1", "stage2", "transition2", "stage3", "transition3", "stage4")


def build_timm(name: str) -> nn.Module:
    """timm's network of this name, without weights of its own.

    Raises:
        MissingDependency: timm is not installed.
    """
    check_installed("timm")
    import timm

    return TimmBackbone(timm.create_model(name))


class TimmBackbone(nn.Module):
    """The part of timm's classification network that HRNet's name stands for.

    Args:
        network: As timm builds it.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        for name in (*_STEM, *_STAGES):
            self.add_module(name, getattr(network, name))
        # timm's own way through the stages, which reads the modules by these names.
        self._run_stages = type(network).stages

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(N, 3, H, W) to one (N, C_i, H / 2**(i + 2), W / 2**(i + 2)) a branch."""
        for name in _STEM:
            images = getattr(self, name)(images)
        return tuple(self._run_stages(self, images))
