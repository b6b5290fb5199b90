"""mmengine's data-parallel wrapper and a renamed argument.

What broke: mmengine wraps each model with `broadcast_buffers=False`, which torch renamed; each process prints a
FutureWarning of six lines when training starts. The new argument means something else at the start, so it is no way
out. Since torch 2.13 or shortly before.
Detected: torch's wrapper has the new argument, `forward_sync_buffers`.
Done: that one message is ignored while mmengine wraps a model.
"""

from __future__ import annotations

import functools
import inspect
from types import ModuleType

from .fix import AfterImport, Finding
from .import_warnings import ignored


def _detect(distributed: ModuleType) -> Finding:
    if "forward_sync_buffers" in inspect.signature(distributed.DistributedDataParallel.__init__).parameters:
        return Finding(True, "torch has renamed broadcast_buffers: its FutureWarning is not shown")
    return Finding(False, "this torch knows broadcast_buffers")


def _act(distributed: ModuleType) -> None:
    wrapper = distributed.MMDistributedDataParallel
    wrap = wrapper.__init__

    @functools.wraps(wrap)
    def wrap_quietly(self, *args: object, **kwargs: object) -> None:
        with ignored("`broadcast_buffers` is deprecated", FutureWarning):
            wrap(self, *args, **kwargs)

    wrapper.__init__ = wrap_quietly


FIX = AfterImport(
    name="ddp-buffers",
    breakage="FutureWarning: `broadcast_buffers` is deprecated, with --launcher",
    since="torch 2.13 (or before)",
    target="mmengine.model.wrappers.distributed",
    detect=_detect,
    act=_act,
)
