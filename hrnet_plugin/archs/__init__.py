"""Descriptions of architectures, without torch."""

from .lite import LiteHRNetSpec, LiteStageSpec, LiteStemSpec
from .lite_openmmlab import read_lite_extra
from .openmmlab import CONVENTIONS, Conventions, read_branches, read_extra
from .spec import BranchSpec, Fusion, HRNetSpec, StageSpec
from .zoo import LITE_ZOO, ZOO, find_arch, find_lite_arch

__all__ = [
    "CONVENTIONS",
    "LITE_ZOO",
    "ZOO",
    "BranchSpec",
    "Conventions",
    "Fusion",
    "HRNetSpec",
    "LiteHRNetSpec",
    "LiteStageSpec",
    "LiteStemSpec",
    "StageSpec",
    "find_arch",
    "find_lite_arch",
    "read_branches",
    "read_extra",
    "read_lite_extra",
]
