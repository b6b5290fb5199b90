"""Which layer stands in the way of an export."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ...errors import ConfigError, UserError, find_user_error


@contextmanager
def explained_tracing(network: nn.Module, form: str) -> Iterator[None]:
    """Turns an exporter's error into one line that names the layer.

    Args:
        network: The one that is exported.
        form: The format, as the user knows it.

    Raises:
        ConfigError: whatever the exporter raised.
    """
    inside: list[str] = []
    handles = [module.register_forward_pre_hook(_entering(inside, name)) for name, module in network.named_modules()]
    handles += [module.register_forward_hook(_leaving(inside)) for module in network.modules()]
    try:
        yield
    except Exception as error:
        mistake = find_user_error(error)
        if isinstance(mistake, UserError):
            raise mistake from error
        raise ConfigError(
            f"export to {form}",
            found=f"a layer that it has no form for: {_layer(network, inside, error)}",
            expected="layers of tensors alone",
            do="Choose another format, or another layer",
        ) from error
    finally:
        for handle in handles:
            handle.remove()


def _entering(inside: list[str], name: str):
    def enter(module: nn.Module, _: object) -> None:
        inside.append(name)

    return enter


def _leaving(inside: list[str]):
    def leave(module: nn.Module, _: object, __: object) -> None:
        if inside:
            inside.pop()

    return leave


def _layer(network: nn.Module, inside: list[str], error: BaseException) -> str:
    """The innermost module that had been entered and not left, or the operator that the exporter names."""
    if inside and inside[-1]:
        return f"{inside[-1]} ({type(network.get_submodule(inside[-1])).__name__})"
    operator = next((word for word in str(error).split() if word.startswith(("aten.", "aten::", "torchvision::"))), "")
    operators = {str(name) for name in dir(torch.ops.aten)}
    bare = operator.replace("aten.", "").replace("aten::", "").partition(".")[0].strip("'\",;:()[]<>")
    if bare in operators or operator.startswith("torchvision::"):
        return operator.strip("'\",;()[]<>")
    return " ".join(str(error).split())[:160]
