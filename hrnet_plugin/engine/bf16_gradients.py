"""Gradients sent in bfloat16 by torch's own hook of its data-parallel wrapper: half the bytes between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributed import GradBucket, ProcessGroup
    from torch.futures import Future


@HOOKS.register_module()
class Bf16GradientsHook(Hook):
    """Rounds gradients to bfloat16 (8 bits of mantissa) before they are added up; weights and updates stay as they are.

    Of no effect in a training of one process.
    """

    def before_train(self, runner: Runner) -> None:
        """Tells the wrapper how to send.

        Raises:
            ConfigError: the wrapper cannot, or the way to the other processes does not add bfloat16.
        """
        model = runner.model
        if not runner.distributed:
            return
        if not isinstance(model, DistributedDataParallel):
            found = f"a model wrapped in {type(model).__name__}"
            raise ConfigError("bf16_gradients", found=found, expected="DistributedDataParallel")
        try:
            model.register_comm_hook(None, compress_in(next(model.parameters()).device.type))
        except TypeError as error:  # an accelerator whose library is too old
            raise ConfigError("bf16_gradients", found=str(error), do="Leave --bf16-gradients out") from error


def compress_in(device: str) -> Callable[[ProcessGroup | None, GradBucket], Future[Tensor]]:
    """torch's hook, which sends in bfloat16, for gradients on a type of device."""
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook

    if device != "cpu":
        return bf16_compress_hook

    # torch refuses its own function by its name where it was built without CUDA, although gloo adds bfloat16. There are
    # no annotations, since torch compares them with the types themselves.
    def add_in_bf16(group, bucket):
        return bf16_compress_hook(group, bucket)

    return add_in_bf16
