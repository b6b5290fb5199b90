"""One file for each thing that upstream broke: what, since when, how it is detected and what is done.

`apply` costs next to nothing: it stands one finder in front of Python's own, which runs each fix when the module that
it mends is imported, and only where the breakage is there. `reports` tells what became of them.
"""

from __future__ import annotations

from . import (
    albumentations_update,
    allow_list,
    bf16_to_numpy,
    checkpoint_reading,
    cpu_amp,
    ddp_buffers,
    ddp_on_cpu,
    framework_bases,
    gathered_results,
    grad_scaler,
    import_warnings,
    launchers,
    mmcv_ext,
    package_resources,
    patient_broadcast,
    sync_bn,
    torchvision_ops,
    yaml_files,
)
from .finder import FixFinder
from .fix import Fix, Report

FIXES: tuple[Fix, ...] = (
    mmcv_ext.FIX,
    torchvision_ops.FIX,
    package_resources.FIX,
    *import_warnings.FIXES,
    allow_list.FIX,
    checkpoint_reading.FIX,
    yaml_files.FIX,
    launchers.FIX,
    patient_broadcast.FIX,
    gathered_results.FIX,
    ddp_on_cpu.FIX,
    ddp_buffers.FIX,
    sync_bn.FIX,
    sync_bn.FIX_WRAPPER,
    cpu_amp.FIX,
    bf16_to_numpy.FIX,
    grad_scaler.FIX,
    framework_bases.FIX,
    albumentations_update.FIX,
)

_finder: FixFinder | None = None


def apply() -> None:
    """Makes every fix act when the module that it mends is imported. The second call does nothing."""
    global _finder
    if _finder is None:
        _finder = FixFinder(FIXES)
        _finder.install()


def reports() -> dict[str, Report]:
    """What became of each fix in this process, by its name."""
    return {} if _finder is None else dict(_finder.reports)
