"""What the suite of targets measures together."""

from __future__ import annotations

from dataclasses import replace

from ..plans import Plan
from ..subjects import COMPILED, DECODING, EAGER, TRAINING, Network, Subject
from .subjects import BASELINE, against, codecs, rtmpose, segmentation, training, w32, w48

_FP32 = tuple((runtime, "fp32") for runtime in ("torch", "torch-compile", "onnxruntime", "openvino", "ncnn"))
_ALL = (*_FP32, ("openvino", "bf16"), ("openvino", "int8"))
#: (width, height), from 256x192 to 1024x768 in the other order of MMPose's names.
SIZES = ((192, 256), (288, 384), (384, 512), (576, 768), (768, 1024))
_GROWTH = ("torch", "openvino", "ncnn")
_MODULES = (1, 1, 4, 3, 3)


def batch_one() -> Plan:
    """W32 at batch 1 through every runtime, and RTMPose beside it."""
    rivals = tuple(
        Subject(f"RTMPose-{letter} {runtime} fp32", rtmpose(letter), runtime=runtime)
        for letter in "ml"
        for runtime in ("openvino", "ncnn")
    )
    subjects = (*against(w32(), _ALL), *rivals)
    title = "Inference: HRNet-W32, 256x192 (height x width), batch 1"
    return Plan("batch-1", title, subjects, memory=True, parts=(BASELINE,), minutes=18)


def batch_eight() -> Plan:
    """W32 at batch 8 through every runtime."""
    title = "Inference: HRNet-W32, 256x192 (height x width), batch 8"
    return Plan("batch-8", title, against(w32(8), _ALL), minutes=50)


def training_step() -> Plan:
    """W32, a training step at batch 8."""
    subjects = training(w32(8), ("fp32", "bf16"))
    return Plan(
        "training",
        "Training step: HRNet-W32, 256x192, batch 8",
        subjects,
        settle=False,
        apart=True,
        share=1 / 3,
        minutes=12,
    )


def training_memory() -> Plan:
    """W48 at 384x288, batch 4: recomputed activations against kept ones."""
    theirs, ours = w48(4)
    first, fast = training((theirs, ours), ("fp32",))
    fast = replace(fast, freed_memory="return")
    subjects = (
        first,
        Subject("mmpose with_cp", _recomputing(theirs, True), theirs, role=TRAINING),
        replace(fast, name="ours checkpointed", network=_recomputing(fast.network, True)),
        replace(fast, name="ours nested", network=_recomputing(fast.network, "nested")),
    )
    title = "Training memory: HRNet-W48, 384x288, batch 4"
    return Plan("training-memory", title, subjects, settle=False, apart=True, share=1 / 10, memory=True, minutes=20)


def _recomputing(network: Network, how: bool | str) -> Network:
    return replace(network, options={**network.options, "model.backbone.with_cp": how})


def training_options() -> Plan:
    """W32, a training step with each option of `hrnet train` by itself, and its memory."""
    theirs, ours = w32(8)
    fused = {"optim_wrapper.optimizer.fused": True}
    plain = Subject("ours", ours, theirs, role=TRAINING)
    fast = replace(plain, name="fast", network=replace(ours, options=fused), channels_last=True, freed_memory="keep")
    checkpointed, nested = (_recomputing(fast.network, how) for how in (True, "nested"))
    accumulated = {"optim_wrapper.accumulative_counts": 4}
    subjects = (
        Subject(BASELINE, theirs, role=TRAINING),
        plain,
        replace(plain, name="channels-last", channels_last=True),
        replace(plain, name="fused optimizer", network=fast.network),
        replace(plain, name="keep memory", freed_memory="keep"),
        replace(plain, name="bf16", precision="bf16"),
        replace(plain, name="compiled", runtime=COMPILED),
        replace(plain, name="checkpointed", network=_recomputing(ours, True), freed_memory="return"),
        replace(plain, name="nested", network=_recomputing(ours, "nested"), freed_memory="return"),
        replace(plain, name="accumulate 4", network=replace(ours, options=accumulated)),
        fast,
        replace(fast, name="fast, checkpointed", network=checkpointed, freed_memory="return"),
        replace(fast, name="fast, nested", network=nested, freed_memory="return"),
        replace(fast, name="fast, bf16", precision="bf16"),
        replace(fast, name="fast, bf16, checkpointed", network=checkpointed, precision="bf16", freed_memory="return"),
        replace(fast, name="fast, compiled", runtime=COMPILED),
        replace(fast, name="fast, bf16, compiled", runtime=COMPILED, precision="bf16"),
    )
    title = "Training options: HRNet-W32, 256x192, batch 8, a step with each"
    return Plan("training-options", title, subjects, settle=False, apart=True, share=1 / 10, memory=True, minutes=40)


def decoding_run() -> Plan:
    """Heatmaps of 64 images to keypoints, in each way of decoding."""
    subjects = []
    for way, network in codecs(64).items():
        first = Subject(f"mmpose {way}", network, role=DECODING)
        subjects += [first, Subject(f"ours {way}", network, network, role=DECODING, runtime="whole batch")]
    title = "Decoding: heatmaps of 64 images to keypoints, 17 maps of 64x48 each"
    return Plan("decoding", title, tuple(subjects), minutes=3)


def segmentation_run() -> Plan:
    """W18 with an FCN head."""
    title = "Segmentation: HRNet-W18 with FCN head, 512x1024 (height x width), batch 1"
    subjects = against(segmentation(), _FP32, "mmseg eager")
    return Plan("segmentation", title, subjects, share=1 / 2, minutes=30)


def growth() -> Plan:
    """W32 at growing sizes."""
    _, ours = w32()
    subjects = tuple(
        Subject(f"{runtime} fp32 {size[1]}x{size[0]}", replace(ours, size=size), runtime=runtime)
        for size in SIZES
        for runtime in (EAGER, *_GROWTH)
    )
    return Plan("growth", "Growth with the pixels: HRNet-W32", subjects, share=1 / 3, minutes=30)


def structure() -> Plan:
    """Networks of other widths, and of two to five branches."""
    _, ours = w32()
    wide = [(f"W{width}", _of_width(ours, width), {"width": float(width)}) for width in (18, 32, 48)]
    deep = [(f"{count} branches", _of_branches(ours, count), {"branches": float(count)}) for count in (2, 3, 4, 5)]
    subjects = tuple(
        Subject(f"{name}, {runtime} fp32", network, runtime=runtime, facts=facts)
        for name, network, facts in (*wide, *deep)
        for runtime in ("torch", "openvino")
    )
    title = "Growth with width and branches: 256x192 (height x width), batch 1"
    return Plan("structure", title, subjects, share=1 / 3, minutes=15)


def _of_width(network: Network, width: int) -> Network:
    options = {"model.backbone.arch": f"w{width}", "model.head.in_channels": width}
    return replace(network, options=options)


def _of_branches(network: Network, count: int) -> Network:
    """W32 that ends with the stage of `count` branches."""
    extra = {"stage1": _stage(1, 1, "BOTTLENECK", 64)}
    for number in range(2, count + 1):
        extra[f"stage{number}"] = _stage(_MODULES[number - 1], number, "BASIC", 32)
    return replace(network, options={"model.backbone.arch": None, "model.backbone.extra": extra})


def _stage(modules: int, branches: int, block: str, width: int) -> dict:
    return {
        "num_modules": modules,
        "num_branches": branches,
        "block": block,
        "num_blocks": [4] * branches,
        "num_channels": [width * 2**index for index in range(branches)],
    }
