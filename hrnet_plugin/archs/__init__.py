"""Descriptions of architectures, without torch."""

from .openmmlab import CONVENTIONS, Conventions, read_branches, read_extra
from .spec import BranchSpec, Fusion, HRNetSpec, StageSpec
from .zoo import ZOO, find_arch

__all__ = [
    "CONVENTIONS",
    "ZOO",
    "BranchSpec",
    "Conventions",
    "Fusion",
    "HRNetSpec",
    "StageSpec",
    "find_arch",
    "read_branches",
    "read_extra",
]
