"""The subjects of the suites: MMPose's and MMSegmentation's networks as they build them, and ours beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...locations import project_dir
from ..subjects import EAGER, LIMIT, TRAINING, Network, Subject

_TOPDOWN = "body_2d_keypoint/topdown_heatmap/coco"
_W32 = "td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"
_W48 = "td-hm_hrnet-w48_8xb32-210e_coco-384x288.py"
_SEG = "fcn_hr18_4xb2-40k_cityscapes-512x1024.py"

BASELINE = "mmpose eager"


def w32(batch: int = 1) -> tuple[Network, Network]:
    """MMPose's W32 and ours, at 256x192 (height x width)."""
    theirs = Network(f"mmpose::{_TOPDOWN}/{_W32}", size=(192, 256), batch=batch)
    return theirs, replace(theirs, config=_ours("body_2d_keypoint/coco", _W32))


def w48(batch: int = 1) -> tuple[Network, Network]:
    """MMPose's W48 and ours, at 384x288 (height x width)."""
    theirs = Network(f"mmpose::{_TOPDOWN}/{_W48}", size=(288, 384), batch=batch)
    return theirs, replace(theirs, config=_ours("body_2d_keypoint/coco", _W48))


def segmentation() -> tuple[Network, Network]:
    """MMSegmentation's W18 with its FCN head and ours, at 512x1024 (height x width)."""
    theirs = Network(f"mmseg::hrnet/{_SEG}", size=(1024, 512))
    return theirs, replace(theirs, config=_ours("semantic_segmentation/cityscapes", _SEG))


def codecs(batch: int) -> dict[str, Network]:
    """MMPose's W32 of each way of decoding, at 256x192 (height x width)."""
    names = {"plain": _W32, "DARK": _W32.replace("_8xb64", "_dark-8xb64"), "UDP": _W32.replace("_8xb64", "_udp-8xb64")}
    return {way: Network(f"mmpose::{_TOPDOWN}/{name}", size=(192, 256), batch=batch) for way, name in names.items()}


def rtmpose(letter: str) -> Network:
    """MMPose's RTMPose, `m` or `l`, at 256x192 (height x width)."""
    config = f"mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-{letter}_8xb256-420e_aic-coco-256x192.py"
    return Network(config, size=(192, 256))


def _ours(folder: str, name: str) -> str:
    return str(project_dir("configs") / folder / name)


def against(
    networks: tuple[Network, Network], ways: Sequence[tuple[str, str]], baseline: str = BASELINE
) -> tuple[Subject, ...]:
    """The framework's network eagerly, ours in each way (runtime, precision), and the limit.

    Args:
        networks: The framework's and ours.
        ways: Runtime and precision.
        baseline: What the framework's is called.
    """
    theirs, ours = networks
    first = Subject(baseline, theirs, runtime=EAGER)
    mine = [
        Subject(f"{runtime} {precision}", ours, theirs, runtime=runtime, precision=precision)
        for runtime, precision in ways
    ]
    return (first, *mine, Subject("limit", theirs, role=LIMIT))


def training(
    networks: tuple[Network, Network], precisions: Sequence[str], options: dict | None = None
) -> tuple[Subject, ...]:
    """A training step of the framework's network in fp32, and of ours with what makes it fast.

    Args:
        networks: The framework's and ours.
        precisions: Of ours.
        options: Further values of our config.
    """
    theirs, ours = networks
    ours = replace(ours, options={"optim_wrapper.optimizer.fused": True, **(options or {})})
    first = Subject(BASELINE, theirs, role=TRAINING)
    mine = [
        Subject(
            f"ours {precision}",
            ours,
            theirs,
            role=TRAINING,
            precision=precision,
            channels_last=True,
            freed_memory="keep",
        )
        for precision in precisions
    ]
    return (first, *mine)
