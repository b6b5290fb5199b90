"""One HRNet for every OpenMMLab framework.

`type='hrnet_plugin.HRNet'` in a config of mmpose, mmseg, mmdet or mmpretrain builds the backbone. Importing this
package costs nothing heavy: the public classes are loaded at first use, and the fixes for what upstream broke
(`hrnet_plugin.compat`) each act when the module they mend is imported.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .compat import apply as _apply_compat
from .errors import MissingDependency
from .version import __version__

if TYPE_CHECKING:
    from .archs import HRNetSpec, LiteHRNetSpec
    from .deploy.load import load
    from .inspection.capture import capture_features
    from .models import HRFPN, BasicBlock, Bottleneck, HighResolutionModule, HRFuseScales, HRNet, HRNetV2Neck, LiteHRNet

_HOMES = {
    "HRNet": "hrnet_plugin.models",
    "HighResolutionModule": "hrnet_plugin.models",
    "BasicBlock": "hrnet_plugin.models",
    "Bottleneck": "hrnet_plugin.models",
    "HRFPN": "hrnet_plugin.models",
    "HRFuseScales": "hrnet_plugin.models",
    "HRNetV2Neck": "hrnet_plugin.models",
    "LiteHRNet": "hrnet_plugin.models",
    "HRNetSpec": "hrnet_plugin.archs",
    "LiteHRNetSpec": "hrnet_plugin.archs",
    "load": "hrnet_plugin.deploy.load",
    "capture_features": "hrnet_plugin.inspection.capture",
}

__all__ = [
    "HRFPN",
    "BasicBlock",
    "Bottleneck",
    "HRFuseScales",
    "HRNet",
    "HRNetSpec",
    "HRNetV2Neck",
    "HighResolutionModule",
    "LiteHRNet",
    "LiteHRNetSpec",
    "__version__",
    "capture_features",
    "load",
]

_apply_compat()


def __getattr__(name: str):
    if name == "inference":
        return importlib.import_module("hrnet_plugin.inference")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'hrnet_plugin' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(home), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "hrnet_plugin":
            raise
        raise MissingDependency(
            f"hrnet_plugin.{name}",
            found=f"no module named {error.name!r}",
            expected="torch, mmengine and mmcv (or mmcv-lite) installed",
            do="`hrnet doctor` prints the commands that install what is missing",
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
