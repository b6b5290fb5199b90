"""mmpose's heads turn their output into numpy arrays while they train.

What broke: heads compute the training accuracy on numpy arrays, and numpy has no bfloat16: under bfloat16 autocast
(what `--amp` means on the CPU) the first step stops with `Got unsupported ScalarType BFloat16`. Since mmpose 1.0.
Detected: `to_numpy` of a bfloat16 number fails.
Done: bfloat16 tensors become float32 first, which holds every value of theirs exactly.
"""

from __future__ import annotations

import functools
import sys
from types import ModuleType

from .fix import AfterImport, Finding


def _detect(tensor_utils: ModuleType) -> Finding:
    import torch

    try:
        tensor_utils.to_numpy(torch.zeros(1, dtype=torch.bfloat16))
    except TypeError:
        return Finding(True, "mmpose's to_numpy does not take bfloat16")
    return Finding(False, "mmpose's to_numpy takes bfloat16")


def _act(tensor_utils: ModuleType) -> None:
    import torch

    original = tensor_utils.to_numpy

    @functools.wraps(original)
    def to_numpy(x, *args: object, **kwargs: object):
        if isinstance(x, torch.Tensor) and x.dtype == torch.bfloat16:
            x = x.float()
        return original(x, *args, **kwargs)

    tensor_utils.to_numpy = to_numpy
    # Modules that were imported before hold the function under their own name.
    for name, module in list(sys.modules.items()):
        if name.startswith("mmpose.") and vars(module).get("to_numpy") is original:
            module.to_numpy = to_numpy


FIX = AfterImport(
    name="bf16-to-numpy",
    breakage="TypeError: Got unsupported ScalarType BFloat16 from mmpose's heads, with --amp on CPU",
    since="mmpose 1.0",
    target="mmpose.utils.tensor_utils",
    detect=_detect,
    act=_act,
)
