"""What of a checkpoint goes into the network, told in a few lines; refused where it is of another network.

mmengine would warn with every key and go on with random weights.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.optim import Optimizer

from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.loading.plan import plan_loading
from hrnet_plugin.errors import CheckpointError

from .memory_format import align_state, named_optimizers

#: What only checkpoints of a training hold; the best ones of mmengine's hook have no optimizer.
_STATE = {"meta": "meta", "message_hub": "message_hub", "optimizer": "state of the optimizer"}
_ADVICE = "Take the config that the checkpoint was trained with"


class CheckpointFitHook(Hook):
    """Hands mmengine weights that fit the network in every key, and says what they are.

    A checkpoint to start from may have another last layer, a stem for RGB images or a backbone alone
    (`checkpoints.loading.plan`); one to test or to resume from has to fill the network as it is.

    Args:
        source: The checkpoint, as the user named it.
        required: The share of the network's keys that has to be filled: 1 to test or resume, less to start from.
        resumes: Whether training goes on from it, which needs more than weights.
    """

    def __init__(self, source: str, *, required: float = 1.0, resumes: bool = False):
        self.source, self.required, self.resumes = source, required, resumes
        # EMAHook exchanges the stored weights when training is resumed, and copies them when it starts.
        self.priority = "VERY_LOW" if resumes else "VERY_HIGH"

    def after_load_checkpoint(self, runner: Runner, checkpoint: object) -> None:
        """Put weights that fit in the place of the checkpoint's.

        Raises:
            CheckpointError: too little of the network is filled, or it is no checkpoint.
        """
        network = unwrapped(runner.model)
        contents = contents_of(checkpoint, self.source)
        plan = plan_loading(network, contents, adapts=self.required < 1)
        plan.require(self.required, what=f"checkpoint {self.source}", advice=_ADVICE)
        if self.resumes:
            self._check_state(checkpoint, runner)
            for part, optimizer in named_optimizers(runner.optim_wrapper):
                _update_as_configured(checkpoint.get("optimizer"), part, optimizer)
        checkpoint["state_dict"] = plan.state_dict(network)
        level = logging.INFO if plan.report.is_plain else logging.WARNING
        runner.logger.log(level, plan.report.text())

    def before_train(self, runner: Runner) -> None:
        """Let what the optimizer remembers have the memory order of the weights, whatever run it comes from."""
        if self.resumes:
            for _, optimizer in named_optimizers(runner.optim_wrapper):
                align_state(optimizer)

    def _check_state(self, checkpoint: Mapping, runner: Runner) -> None:
        without = [words for key, words in _STATE.items() if key not in checkpoint]
        if without:
            raise CheckpointError(
                f"--resume {self.source}",
                found="weights alone" if len(without) == len(_STATE) else f"no {', no '.join(without)}",
                expected="a checkpoint with the state of training",
                do="Take another (--resume without a value finds the newest that has it), or start from these weights: "
                "--cfg-options load_from=...",
            )
        if runner.param_schedulers and not checkpoint.get("param_schedulers"):
            runner.logger.warning(
                f"--resume {self.source}: no state of the schedules (param_scheduler) in it, so they begin anew: the "
                "learning rate is that of a training at its first step"
            )


def _update_as_configured(saved: object, part: str, optimizer: Optimizer) -> None:
    """Writes into a saved state whether this run updates all weights at once: torch would do as the last run did."""
    state = saved.get(part) if part and isinstance(saved, Mapping) else saved
    if "fused" in optimizer.defaults and isinstance(state, Mapping):
        for group in state.get("param_groups", ()):
            group["fused"] = optimizer.defaults["fused"]


def unwrapped(model: nn.Module) -> nn.Module:
    """The network inside DistributedDataParallel and test-time augmentation."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    return model
