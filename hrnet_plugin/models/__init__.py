"""The classes that configs name."""

from .backbones import HRNet
from .lite_hrnet import LiteHRNet
from .modules import BasicBlock, Bottleneck, HighResolutionModule
from .necks import HRFPN, HRFuseScales, HRNetV2Neck

__all__ = [
    "HRFPN",
    "BasicBlock",
    "Bottleneck",
    "HRFuseScales",
    "HRNet",
    "HRNetV2Neck",
    "HighResolutionModule",
    "LiteHRNet",
]
