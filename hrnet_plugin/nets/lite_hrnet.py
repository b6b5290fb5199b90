"""Lite-HRNet: the network of a description, without any framework."""

from __future__ import annotations

from torch import Tensor, nn

from ..archs.lite import LiteHRNetSpec
from .layers import Layers, keep_statistics
from .lite_ends import IterativeHead, LiteStem
from .lite_layers import LiteLayers
from .lite_module import LiteHighResolutionModule
from .transition import Transition


class LiteHRNet(nn.Module):
    """Lite high-resolution network (Yu et al., arXiv:2104.06403).

    Attribute names are those of the released weights: `stem transition0 stage0 transition1 .. head_layer`.

    Args:
        spec: The description.
        in_channels: Channels of the image.
        layers: Factories of convolutions and norms.
        norm_eval: Keep batch norms in evaluation mode while training, their statistics frozen.
        with_cp: Recompute the blocks' activations in the backward pass instead of keeping them.
    """

    def __init__(
        self,
        spec: LiteHRNetSpec,
        in_channels: int = 3,
        layers: Layers | None = None,
        norm_eval: bool = False,
        with_cp: bool = False,
    ):
        super().__init__()
        layers = LiteLayers.of(layers)
        self.spec = spec
        self.out_channels = spec.out_channels
        self.out_strides = spec.out_strides
        self.norm_eval = norm_eval
        self.stem = LiteStem(spec.stem, in_channels, layers)
        channels = (spec.stem.out_channels,)
        for index, stage in enumerate(spec.stages):
            modules = [LiteHighResolutionModule(stage, layers, with_cp) for _ in range(stage.num_modules)]
            self.add_module(f"transition{index}", Transition(channels, stage.channels, layers))
            self.add_module(f"stage{index}", nn.Sequential(*modules))
            channels = stage.channels
        self.head_layer = IterativeHead(channels, spec.branch_channels, layers) if spec.with_head else None

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """An image (N, in_channels, H, W) to one (N, out_channels[i], H / 2**(i+2), W / 2**(i+2)) an output."""
        branches = [self.stem(image)]
        for index in range(len(self.spec.stages)):
            branches = getattr(self, f"transition{index}")(branches)
            branches = getattr(self, f"stage{index}")(branches)
        if self.head_layer is not None:
            branches = self.head_layer(branches)
        return tuple(branches) if self.spec.multiscale_output else (branches[0],)

    def train(self, mode: bool = True) -> LiteHRNet:
        """Sets training mode, keeping all batch norms in evaluation mode with `norm_eval`."""
        super().train(mode)
        if mode and self.norm_eval:
            keep_statistics(self)
        return self
