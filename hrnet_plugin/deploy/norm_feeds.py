"""Which convolution feeds a batch norm: read from what a module's `forward` does, never from names or their order."""

from __future__ import annotations

import inspect
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import fx, nn

from ..nets.fuse import StridedPath, UpsamplePath
from .folding import conv_obstacle, is_batch_norm, norm_obstacle

#: A loop over a value that is not known when a `forward` is read is followed this often: more than any network here
#: has branches.
_FOLLOWED = 8
#: Sequences with a forward of their own that runs the children in a row and then does more, without them.
_ROWS = (UpsamplePath, StridedPath)


def is_row(module: nn.Module) -> bool:
    """Whether a module runs its children one after the other, and asks for none by name."""
    return type(module).forward is nn.Sequential.forward or type(module) in _ROWS


@dataclass(frozen=True)
class Feed:
    """A batch norm and what feeds it.

    Args:
        name: Of the norm, from the root on.
        owner: The module whose `forward` calls both.
        norm_key: The norm's name in `owner`.
        conv_key: Name in `owner` of the layer that feeds the norm; None where it cannot take it up.
        reason: Why not, where it cannot.
    """

    name: str
    owner: nn.Module
    norm_key: str
    conv_key: str | None = None
    reason: str | None = None


class _Unknown(fx.Proxy):
    """A value that a `forward` will have."""

    def __len__(self) -> int:
        # Of the errors only this one lets `tuple(value)` go on without a length.
        raise TypeError("its length is not known before it runs")


class _OwnCalls(fx.Tracer):
    """Reads a module's own `forward`: every module that it calls is one step."""

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Unknown(node, self)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True

    def iter(self, obj: fx.Proxy) -> Iterator[fx.Proxy]:
        return iter([obj[index] for index in range(_FOLLOWED)])


def find_feeds(model: nn.Module) -> list[Feed]:
    """One entry for each batch norm of `model`, in order of names.

    A convolution feeds a norm where their owner's `forward` calls each once and the norm alone gets what the
    convolution gives, and where no other module holds either or shares the weights. A module is taken to be called as a
    whole: one that reaches into another to run a part of it is not seen.
    """
    holders = Counter(id(child) for module in model.modules() for child in module._modules.values())
    sharers = Counter(id(tensor) for module in model.modules() for tensor in module._parameters.values())
    feeds = []
    for path, owner in model.named_modules():
        norms = [key for key, child in owner._modules.items() if child is not None and is_batch_norm(child)]
        graph = _read_forward(owner) if norms else None
        for key in norms:
            name = f"{path}.{key}" if path else key
            conv_key, reason = _feeder(owner, key, graph, holders, sharers)
            feeds.append(Feed(name, owner, key, None if reason else conv_key, reason))
    return feeds


def _read_forward(owner: nn.Module) -> fx.Graph | None:
    """The steps of a module's `forward` at its default arguments, or None where they depend on the data."""
    if is_row(owner):
        owner = nn.Sequential(OrderedDict(owner._modules))
    parameters = inspect.signature(owner.forward).parameters.values()
    defaults = {item.name: item.default for item in parameters if item.default is not inspect.Parameter.empty}
    try:
        return _OwnCalls().trace(owner, concrete_args=defaults)
    except Exception:  # whatever a forward does that cannot be read, its norms are left alone
        return None


def _feeder(
    owner: nn.Module, key: str, graph: fx.Graph | None, holders: Counter, sharers: Counter
) -> tuple[str | None, str | None]:
    """The name of the layer that can take up the norm `key`, and why there is none."""
    norm = owner._modules[key]
    if graph is None:
        return None, f"the forward of {type(owner).__name__} cannot be read"
    calls = [node for node in graph.nodes if node.op == "call_module"]
    uses = [node for node in calls if node.target == key]
    if len(uses) != 1:
        return None, f"called {len(uses)} times"
    source = uses[0].args[0] if uses[0].args else None
    if not (isinstance(source, fx.Node) and source.op == "call_module") or source.target not in owner._modules:
        return None, "not fed by a convolution"
    conv = owner._modules[source.target]
    if len(source.users) != 1 or sum(node.target == source.target for node in calls) != 1:
        return None, "its convolution is used elsewhere too"
    shared = any(sharers[id(tensor)] > 1 for tensor in conv._parameters.values() if isinstance(tensor, torch.Tensor))
    if holders[id(conv)] != 1 or holders[id(norm)] != 1 or shared:
        return None, "shared with another module"
    return source.target, norm_obstacle(norm) or conv_obstacle(conv, norm.num_features)
