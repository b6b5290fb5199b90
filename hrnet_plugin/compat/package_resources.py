"""setuptools without `pkg_resources`.

What broke: setuptools dropped `pkg_resources`; mmengine 0.10.7 imports it in `is_installed` and `get_installed_path`,
which mmpose.apis calls at import: `No module named 'pkg_resources'`. Since setuptools 81.
Detected: no finder finds `pkg_resources`.
Done: a stand-in with the two names that the OpenMMLab packages use, on top of importlib.metadata.
"""

from __future__ import annotations

from pathlib import Path

from .fix import Finding, StandIn


def _detect(folders: list[str] | None) -> Finding:
    return Finding(True, "setuptools >= 81, or none, is installed")


FIX = StandIn(
    name="pkg-resources",
    breakage="No module named 'pkg_resources' on import mmpose.apis",
    since="setuptools 81",
    target="pkg_resources",
    detect=_detect,
    source=Path(__file__).parent / "stand_ins" / "pkg_resources.py",
)
