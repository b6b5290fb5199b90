"""Data-parallel training of a model that lies on the CPU.

What broke: mmengine's runner wraps the model with `device_ids=[LOCAL_RANK]` whatever device it is on; torch refuses:
`device_ids and output_device arguments only work with single-device/multiple-device GPU modules`. Since mmengine 0.1.
Detected: mmengine's device is the CPU.
Done: MMDistributedDataParallel drops both arguments for a module whose parameters all lie on the CPU.
"""

from __future__ import annotations

import functools
from types import ModuleType

from .fix import AfterImport, Finding


def _detect(distributed: ModuleType) -> Finding:
    from mmengine.device import get_device

    device = get_device()
    if device == "cpu":
        return Finding(True, "no accelerator: models are wrapped without device_ids")
    return Finding(False, f"models lie on {device}")


def _act(distributed: ModuleType) -> None:
    wrapper = distributed.MMDistributedDataParallel
    wrap = wrapper.__init__

    @functools.wraps(wrap)
    def wrap_anywhere(self, module, *args: object, **kwargs: object) -> None:
        if all(parameter.device.type == "cpu" for parameter in module.parameters()):
            kwargs.update(device_ids=None, output_device=None)
        wrap(self, module, *args, **kwargs)

    wrapper.__init__ = wrap_anywhere


FIX = AfterImport(
    name="ddp-on-cpu",
    breakage="device_ids and output_device arguments only work with GPU modules, with --launcher on CPU",
    since="mmengine 0.1",
    target="mmengine.model.wrappers.distributed",
    detect=_detect,
    act=_act,
)
