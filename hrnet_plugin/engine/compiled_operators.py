"""Which of mmcv's compiled operators a network will call, told from the built network without running it.

mmcv-lite has none of them. A network that needs one trains until it gets there, which for non-maximum suppression is
the first validation, hours after the start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType

from torch import nn

_OPERATORS = "mmcv.ops."
#: Falls back on plain torch where the tensors are not on a GPU.
_WITH_FALLBACK = "mmcv.ops.multi_scale_deform_attn"
_NMS = "mmcv.ops.nms"
#: Packages whose functions are read on the way from `predict` to an operator, beside the one that a head is of.
_FRAMEWORKS = {"mmpose", "mmseg", "mmdet", "mmpretrain"}


def layers_with_operators(model: nn.Module) -> list[str]:
    """The kinds of layers in `model` that are compiled operators themselves, such as RoIAlign: every pass calls them.

    Args:
        model: The network, not wrapped.
    """
    kinds = {base for module in model.modules() for base in type(module).__mro__}
    return sorted({kind.__name__ for kind in kinds if issubclass(kind, nn.Module) and _is_compiled(kind.__module__)})


def operators_of_prediction(model: nn.Module) -> list[str]:
    """The operators that the `predict` methods of `model` and its parts lead to, such as batched_nms.

    Found by reading which names the methods use, and the functions behind these names in turn. Non-maximum
    suppression counts only where the part's `test_cfg` asks for it.

    Args:
        model: The network, not wrapped.
    """
    found = set()
    asks_for_nms = any(_asks_for_nms(getattr(module, "test_cfg", None)) for module in model.modules())
    for kind in {type(module) for module in model.modules() if not type(module).__module__.startswith("torch.")}:
        for function in _reached(kind):
            if _is_compiled(function.__module__) and (asks_for_nms or function.__module__ != _NMS):
                found.add(function.__name__)
    return sorted(found)


def _is_compiled(module: str) -> bool:
    """Whether a module of mmcv loads compiled operators."""
    return module.startswith(_OPERATORS) and module != _WITH_FALLBACK and hasattr(sys.modules.get(module), "ext_module")


def _asks_for_nms(node: object) -> bool:
    if not isinstance(node, Mapping):
        return False
    return any(("nms" in key and isinstance(value, Mapping)) or _asks_for_nms(value) for key, value in node.items())


def _reached(kind: type) -> Iterator[FunctionType]:
    """All functions that the `predict` methods of a class lead to: its methods, and functions of the frameworks."""
    followed = _FRAMEWORKS | {kind.__module__.partition(".")[0]}
    waiting = [getattr(kind, name) for name in dir(kind) if name.startswith("predict")]
    seen: set[FunctionType] = set()
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in seen:
            continue
        seen.add(function)
        yield function
        if function.__module__.partition(".")[0] in followed:
            for name in _names(_unwrapped(function).__code__):
                waiting += [getattr(kind, name, None), _unwrapped(function).__globals__.get(name)]


def _unwrapped(function: FunctionType) -> FunctionType:
    """The function below its decorators."""
    while isinstance(getattr(function, "__wrapped__", None), FunctionType):
        function = function.__wrapped__
    return function


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function and the functions within it look up."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
