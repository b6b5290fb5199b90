"""The targets: what is measured, what it should be, and from which run it is read."""

from __future__ import annotations

from operator import attrgetter

from . import test_tool
from .goals import (
    Goal,
    best_speed_up,
    fastest_rise,
    latency_beside,
    memory_of,
    ratio_of,
    share_of_limit,
    speed_up_of,
    time_of,
    value_loss,
    value_of,
)

_LIMIT = "share of the limit: every convolution alone, oneDNN fp32, channels-last, same threads and run"


def _memory_goals() -> tuple[Goal, ...]:
    """How deep checkpointing goes, and what mmpose's own reaches, in each sense of memory."""
    senses = (
        ("resident memory, forward and backward", attrgetter("gradient_memory"), 45.0),
        ("resident memory, with Adam's step", attrgetter("memory"), None),
        ("all tensors, with Adam's step", attrgetter("tensor_memory"), None),
    )
    row, first = "training-memory", "training memory, W48 384x288, checkpointed: peak of"
    goals = []
    for words, of, bound in senses:
        for name in ("ours checkpointed", "ours nested", "mmpose with_cp"):
            limit = bound if name == "ours checkpointed" else None
            target = "reported" if limit is None else f"at most {limit:g} %"
            goals.append(
                Goal(row, row, f"{first} {words}; {name}", target, memory_of(name, of), limit, at_most=True, unit=" %")
            )
    for name, limit in (("ours checkpointed", 1.35), ("ours nested", None), ("mmpose with_cp", None)):
        target = "reported" if limit is None else f"at most {limit:g} times"
        what = f"training memory, W48 384x288, checkpointed: time; {name}"
        goals.append(Goal(row, row, what, target, time_of(name), limit, at_most=True))
    return tuple(goals)


GOALS: tuple[Goal, ...] = (
    Goal(
        "inference-fp32", "batch-1", "inference, batch 1, fp32, best runtime", "2.3 times", best_speed_up("fp32"), 2.3
    ),
    Goal("inference-fp32", "batch-1", _LIMIT, "85 %", share_of_limit, 85, unit=" %"),
    Goal(
        "inference-torch",
        "batch-1",
        "inference, batch 1, fp32, torch alone, with a C++ compiler",
        "1.9 times",
        speed_up_of("torch-compile fp32"),
        1.9,
    ),
    Goal(
        "inference-torch",
        "batch-1",
        "inference, batch 1, fp32, torch alone, without a compiler",
        "1.4 times",
        speed_up_of("torch fp32"),
        1.4,
    ),
    Goal("inference-low", "batch-1", "inference, batch 1, bf16", "4.3 times", best_speed_up("bf16"), 4.3),
    Goal("inference-low", "batch-1", "inference, batch 1, int8", "6.5 times", best_speed_up("int8"), 6.5),
    Goal(
        "accuracy",
        "accuracy",
        "accuracy kept, bf16: loss of AP on 500 held-out generated images",
        "at most 0.005",
        value_loss("bf16", "AP", "fp32"),
        0.005,
        at_most=True,
        unit="",
    ),
    Goal(
        "accuracy",
        "accuracy",
        "accuracy kept, int8 from 300 others: loss of AP on the same",
        "at most 0.01",
        value_loss("int8", "AP", "fp32"),
        0.01,
        at_most=True,
        unit="",
    ),
    Goal("accuracy", "accuracy", "real Lite-HRNet, fp32: AP", "reported", value_of("real fp32", "AP"), unit=""),
    Goal("accuracy", "accuracy", "real Lite-HRNet, bf16: AP", "reported", value_of("real bf16", "AP"), unit=""),
    Goal("accuracy", "accuracy", "real Lite-HRNet, int8: AP", "reported", value_of("real int8", "AP"), unit=""),
    Goal("batch-8", "batch-8", "inference, batch 8, fp32", "1.75 times", best_speed_up("fp32"), 1.75),
    Goal("batch-8", "batch-8", "inference, batch 8, bf16", "3.4 times", best_speed_up("bf16"), 3.4),
    Goal("batch-8", "batch-8", "inference, batch 8, int8", "6 times", best_speed_up("int8"), 6.0),
    Goal("training", "training", "training step, batch 8, fp32", "1.3 times", speed_up_of("ours fp32"), 1.3),
    Goal("training", "training", "training step, batch 8, bf16", "2.3 times", speed_up_of("ours bf16"), 2.3),
    *(
        Goal("training-options", "training-options", f"training step, {name}", "reported", speed_up_of(name))
        for name in ("fast", "fast, compiled", "fast, bf16, compiled", "fast, checkpointed")
    ),
    *_memory_goals(),
    Goal(
        "test-tool",
        "test-tool",
        "tools/test.py, whole process, W32, flip test, 500 generated images, default runtime",
        "1.3 times",
        speed_up_of(test_tool.DEFAULT),
        1.3,
    ),
    Goal("test-tool", "test-tool", "the same, best fp32 runtime", "2.2 times", best_speed_up("fp32"), 2.2),
    *(
        Goal("decoding", "decoding", f"decoding, batch 64, {way}", "5 times", speed_up_of(f"ours {way}"), 5.0)
        for way in ("plain", "DARK", "UDP")
    ),
    Goal(
        "segmentation",
        "segmentation",
        "segmentation, W18 FCN, 512x1024, batch 1, fp32, against mmseg",
        "2 times",
        best_speed_up("fp32"),
        2.0,
    ),
    Goal(
        "growth",
        "growth",
        "growth of latency with the pixels, 256x192 to 1024x768: exponent",
        "at most 1.05",
        fastest_rise,
        1.05,
        at_most=True,
        unit="",
    ),
    Goal(
        "growth",
        "structure",
        "growth with the width: W48 against W32, openvino fp32",
        "a plot",
        ratio_of("W48, openvino fp32", "W32, openvino fp32"),
    ),
    Goal(
        "growth",
        "structure",
        "growth with the branches: 5 against 4, openvino fp32",
        "a plot",
        ratio_of("5 branches, openvino fp32", "4 branches, openvino fp32"),
    ),
    Goal(
        "rivals",
        "batch-1",
        "RTMPose-m (random weights), fp32",
        "reported",
        latency_beside(("RTMPose-m openvino fp32", "RTMPose-m ncnn fp32")),
        unit=" ms",
    ),
    Goal(
        "rivals",
        "batch-1",
        "RTMPose-l (random weights), fp32",
        "reported",
        latency_beside(("RTMPose-l openvino fp32", "RTMPose-l ncnn fp32")),
        unit=" ms",
    ),
    Goal(
        "rivals",
        "choices",
        "latency against published accuracy: W48 384x288 against W32 256x192, openvino fp32",
        "a plot",
        ratio_of("W48 384x288", "W32 256x192"),
    ),
)

#: Held against the card's own eager network, never against a CPU.
GPU_GOALS: tuple[Goal, ...] = (
    Goal(
        "latency",
        "gpu-latency",
        "on the card: inference, batch 1, best way, against mmpose eager",
        "4 times",
        best_speed_up("fp32"),
        4.0,
    ),
    Goal("latency", "gpu-latency", "the same, bf16", "reported", best_speed_up("bf16")),
    Goal(
        "training",
        "gpu-training",
        "on the card: training step with autocast, against mmpose's with autocast",
        "1.5 times",
        speed_up_of("ours bf16"),
        1.5,
    ),
    Goal("training", "gpu-training", "the same, compiled", "reported", speed_up_of("ours bf16, compiled")),
    Goal(
        "training",
        "gpu-training",
        "the same: memory",
        "reported",
        memory_of("ours bf16"),
        unit=" %",
    ),
)
