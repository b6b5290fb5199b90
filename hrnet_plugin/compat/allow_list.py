"""What a checkpoint may ask for besides tensors.

What broke: torch loads with `weights_only=True`. A checkpoint of mmengine 0.10.7 holds its log history:
`HistoryBuffer`, numpy arrays and dtypes and, through the buffer's bound methods, `builtins.getattr`; so `--resume`
and `tools/test.py` refuse what mmengine itself wrote: `Weights only load failed`. Since torch 2.6.
Detected: torch loads weights only unless told otherwise (2.6 and later).
Done: those few names are allowed, and the one by which timm keeps its options. None of them leads to the real thing:
numpy's own reconstructors believe what the file says of a dtype (told that objects are plain numbers, they take bytes
of the file for pointers), a HistoryBuffer writes into its class, and `getattr` opens everything. So each name stands
for something in `saved_values` that checks its arguments and builds numbers, arrays of numbers, log histories and
options only.
"""

from __future__ import annotations

from types import ModuleType

from .fix import AfterImport, Finding


def allow() -> None:
    """Lets `torch.load` read what mmengine and timm write. Calling it again changes nothing."""
    import torch

    from . import saved_values

    torch.serialization.add_safe_globals(
        [
            (saved_values.rebuild_array, "numpy.core.multiarray._reconstruct"),
            (saved_values.rebuild_array, "numpy._core.multiarray._reconstruct"),
            (saved_values.rebuild_scalar, "numpy.core.multiarray.scalar"),
            (saved_values.rebuild_scalar, "numpy._core.multiarray.scalar"),
            (saved_values.SavedArray, "numpy.ndarray"),
            (saved_values.SavedDtype, "numpy.dtype"),
            (saved_values.SavedHistory, "mmengine.logging.history_buffer.HistoryBuffer"),
            (saved_values.statistic_name, "builtins.getattr"),
            (saved_values.empty_bytes, "builtins.bytes"),
            (saved_values.SavedArguments, "argparse.Namespace"),
        ]
    )


def loads_weights_only() -> bool:
    """Whether this torch takes names for its allow-list, which came with weights only as the default."""
    import torch

    return tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 6)


def _detect(history_buffer: ModuleType) -> Finding:
    import torch

    if loads_weights_only():
        return Finding(True, "torch loads weights only: log histories and arrays of numbers are allowed")
    return Finding(False, f"torch {torch.__version__} is older than 2.6")


FIX = AfterImport(
    name="checkpoint-allow-list",
    breakage="Weights only load failed on --resume and tools/test.py, for mmengine's own checkpoints",
    since="torch 2.6",
    target="mmengine.logging.history_buffer",
    detect=_detect,
    act=lambda history_buffer: allow(),
)
