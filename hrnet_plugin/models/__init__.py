"""The classes that configs name."""

from .backbones import HRNet
from .modules import BasicBlock, Bottleneck, HighResolutionModule

__all__ = ["BasicBlock", "Bottleneck", "HRNet", "HighResolutionModule"]
