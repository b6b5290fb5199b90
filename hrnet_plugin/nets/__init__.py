"""The networks, in torch alone."""

from .blocks import BasicBlock, Bottleneck
from .fuse import FuseLayer
from .hrnet import HRNet
from .layers import Layers
from .module import HighResolutionModule
from .transition import Transition

__all__ = ["BasicBlock", "Bottleneck", "FuseLayer", "HRNet", "HighResolutionModule", "Layers", "Transition"]
