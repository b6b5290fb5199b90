"""How fast a training runs: the entries of a config's `speed`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .errors import ConfigError
from .wording import suggestion

PRECISIONS = ("fp32", "bf16", "fp16", "auto")
#: Of `checkpoint_activations`: as the backbone's `with_cp` has it.
NESTED = "nested"


@dataclass(frozen=True)
class Speed:
    """The `speed` of a config. Everything is off, or as the rest of the config has it, unless it is named.

    Args:
        channels_last: Weights and features in channels-last order.
        precision: Of the forward pass: `fp32`, or autocast to `bf16`, `fp16` or, with `auto`, what suits the device
            (fp16 on a GPU unless optim_wrapper names another, bf16 on a CPU); '' as the config's optim_wrapper says.
        compile: The backbone through torch.compile.
        cuda_graphs: The same, and its kernels launched as CUDA graphs.
        checkpoint_activations: The backbone's modules computed again in the backward pass, to save memory; with
            'nested' also within them, block by block.
        accumulate: Batches a step of the optimizer; 0 as the config's optim_wrapper says.
        fused_optimizer: The optimizer's update of all weights in one pass; 'auto' where torch has it.
        cudnn_benchmark: Let cuDNN try its algorithms on each size of image; of no effect on a CPU.
        keep_memory: Keep freed memory for the next step in the place of handing it back to the system; of no effect
            but on a CPU under Linux, nor beside `checkpoint_activations`, which has it handed back.
        gradient_view: Of several processes: gradients lie where they are sent from, and not beside it once more.
        static_graph: Of several processes: the same parameters get a gradient in every step, which is found out once.
        bf16_gradients: Of several processes: gradients are sent, and added up, in bfloat16.
    """

    channels_last: bool = False
    precision: str = ""
    compile: bool = False
    cuda_graphs: bool = False
    checkpoint_activations: bool | str = False
    accumulate: int = 0
    fused_optimizer: bool | str = False
    cudnn_benchmark: bool = False
    keep_memory: bool = False
    gradient_view: bool = False
    static_graph: bool = False
    bf16_gradients: bool = False


def read_speed(given: Mapping[str, Any]) -> Speed:
    """The entries of a `speed`, checked.

    Raises:
        ConfigError: an entry that is misspelt or of another kind.
    """
    known = [entry.name for entry in fields(Speed)]
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"speed.{name}", found="no such option", do=suggestion(name, known))
        _check_value(name, value)
    return Speed(**given)


def _check_value(name: str, value: object) -> None:
    if name == "precision":
        fits, expected = value in ("", *PRECISIONS), " or ".join(PRECISIONS)
    elif name == "accumulate":
        fits, expected = type(value) is int and value >= 1, "a whole number of at least 1"
    elif name == "checkpoint_activations":
        fits, expected = isinstance(value, bool) or value == NESTED, f"True, False or {NESTED!r}"
    elif name == "fused_optimizer":
        fits, expected = isinstance(value, bool) or value == "auto", "True, False or 'auto'"
    else:
        fits, expected = isinstance(value, bool), "True or False"
    if not fits:
        raise ConfigError(f"speed.{name}", found=repr(value), expected=expected)
