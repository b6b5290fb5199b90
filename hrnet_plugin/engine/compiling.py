"""torch.compile for the backbone of whatever is trained."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.registry import HOOKS

from .checkpoint_fit import unwrapped

#: Modes of `torch.compile` whose kernels are replayed as CUDA graphs.
_GRAPHS = ("reduce-overhead", "max-autotune")


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
        self._compiled: object = None

    def before_train(self, runner: Runner) -> None:
        """Has the first call compile.

        Raises:
            ConfigError: the model has no backbone.
        """
        _backbone(runner).compile(mode=self.mode)

    def before_val(self, runner: Runner) -> None:
        """Lets CUDA graphs rest: each replay overwrites the outputs of the last, and a flip test needs two at once."""
        if self.mode in _GRAPHS:
            backbone = _backbone(runner)
            # Where torch itself keeps what `compile` made, and leaves it out of copies and checkpoints.
            self._compiled, backbone._compiled_call_impl = backbone._compiled_call_impl, None

    def after_val(self, runner: Runner) -> None:
        """Has training go on as it was."""
        if self.mode in _GRAPHS:
            _backbone(runner)._compiled_call_impl = self._compiled


def _backbone(runner: Runner) -> nn.Module:
    model = unwrapped(runner.model)
    backbone = getattr(model, "backbone", None)
    if backbone is None:
        raise ConfigError("CompileHook", found=f"{type(model).__name__} without a backbone")
    return backbone
