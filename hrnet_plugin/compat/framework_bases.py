"""Each `_base_` of another package is looked up in that package's whole index of models.

What broke: reading a config with `_base_ = ['mmpose::...']` takes tenths of a second for every such line: mmengine
reads all of the framework's metafiles, about 150, and most of these lines name a base that they do not even list.
Since mmengine 0.3.
Detected: mmengine's reader of metafiles remembers nothing.
Done: each file is read once a process.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType

from .fix import AfterImport, Finding


def _detect(utils: ModuleType) -> Finding:
    if hasattr(utils.load, "cache_info"):
        return Finding(False, "metafiles are remembered")
    return Finding(True, "every `_base_` of a framework reads its whole index")


def _act(utils: ModuleType) -> None:
    utils.load = cache(utils.load)


FIX = AfterImport(
    name="framework-bases",
    breakage="configs on a framework's own bases are slow to read",
    since="mmengine 0.3",
    target="mmengine.config.utils",
    detect=_detect,
    act=_act,
)
