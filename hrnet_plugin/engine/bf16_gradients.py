"""Gradients sent in bfloat16 by torch's own hook of its data-parallel wrapper: half the bytes between processes."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS


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
        from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook

        on_cpu = next(model.parameters()).device.type == "cpu"
        try:
            model.register_comm_hook(None, _add_in_bf16 if on_cpu else bf16_compress_hook)
        except TypeError as error:  # an accelerator whose library is too old
            raise ConfigError("bf16_gradients", found=str(error), do="Leave --bf16-gradients out") from error


# torch refuses its own function by its name where it was built without CUDA, although gloo adds bfloat16. There are no
# annotations, since torch compares them with the types themselves.
def _add_in_bf16(group, bucket):
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import bf16_compress_hook

    return bf16_compress_hook(group, bucket)
