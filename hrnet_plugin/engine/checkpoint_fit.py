"""Refusing a checkpoint of another network, where mmengine only warns and goes on with random weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from hrnet_plugin.errors import CheckpointError

_COUNTER = "num_batches_tracked"  # a counter that no output depends on; old checkpoints lack it
_MISSING = re.compile(r"Missing key\(s\) in state_dict: (.*)")
_SHAPE = re.compile(r"size mismatch for (\S+): .*?shape torch\.Size\(\[(.*?)\]\).*?torch\.Size\(\[(.*?)\]\)")


@dataclass(frozen=True)
class CheckpointFit:
    """How much of a network a checkpoint fills.

    Args:
        matching: Keys of the network that the checkpoint holds in the right shape.
        total: Keys of the network.
        first_mismatch: What is wrong with the first other one, in words; '' where all match.
    """

    matching: int
    total: int
    first_mismatch: str

    @property
    def share(self) -> float:
        """Part of the network's keys that match, 0 to 1."""
        return self.matching / max(self.total, 1)


def fit_checkpoint(model: nn.Module, state_dict: Mapping[str, torch.Tensor]) -> CheckpointFit:
    """Load what fits and measure it.

    It goes through torch's own loading, so that a network's hooks for older checkpoints take part.

    Args:
        model: Filled as far as the checkpoint fits.
        state_dict: Weights by key, a leading `module.` removed.
    """
    wrong: dict[str, str] = {}
    try:
        model.load_state_dict(dict(state_dict), strict=True)
    except RuntimeError as error:
        wrong = _mismatches(str(error))
    ours = [key for key in model.state_dict() if _COUNTER not in key]
    bad = [key for key in ours if key in wrong]
    return CheckpointFit(len(ours) - len(bad), len(ours), wrong[bad[0]] if bad else "")


class CheckpointFitHook(Hook):
    """Refuses a checkpoint that does not fit the network, before it is used.

    Args:
        source: The checkpoint, as the user named it.
        required: The share of the network's keys that has to match: 1 to test or resume, less to start from.
        resumes: Whether training goes on from it, which needs more than weights.
    """

    priority = "VERY_LOW"  # after EMAHook, which exchanges the weights it stored

    def __init__(self, source: str, *, required: float = 1.0, resumes: bool = False):
        self.source, self.required, self.resumes = source, required, resumes

    def after_load_checkpoint(self, runner: Runner, checkpoint: object) -> None:
        """Compare keys and shapes.

        Raises:
            CheckpointError: too few match, or it is no checkpoint.
        """
        state_dict = self._weights_of(checkpoint)
        fit = fit_checkpoint(unwrapped(runner.model), state_dict)
        if fit.share < self.required:
            raise CheckpointError(
                f"checkpoint {self.source}",
                found=f"{fit.matching} of {fit.total} keys of the network ({100 * fit.share:.1f} %)",
                expected="weights of the network in the config",
                do=f"First mismatch: {fit.first_mismatch}. {self._advice(state_dict)}",
            )
        if self.resumes and not {"meta", "message_hub"} <= set(checkpoint):
            raise CheckpointError(
                f"--resume {self.source}",
                found="weights alone",
                expected="a checkpoint with the state of training",
                do="To start from these weights use --cfg-options load_from=...",
            )

    def _weights_of(self, checkpoint: object) -> dict[str, torch.Tensor]:
        weights = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
        if not isinstance(weights, Mapping) or not any(isinstance(item, torch.Tensor) for item in weights.values()):
            raise CheckpointError(
                f"checkpoint {self.source}", found=_described(checkpoint), expected="weights by key (state_dict)"
            )
        return {str(key).removeprefix("module."): value for key, value in weights.items()}

    def _advice(self, state_dict: Mapping) -> str:
        if self.required < 1 and not any(key.startswith("backbone.") for key in state_dict):
            return "Weights of a backbone alone belong into model.backbone.init_cfg"
        return "Take the config that the checkpoint was trained with"


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside DistributedDataParallel and test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model


def _mismatches(message: str) -> dict[str, str]:
    """What torch says about each key of the network that it could not fill."""
    missing = _MISSING.search(message)
    wrong = {key: f"{key} is missing" for key in re.findall(r'"(.+?)"', missing[1])} if missing else {}
    for key, theirs, ours in _SHAPE.findall(message):
        wrong[key] = f"{key} has shape ({theirs}), the network needs ({ours})"
    return wrong


def _described(checkpoint: object) -> str:
    if isinstance(checkpoint, Mapping):
        return f"a dict with {', '.join(map(str, list(checkpoint)[:5])) or 'no keys'}"
    return f"a {type(checkpoint).__name__}"
