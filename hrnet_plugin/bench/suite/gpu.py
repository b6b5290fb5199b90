"""What is measured on a graphics card, apart from everything that a CPU computed."""

from __future__ import annotations

from dataclasses import replace

from ..cuda_graph import CUDA_GRAPH
from ..plans import Plan
from ..subjects import COMPILED
from .subjects import against, training, w32

_WAYS = (("torch", "fp32"), ("torch-compile", "fp32"), ("torch", "bf16"), (CUDA_GRAPH, "fp32"), (CUDA_GRAPH, "bf16"))
_BATCH = 64


def latency() -> Plan:
    """W32 at batch 1: eager, compiled, as a CUDA graph; the target is four times eager."""
    title = "On the card: HRNet-W32, 256x192 (height x width), batch 1"
    return Plan("gpu-latency", title, against(w32(), _WAYS), memory=True, minutes=8)


def throughput() -> Plan:
    """W32, a training step with autocast on both sides; the target is 1.5 times mmpose's."""
    first, ours = training(w32(_BATCH), ("bf16",))
    compiled = replace(ours, name="ours bf16, compiled", runtime=COMPILED)
    subjects = (replace(first, name="mmpose eager bf16", precision="bf16"), ours, compiled)
    title = f"On the card: a training step with autocast, HRNet-W32, 256x192, batch {_BATCH}"
    return Plan("gpu-training", title, subjects, memory=True, minutes=5)
