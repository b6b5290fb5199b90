"""torch.compile for the backbone of whatever is trained."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles the backbone in place: names of weights, checkpoints and everything around it stay as they are.

    Losses and data samples are Python that a compiler would have to be led around; the convolutions are in the
    backbone.

    Args:
        mode: That of `torch.compile`; `reduce-overhead` launches kernels as CUDA graphs.
    """

    def __init__(self, mode: str = "default"):
        self.mode = mode

    def before_train(self, runner: Runner) -> None:
        """Has the first call compile.

        Raises:
            ConfigError: the model has no backbone.
        """
        model = runner.model
        while is_model_wrapper(model):
            model = model.module
        backbone = getattr(model, "backbone", None)
        if backbone is None:
            raise ConfigError("CompileHook", found=f"{type(model).__name__} without a backbone")
        backbone.compile(mode=self.mode)
