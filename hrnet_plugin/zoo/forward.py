"""Whether two models with the same weights predict the same and have the same loss."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import BaseDataElement
from torch import nn

#: A prediction with fewer distinct numbers would be equal whatever the network does.
_LEAST_DISTINCT = 10


@dataclass(frozen=True)
class Comparison:
    """Two models with the same weights, side by side.

    Args:
        parameters: Number of parameters of ours.
        upstream_parameters: Number of parameters of theirs.
        prediction: Largest difference between the two predictions, over every number in them.
        loss: Largest difference between the two losses, over every part of them; None where it was not compared.
    """

    parameters: int
    upstream_parameters: int
    prediction: float
    loss: float | None

    @property
    def largest(self) -> float:
        """The larger of the two differences."""
        return max(self.prediction, self.loss or 0.0)


def model_config(cfg: Config) -> ConfigDict:
    """A copy of the model's config as the runner completes it: with the preprocessor from the config's top."""
    model = copy.deepcopy(cfg.model)
    if cfg.get("data_preprocessor"):
        model.setdefault("data_preprocessor", copy.deepcopy(cfg.data_preprocessor))
    return model


def build_model(model: Mapping, scope: str) -> nn.Module:
    """A model as mmengine's runner builds it in one process: SyncBN becomes BN. Its weights are not initialised."""
    with DefaultScope.overwrite_default_scope(scope):
        return revert_sync_batchnorm(MODELS.build(copy.deepcopy(model)))


def compare_models(ours: Mapping, theirs: Mapping, scope: str, val_batch: dict, train_batch: dict | None) -> Comparison:
    """Builds both models, gives them the same weights, and compares what they make of the same data.

    Args:
        ours, theirs: The models' configs.
        scope: The framework in whose scope both are built.
        val_batch: Collated data for the prediction.
        train_batch: Collated data for the loss; None to leave it out, where upstream cannot compute it.

    Raises:
        RuntimeError: the weights of one do not fit the other, or the outputs hold too little to compare.
        MissingDependency: the model needs full mmcv.
    """
    with DefaultScope.overwrite_default_scope(scope):
        one, other = build_model(ours, scope), build_model(theirs, scope)
        share_weights(one, other)
        return Comparison(
            parameters=sum(parameter.numel() for parameter in one.parameters()),
            upstream_parameters=sum(parameter.numel() for parameter in other.parameters()),
            prediction=largest_difference(predict(one, val_batch), predict(other, val_batch)),
            loss=None
            if train_batch is None
            else largest_difference(loss_of(one, train_batch), loss_of(other, train_batch), least=1),
        )


def share_weights(one: nn.Module, other: nn.Module) -> None:
    """Gives `one` the weights of `other`, whose norms are first made to differ from their neutral start."""
    generator = torch.Generator().manual_seed(0)
    for module in other.modules():
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.GroupNorm)):
            for name, tensor in module.state_dict().items():
                if tensor.is_floating_point():
                    lowest = 0.5 if name in ("weight", "running_var") else -0.5
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + lowest)
    one.load_state_dict(other.state_dict(), strict=True)


def predict(model: nn.Module, batch: dict) -> list[np.ndarray]:
    """Every number of the model's predictions for a batch, in evaluation mode; what was given is left out.

    A model of random weights may find nothing: then the maps that its predictions are read from follow.
    """
    model.eval()
    torch.manual_seed(0)
    with torch.no_grad():
        samples = model.val_step(copy.deepcopy(batch))
        found = [{name: value for name, value in one.items() if not _is_given(name)} for one in samples]
        numbers = list(_numbers(found))
        if _distinct(numbers) < _LEAST_DISTINCT:
            data = model.data_preprocessor(copy.deepcopy(batch), training=False)
            numbers += _numbers(model._run_forward(data, mode="tensor"))
    return numbers


def _is_given(field: str) -> bool:
    """Whether a field of a data sample came with the data and not from the model."""
    return field.startswith("gt_") or field in ("ignored_instances", "proposals")


def loss_of(model: nn.Module, batch: dict) -> list[np.ndarray]:
    """Every number of the model's losses for a batch, in training mode; random draws are the same at each call."""
    model.train()
    torch.manual_seed(0)
    np.random.seed(0)
    data = model.data_preprocessor(copy.deepcopy(batch), training=True)
    with torch.no_grad():
        losses = model._run_forward(data, mode="loss")
    numbers = list(_numbers(model.parse_losses(losses)[1]))
    if not all(np.isfinite(number).all() for number in numbers) or not any(number.any() for number in numbers):
        raise RuntimeError(f"a loss of {[float(number) for number in numbers]} shows nothing")
    return numbers


def _numbers(node: object) -> Iterator[np.ndarray]:
    """Every array of a nested output, in a fixed order."""
    if isinstance(node, torch.Tensor):
        yield node.detach().cpu().double().numpy()
    elif isinstance(node, (np.ndarray, np.number, int, float)):
        yield np.asarray(node, dtype=np.float64)
    elif isinstance(node, BaseDataElement):
        yield from _numbers(dict(node.items()))
    elif isinstance(node, Mapping):
        for key in sorted(node, key=str):
            yield from _numbers(node[key])
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from _numbers(item)
    elif node is not None and not isinstance(node, str):
        raise TypeError(f"an output of type {type(node).__name__} cannot be compared")


def largest_difference(ours: list[np.ndarray], theirs: list[np.ndarray], least: int = _LEAST_DISTINCT) -> float:
    """The largest difference of two outputs; infinite where they differ in shape, or in what is not finite.

    Raises:
        RuntimeError: theirs holds fewer than `least` different finite numbers, and would equal almost anything.
    """
    if _distinct(theirs) < least:
        raise RuntimeError(f"an output of fewer than {least} different numbers shows nothing")
    if [array.shape for array in ours] != [array.shape for array in theirs]:
        return math.inf
    worst = 0.0
    for one, other in zip(ours, theirs, strict=True):
        finite = np.isfinite(one) & np.isfinite(other)
        if not np.array_equal(one[~finite], other[~finite], equal_nan=True):
            return math.inf
        if finite.any():
            worst = max(worst, float(np.abs(one[finite] - other[finite]).max()))
    return worst


def _distinct(arrays: list[np.ndarray], enough: int = 1000) -> int:
    """How many different finite numbers there are, of `enough` looked at in each array."""
    looked_at = [array.ravel()[:: max(1, array.size // enough)] for array in arrays]
    numbers = np.concatenate(looked_at) if looked_at else np.empty(0)
    return len(np.unique(numbers[np.isfinite(numbers)]))
