"""The networks, in torch alone."""

from .blocks import BasicBlock, Bottleneck
from .classification_fusion import ClassificationFusion
from .concat_scales import ConcatScales
from .fuse import FuseLayer
from .hrfpn import HRFPN
from .hrnet import HRNet
from .layers import Layers
from .lite_hrnet import LiteHRNet
from .module import HighResolutionModule
from .transition import Transition

__all__ = [
    "HRFPN",
    "BasicBlock",
    "Bottleneck",
    "ClassificationFusion",
    "ConcatScales",
    "FuseLayer",
    "HRNet",
    "HighResolutionModule",
    "Layers",
    "LiteHRNet",
    "Transition",
]
