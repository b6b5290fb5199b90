"""The rules of a format applied to all keys of a checkpoint, to ours and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .formats import Fold, Format, SetAside


@dataclass
class Renamed:
    """Weights under new names.

    Args:
        weights: Tensors by new key, in the order of the old ones.
        old: The old key of each new one.
        folded: The new key that each old one went into.
        aside: Old key, place among the old ones and reason of what has no new one.
        added: New keys that have no old one.
        left: Old keys without a rule.
    """

    weights: dict[str, Tensor] = field(default_factory=dict)
    old: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    aside: list[tuple[str, int, str]] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, new: str, old: str, value: Tensor) -> None:
        """One key more; of two that would have the same new name the second is left."""
        if new in self.weights:
            self.left.append(old)
        else:
            self.weights[new], self.old[new] = value, old


def rename_to_ours(weights: Mapping[str, Tensor], origin: Format) -> Renamed:
    """A format's weights under our names, biases folded into the means of the norms after them."""
    done = Renamed()
    biases: dict[str, str] = {}
    for index, (key, value) in enumerate(weights.items()):
        rule, new = origin.to_ours(key) or (None, "")
        if rule is None:
            done.left.append(key)
        elif isinstance(rule, SetAside):
            done.aside.append((key, index, rule.reason))
        elif isinstance(rule, Fold):
            biases[key] = new
        else:
            done.add(new, key, rule.change.forth(value) if rule.change else value)
    for key, mean in biases.items():
        if mean in done.weights and done.weights[mean].shape == weights[key].shape:
            done.weights[mean] = done.weights[mean] - weights[key]
            done.folded[key] = mean
        else:
            done.left.append(key)
    return done


def rename_from_ours(weights: Mapping[str, Tensor], target: Format) -> Renamed:
    """Our weights under a format's names, with biases of zero where those that it has were folded."""
    done = Renamed()
    zeros: dict[str, Tensor] = {}
    for key, value in weights.items():
        rule, new = target.from_ours(key) or (None, "")
        if rule is None:
            done.left.append(key)
        else:
            done.add(new, key, rule.change.back(value) if rule.change else value)
        bias = target.folded_bias(key)
        if bias is not None:
            zeros[bias] = torch.zeros_like(value)
    for bias, value in zeros.items():
        if bias not in done.weights:
            done.weights = insert_after(done.weights, f"{bias.removesuffix('bias')}weight", bias, value)
            done.added.append(bias)
    return done


def insert_after(weights: dict[str, Tensor], before: str, key: str, value: Tensor) -> dict[str, Tensor]:
    """The same weights with one more behind `before`, at the end where that is not there."""
    places = {name: index for index, name in enumerate(weights)}
    return insert_at(weights, places.get(before, len(weights)) + 1, key, value)


def insert_at(weights: dict[str, Tensor], index: int, key: str, value: Tensor) -> dict[str, Tensor]:
    """The same weights with one more at place `index`."""
    items = list(weights.items())
    return dict([*items[:index], (key, value), *items[index:]])
