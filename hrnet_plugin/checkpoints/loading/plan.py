"""How the weights of a checkpoint go into a network: planned first, so that it can be told, then done."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ...errors import CheckpointError
from ..contents import Contents
from .adaptation import Mismatch, adapt_stem, is_rgb_stem, output_mismatches
from .family import describe_weights
from .rehearsal import rehearse_loading, tensors_of
from .report import Filled, LoadReport, percent
from .same_keys import other_outputs
from .unused_keys import OTHER_PARTS, sort_unused

_BACKBONE = "backbone."
#: What stands in front of a network's keys where other modules are saved beside it: the authors' segmentation training
#: and Lightning keep the network as `model`, next to the weights of the loss.
_INSIDE = ("", _BACKBONE, "model.", f"model.{_BACKBONE}")
_COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class LoadPlan:
    """Weights that fit a network, and what became of the rest.

    Args:
        weights: Tensors by key of the network, each in the shape of its place.
        report: What is filled and what is not.
    """

    weights: Mapping[str, Tensor]
    report: LoadReport

    @torch.no_grad()
    def apply(self, network: nn.Module) -> None:
        """Fills the network that the plan was made for; what the plan has no weights for stays as it is."""
        own = tensors_of(network)
        for key, value in self.weights.items():
            own[key].copy_(value)

    def state_dict(self, network: nn.Module) -> OrderedDict[str, Tensor]:
        """A state dict that fits the network in every key: the plan's weights, and its own where there are none."""
        whole = network.state_dict()
        for key in whole:
            whole[key] = self.weights.get(key, whole[key])
        return whole

    def require(self, share: float, *, what: str, advice: str) -> None:
        """Refuses a checkpoint that fills too little of the network.

        Args:
            share: Of the network's keys, 0 to 1.
            what: The checkpoint, for the message.
            advice: What to do about it, as a full sentence without the final stop.

        Raises:
            CheckpointError: it fills less; names what it holds and the first key that does not fit.
        """
        report, filled = self.report, self.report.filled
        if filled.share_of_keys >= share:
            return
        raise CheckpointError(
            what,
            found=f"{filled.keys} of {filled.all_keys} keys of the network ({percent(filled.share_of_keys)})",
            expected="weights of the network in the config",
            do=f"First mismatch: {report.first_mismatch}. It holds {report.described}. {advice}",
        )


def plan_loading(network: nn.Module, contents: Contents, *, adapts: bool = True) -> LoadPlan:
    """How the weights of a checkpoint would go into a network. Nothing is changed in either.

    Weights of a whole model fill a backbone, and those of a backbone a whole model's. Keys of older versions are
    understood as far as the network's own modules understand them.

    Args:
        network: Any; one with a child `backbone` is taken for a whole model.
        contents: Of the checkpoint.
        adapts: Fill the stem for other images than RGB ones, and tell layers of another number of outputs from others.
            Without it both count as mismatches.
    """
    places = tensors_of(network)
    offered, aside = _aligned(contents.weights, places)
    arrivals = rehearse_loading(network, offered, contents.versions)
    weights, mismatches = _placed(arrivals.offered, places)
    adapted = [item for item in mismatches if adapts and is_rgb_stem(item)]
    stems = {item.key: adapt_stem(arrivals.offered[item.key], item.needed[1]) for item in adapted}
    new_outputs = output_mismatches(mismatches) if adapts else []
    loaded, weights = tuple(weights), weights | stems
    unused = sort_unused(arrivals.unexpected, weights, places)
    expected = {key for keys in unused.values() for key in keys}
    filled = _measure(network, places, weights)
    report = LoadReport(
        source=contents.source,
        filled=filled,
        loaded=loaded,
        adapted=tuple(adapted),
        new_outputs=tuple(new_outputs),
        missing=tuple(key for key in _counted(places) if key not in arrivals.offered),
        mismatched=tuple(item for item in mismatches if item not in adapted and item not in new_outputs),
        unused={reason: tuple(keys) for reason, keys in unused.items()} | ({OTHER_PARTS: aside} if aside else {}),
        unexpected=tuple(key for key in _counted(arrivals.unexpected) if key not in expected),
        other_outputs=other_outputs(contents.meta, network),
        described=describe_weights(contents) if filled.share_of_keys < 1 else "",
    )
    return LoadPlan(weights, report)


def _placed(offered: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[Mismatch]]:
    """The tensors that have the shape of their place, and what is wrong with the others."""
    weights: dict[str, Tensor] = {}
    mismatches: list[Mismatch] = []
    for key, own in places.items():
        given = offered.get(key)
        if given is not None and (given.shape == own.shape or given.numel() == own.numel() == 1):
            weights[key] = given.reshape(own.shape)
        elif given is not None:
            mismatches.append(Mismatch.between(key, given, own))
    return weights, mismatches


def select_part(contents: Contents, prefix: str) -> Contents:
    """The part of a checkpoint below a prefix, as mmengine's `Pretrained` has it.

    Raises:
        CheckpointError: nothing stands below it.
    """
    prefix = prefix if prefix.endswith(".") else f"{prefix}."
    for wrapper in ("", contents.prefix):  # the prefix may be meant with or without the wrapper that was taken off
        weights = {
            (wrapper + key).removeprefix(prefix): value
            for key, value in contents.weights.items()
            if (wrapper + key).startswith(prefix)
        }
        if weights:
            versions = {f"{wrapper}{path}.": value for path, value in contents.versions.items()}
            below = {path.removeprefix(prefix)[:-1]: said for path, said in versions.items() if path.startswith(prefix)}
            return replace(contents, weights=weights, versions=below)
    parts = list(dict.fromkeys(key.partition(".")[0] for key in contents.weights))
    raise CheckpointError(
        f"checkpoint {contents.source}",
        found=f"no keys below the prefix {prefix!r}",
        expected=f"one of its parts: {', '.join(parts[:8])}",
    )


def _aligned(weights: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Weights under the names that fit most places, and the keys of parts that such a network does not have."""
    ways = []
    for prefix in _INSIDE:
        inner = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        others = tuple(key for key in weights if not key.startswith(prefix))
        ways += [(inner, others), ({_BACKBONE + key: value for key, value in inner.items()}, others)]
    return max(ways, key=lambda way: sum(key in places for key in way[0]))


def _counted(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if _COUNTER not in key]


def _measure(network: nn.Module, places: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> Filled:
    sizes = {key: value.numel() for key, value in network.named_parameters()}
    counted = _counted(places)
    return Filled(
        keys=sum(key in weights for key in counted),
        all_keys=len(counted),
        parameters=sum(size for key, size in sizes.items() if key in weights),
        all_parameters=sum(sizes.values()),
    )
