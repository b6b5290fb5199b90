"""mmengine's gradient scaler has moved.

What broke: `torch.cuda.amp.GradScaler`, which AmpOptimWrapper builds, prints a FutureWarning each time.
Since torch 2.4.
Detected: mmengine's module holds that class, and torch has its successor.
Done: the module holds the successor, `torch.amp.GradScaler` for CUDA: the same scaler under its new name.
"""

from __future__ import annotations

from types import ModuleType

from .fix import AfterImport, Finding


def _detect(wrappers: ModuleType) -> Finding:
    import torch

    scaler = wrappers.GradScaler
    if scaler.__module__.startswith("torch.cuda.amp") and hasattr(torch.amp, "GradScaler"):
        return Finding(True, "torch.cuda.amp.GradScaler is deprecated")
    return Finding(False, f"mmengine uses {scaler.__module__}.{scaler.__qualname__}")


def _act(wrappers: ModuleType) -> None:
    import torch

    class GradScaler(torch.amp.GradScaler):
        """torch.amp.GradScaler for CUDA."""

        def __init__(self, *args: object, **kwargs: object):
            super().__init__("cuda", *args, **kwargs)

    wrappers.GradScaler = GradScaler


FIX = AfterImport(
    name="grad-scaler",
    breakage="FutureWarning: torch.cuda.amp.GradScaler(args...) is deprecated, with --amp",
    since="torch 2.4",
    target="mmengine.optim.optimizer.amp_optimizer_wrapper",
    detect=_detect,
    act=_act,
)
