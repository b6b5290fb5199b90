"""Mixed precision on the CPU.

What broke: `--amp` on a machine without accelerator stops in an assertion of AmpOptimWrapper, for every dtype, though
CPUs train in bfloat16. Since mmengine 0.1.
Detected: mmengine's device is the CPU.
Done: the wrapper runs under bfloat16 autocast. bfloat16 has the range of float32, so losses need no scaling: any
`loss_scale` is accepted and the scaler does nothing. float16 is refused, since CPU kernels for its training are
missing; so are the other dtypes, for which autocast does nothing.
"""

from __future__ import annotations

import functools
from types import ModuleType

from ..errors import ConfigError
from .fix import AfterImport, Finding


def _detect(wrappers: ModuleType) -> Finding:
    from mmengine.device import get_device

    device = get_device()
    if device == "cpu":
        return Finding(True, "no accelerator: --amp means bfloat16 autocast")
    return Finding(False, f"mixed precision runs on {device}")


def _act(wrappers: ModuleType) -> None:
    import torch

    class NoScaling(torch.amp.GradScaler):
        """A scaler that leaves losses as they are, and saves the state that a GPU's scaler starts from."""

        def __init__(self) -> None:
            super().__init__("cpu", enabled=False)

        def state_dict(self) -> dict:
            return torch.amp.GradScaler("cpu").state_dict()

    wrapper = wrappers.AmpOptimWrapper
    original = wrapper.__init__

    @functools.wraps(original)
    def start(self, loss_scale="dynamic", dtype=None, use_fsdp=False, **kwargs) -> None:
        _check(loss_scale, dtype, use_fsdp)
        super(wrapper, self).__init__(**kwargs)
        self._scale_update_param = None
        self.loss_scaler = NoScaling()
        self.cast_dtype = torch.bfloat16

    wrapper.__init__ = start


def _check(loss_scale: object, dtype: object, use_fsdp: bool) -> None:
    name = str(dtype).removeprefix("torch.")
    if dtype is not None and name != "bfloat16":
        raise ConfigError(
            "optim_wrapper.dtype on a machine without accelerator",
            found=name,
            expected="bfloat16",
            do="Leave dtype out of optim_wrapper, or train without --amp",
        )
    if loss_scale != "dynamic" and not isinstance(loss_scale, float | int | dict):
        raise ConfigError("optim_wrapper.loss_scale", found=repr(loss_scale), expected="a float, a dict or 'dynamic'")
    if use_fsdp:
        raise ConfigError("optim_wrapper.use_fsdp", found=True, expected="False on a machine without accelerator")


FIX = AfterImport(
    name="amp-on-cpu",
    breakage="AssertionError: AmpOptimizerWrapper is only available training on gpu, npu, mlu or musa",
    since="mmengine 0.1",
    target="mmengine.optim.optimizer.amp_optimizer_wrapper",
    detect=_detect,
    act=_act,
)
