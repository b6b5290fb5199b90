"""mmcv-lite has no `mmcv._ext`.

What broke: mmcv-lite ships `mmcv/ops/*.py`, which load the compiled module `mmcv._ext` when they are imported, but
not the compiled module; so `import mmpose.models`, `mmseg.models` and `mmdet.models` fail with
`No module named 'mmcv._ext'`. Since mmcv-lite 2.0.
Detected: no finder finds `mmcv._ext`, and no file of that name lies in mmcv's folder.
Done: a stand-in module whose functions say, when they are called, which operator was wanted and how to get full
mmcv. A compiled module that is there and does not load keeps its own error.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hrnet_plugin.errors import MissingDependency

from .fix import Finding, StandIn


def _detect(folders: list[str] | None) -> Finding:
    for folder in folders or ():
        for file in sorted(Path(folder).glob("_ext*")):
            return Finding(False, f"{file.name} is there, but this Python cannot load it: build mmcv again")
    return Finding(True, "mmcv has no compiled operators (mmcv-lite)")


FIX = StandIn(
    name="mmcv-ext",
    breakage="No module named 'mmcv._ext' on import mmpose.models",
    since="mmcv-lite 2.0",
    target="mmcv._ext",
    detect=_detect,
    source=Path(__file__).parent / "stand_ins" / "mmcv_ext.py",
)


def stands_in() -> bool:
    """Whether the operators of this process are the stand-in's, which only say that they are not there."""
    return getattr(sys.modules.get("mmcv._ext"), "__file__", None) == str(FIX.source)


def full_mmcv_needed(what: str, otherwise: str = "") -> MissingDependency:
    """The error for something that needs compiled operators on mmcv-lite.

    Args:
        what: What needs them.
        otherwise: What can be done without them, to follow "; ".
    """
    return MissingDependency(
        what,
        found="mmcv-lite, which has no compiled operators",
        expected="full mmcv 2.1.0",
        do="`make full` builds an environment with it; in your own: `pip uninstall mmcv-lite`, then "
        "`MMCV_WITH_OPS=1 pip install --no-build-isolation --no-deps --no-binary mmcv mmcv==2.1.0`"
        + (f"; {otherwise}" if otherwise else ""),
    )
