"""mmcv-lite has no `mmcv._ext`.

What broke: mmcv-lite ships `mmcv/ops/*.py`, which load the compiled module `mmcv._ext` when they are imported, but
not the compiled module; so `import mmpose.models`, `mmseg.models` and `mmdet.models` fail with
`No module named 'mmcv._ext'`. Since mmcv-lite 2.0.
Detected: no finder finds `mmcv._ext`, and no file of that name lies in mmcv's folder.
Done: a stand-in module whose functions say, when they are called, which operator was wanted and how to get full
mmcv. A compiled module that is there and does not load keeps its own error.
"""

from __future__ import annotations

from pathlib import Path

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
