"""A framework's model whose network is computed by a runtime; data, decoding and metrics stay the framework's."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from ..errors import ConfigError
from .exporting.shape import InputShape
from .images import fitted
from .runtimes.base import Runtime, cached_batch
from .runtimes.start import start_runtime
from .tensor_model import TensorModel

#: Models whose prediction is backbone, neck, head and then what needs no network.
_SUITABLE = ("TopdownPoseEstimator", "BottomupPoseEstimator", "EncoderDecoder", "CascadeEncoderDecoder")
_SUITABLE += ("ImageClassifier",)
#: Heads that compute more than one function of the features (they look at the features again while they decode), or
#: whose prediction is not through their own `forward(features)`.
_UNSUITABLE_HEADS = ("CIDHead", "DEKRHead", "RTMOHead", "PointHead")
_UNSUITABLE_HEADS += ("VisPredictHead", "MultiTaskHead", "MaskFormerHead", "Mask2FormerHead")
#: Runtimes of so many sizes of images stay in memory.
_SIZES_KEPT = 4


def can_run_through(model: nn.Module) -> bool:
    """Whether the network of a model can be computed by a runtime."""
    heads = _heads(model)
    known = type(model).__name__ in _SUITABLE and bool(heads)
    return known and not any(type(head).__name__ in _UNSUITABLE_HEADS for head in heads)


def run_through(model: nn.Module, start: Callable[[TensorModel, tuple[int, int]], Runtime]) -> nn.Module:
    """Puts a runtime in the place of backbone, neck and the heads' layers.

    Args:
        model: Of mmpose, mmseg or mmpretrain, with its weights; it is changed.
        start: Makes the runtime, from the network and the (width, height) of the first images of that size.

    Returns:
        The model.

    Raises:
        ConfigError: a model whose network is not one function of the images (detectors, DEKR, CID).
    """
    if not can_run_through(model):
        raise ConfigError(
            f"--runtime with a model of type {type(model).__name__}",
            found=" and ".join(type(head).__name__ for head in _heads(model)) or "no head",
            expected="a top-down, associative-embedding, segmentation or classification network",
            do="Leave --runtime and --precision out",
        )
    model.eval()
    network, heads = TensorModel(model), _heads(model)
    # The model's own heads are about to pass outputs through; the network keeps heads that compute them.
    network.heads = nn.ModuleList(copy.copy(head) for head in heads).eval()
    model.backbone = computed = _Computed(network, start)
    model.neck = None
    for head in heads[:-1]:
        head.forward = _nothing
    heads[-1].forward = lambda features, *_: computed.as_the_head_gives(features)
    return model


def starter(
    name: str, precision: str, threads: int | None = None, calibration: Iterable[Tensor] | None = None
) -> Callable[[TensorModel, tuple[int, int]], Runtime]:
    """What :func:`run_through` calls: a runtime by name, for any number of images of one size.

    Args:
        name, precision, threads: As `start_runtime` takes them.
        calibration: Normalised images (N, C, H, W) for `int8`; each size of images to compute gets them in that size.
    """
    kept: list[Tensor] = []

    def start(network: TensorModel, size: tuple[int, int]) -> Runtime:
        shape = InputShape(size, dynamic_batch=True, channels=network.channels)
        if calibration is not None and not kept:
            kept.extend(calibration)
        images = fitted(kept, shape) if kept else None
        return start_runtime(network, name, precision, shape=shape, threads=threads, calibration=images)

    return start


class _Computed(nn.Module):
    """Images (N, C, H, W) to the outputs of the whole network, where a backbone stood."""

    def __init__(self, network: TensorModel, start: Callable[[TensorModel, tuple[int, int]], Runtime]):
        super().__init__()
        # In a tuple, so that the weights are not moved, saved or trained with the model any more.
        self._network = (network,)
        self._start = start
        self._runtimes: dict[tuple[int, int], Runtime] = {}
        self._structure: pytree.TreeSpec | None = None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        size = (images.shape[3], images.shape[2])
        if self._structure is None:
            with torch.no_grad():  # of a real image: some heads take one size alone
                self._structure = pytree.tree_structure(self._network[0].nested(images[:1]))
        if size not in self._runtimes:
            if len(self._runtimes) == _SIZES_KEPT:
                self._runtimes.pop(next(iter(self._runtimes)))
            shared = next(iter(self._runtimes.values()), None)
            takes_any = shared is not None and shared.name == "torch"
            self._runtimes[size] = shared if takes_any else self._start(self._network[0], size)
        return tuple(
            output.to(images.device) for output in self._runtimes[size].in_batches(images, cached_batch(images))
        )

    def as_the_head_gives(self, outputs: tuple[Tensor, ...]) -> object:
        """Outputs in the head's own nesting."""
        return pytree.tree_unflatten(list(outputs), self._structure)


def _heads(model: nn.Module) -> list[nn.Module]:
    head = getattr(model, "decode_head", getattr(model, "head", None))
    return list(head) if isinstance(head, nn.ModuleList) else [] if head is None else [head]


def _nothing(*_: object) -> None:
    return None
