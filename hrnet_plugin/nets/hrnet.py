"""HRNet: the network of a description, without any framework."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ..archs.spec import HRNetSpec
from ..errors import SpecError
from .blocks import ResidualBlock, build_branch
from .layers import Layers, keep_statistics
from .module import HighResolutionModule
from .recompute import Recomputing, check_recomputing, recomputed
from .transition import Transition


class HRNet(nn.Module):
    """High-resolution network (Wang et al., arXiv:1908.07919; Sun et al., arXiv:1902.09212).

    Attribute names are those of the released weights: `conv1 bn1 conv2 bn2 layer1 transition1.. stage2..`.

    Args:
        spec: The description.
        in_channels: Channels of the image.
        layers: Factories of convolutions and norms.
        norm_eval: Keep batch norms in evaluation mode while training, their statistics frozen.
        with_cp: Keep what enters stem, blocks of stage 1, transitions and modules, and recompute the rest in the
            backward pass; with `'nested'` also within the modules block by block, which takes less memory and more
            time.
        frozen_stages: Freeze the stem (0), stage 1 and the transition after it (1), and so on; -1 freezes nothing.

    Raises:
        SpecError: if `frozen_stages` names a stage that is not there, or for another `with_cp`.
    """

    def __init__(
        self,
        spec: HRNetSpec,
        in_channels: int = 3,
        layers: Layers | None = None,
        norm_eval: bool = False,
        with_cp: Recomputing = False,
        frozen_stages: int = -1,
    ):
        super().__init__()
        if frozen_stages not in range(-1, len(spec.stages) + 1):
            raise SpecError("frozen_stages", found=repr(frozen_stages), expected=f"-1 to {len(spec.stages)}")
        check_recomputing(with_cp)
        layers = layers or Layers()
        self.spec = spec
        self.out_channels = spec.out_channels
        self.out_strides = spec.out_strides
        self.norm_eval = norm_eval
        self.with_cp = with_cp
        self.frozen_stages = frozen_stages
        self._norm_name = layers.norm_name
        self._build_stem(in_channels, layers)
        first = spec.stages[0].branches[0]
        self.layer1 = build_branch(first, spec.stem_width, layers, bool(with_cp))
        for number in range(2, len(spec.stages) + 1):
            self._build_stage(number, layers, with_cp)
        self._freeze()

    def _build_stem(self, in_channels: int, layers: Layers) -> None:
        width = self.spec.stem_width
        self.conv1 = layers.conv3x3(in_channels, width, stride=2)
        self.add_module(f"{self._norm_name}1", layers.norm(width))
        self.conv2 = layers.conv3x3(width, width, stride=2)
        self.add_module(f"{self._norm_name}2", layers.norm(width))
        self.relu = nn.ReLU(inplace=True)

    def _build_stage(self, number: int, layers: Layers, with_cp: Recomputing) -> None:
        before, stage = self.spec.stages[number - 2 : number]
        is_last = number == len(self.spec.stages)
        # Transitions lead to the channels that leave a branch, not to its base width, so that the first block of a
        # bottleneck branch keeps an identity shortcut. Released weights are laid out so.
        transition = Transition(before.out_channels, stage.out_channels, layers, bool(with_cp))
        self.add_module(f"transition{number - 1}", transition)
        modules = []
        for index in range(stage.num_modules):
            single = is_last and index == stage.num_modules - 1 and not self.spec.multiscale_output
            modules.append(
                HighResolutionModule(
                    stage.branches,
                    stage.out_channels,
                    self.spec.fusion,
                    multiscale_output=not single,
                    layers=layers,
                    with_cp=with_cp,
                )
            )
        self.add_module(f"stage{number}", nn.Sequential(*modules))

    @property
    def norm1(self) -> nn.Module:
        """The norm of the first stem convolution, whatever its attribute is called."""
        return getattr(self, f"{self._norm_name}1")

    @property
    def norm2(self) -> nn.Module:
        """The norm of the second stem convolution, whatever its attribute is called."""
        return getattr(self, f"{self._norm_name}2")

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """An image (N, in_channels, H, W) to one (N, out_channels[i], H / 2**(i+2), W / 2**(i+2)) a branch."""
        x = recomputed(self._stem_layers(), self._stem, x) if self.with_cp else self._stem(x)
        branches = [self.layer1(x)]
        for number in range(2, len(self.spec.stages) + 1):
            branches = getattr(self, f"transition{number - 1}")(branches)
            branches = getattr(self, f"stage{number}")(branches)
        return tuple(branches)

    def _stem_layers(self) -> nn.ModuleList:
        return nn.ModuleList((self.conv1, self.norm1, self.conv2, self.norm2))

    def _stem(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.norm2(self.conv2(x)))

    def residual_blocks(self) -> Iterator[ResidualBlock]:
        """Every residual block of the network."""
        return (module for module in self.modules() if isinstance(module, ResidualBlock))

    def train(self, mode: bool = True) -> HRNet:
        """Sets training mode, keeping frozen stages (and, with `norm_eval`, all batch norms) in evaluation mode."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            keep_statistics(self)
        return self

    def _frozen_modules(self) -> Iterator[nn.Module]:
        if self.frozen_stages >= 0:
            yield from self._stem_layers()
        for number in range(1, self.frozen_stages + 1):
            yield self.layer1 if number == 1 else getattr(self, f"stage{number}")
            if number < len(self.spec.stages):
                yield getattr(self, f"transition{number}")

    def _freeze(self) -> None:
        for module in self._frozen_modules():
            module.eval()
            module.requires_grad_(False)
