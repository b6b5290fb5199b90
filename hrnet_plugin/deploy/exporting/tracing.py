"""Networks as graphs: traced by `torch.export`, and which layer stands in the way where that fails."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.fx.experimental.symbolic_shapes import free_unbacked_symbols

from ...errors import ConfigError, MissingDependency, UserError, find_user_error
from .dimensions import example_images, free_dimensions
from .shape import InputShape
from .silence import silenced

_WHY = 120


def trace(network: nn.Module, shape: InputShape, form: str) -> ExportedProgram:
    """The graph of a network.

    Args:
        network: In evaluation mode.
        shape: Fixed or free batch and size.
        form: The format that is being written, as the user knows it.

    Raises:
        ConfigError: a layer that is no function of tensors alone, by its name.
    """
    images = example_images(shape)
    with explained_tracing(network, form), silenced(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.export.export(network, (images,), dynamic_shapes=free_dimensions(shape))
    if any(map(_varies, outputs_of(program))):
        first = next(filter(_varies, program.graph.nodes))
        raise _refusal(form, _layer_of(first), "how many outputs it has depends on the image")
    return program


def _varies(node: fx.Node) -> bool:
    """Whether the shape of a node's tensor depends on what its input holds."""
    value = node.meta.get("val")
    return isinstance(value, torch.Tensor) and any(free_unbacked_symbols(length) for length in value.shape)


def outputs_of(program: ExportedProgram) -> list[fx.Node]:
    """The nodes of a graph that leave it."""
    names = program.graph_signature.user_outputs
    return [node for node in program.graph.nodes if node.name in names]


def operators_of(program: ExportedProgram) -> list[tuple[str, fx.Node]]:
    """The operators of a graph by their names, such as `conv2d`, with their nodes."""
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    return [(str(getattr(node.target, "__name__", node.target)).partition(".")[0], node) for node in nodes]


def layers_of(program: ExportedProgram, operator: str) -> list[str]:
    """The modules in which an operator stands, as 'path (type)'."""
    return [_layer_of(node) for name, node in operators_of(program) if name == operator]


@contextmanager
def explained_tracing(network: nn.Module, form: str) -> Iterator[None]:
    """Turns an error from tracing `network` into one line that names the layer.

    Raises:
        ConfigError: whatever the exporter raised.
    """
    try:
        yield
    except Exception as error:  # tracing fails in as many ways as layers can be written
        mistake = find_user_error(error)
        # A missing package is that of a compiled operator, which could not be exported with it either.
        if isinstance(mistake, UserError) and not isinstance(mistake, MissingDependency):
            raise mistake from error
        why = mistake.what if mistake is not None else _in_short(error)
        hidden = mistake is not None  # the command line tells the innermost
        raise _refusal(form, _innermost(network, error) or type(network).__name__, why) from (None if hidden else error)


@contextmanager
def explained_conversion(program: ExportedProgram, form: str) -> Iterator[None]:
    """Turns an error from converting a graph into one line that names the layer.

    Raises:
        ConfigError: whatever the converter raised.
    """
    try:
        yield
    except Exception as error:  # converters fail in as many ways as there are operators
        node = _failed_node(program, error)
        operator = f"{node.target} has no form" if node is not None else _in_short(error)
        raise _refusal(form, _layer_of(node) if node is not None else "unknown", operator) from error


def _refusal(form: str, layer: str, why: str) -> ConfigError:
    return ConfigError(
        f"export to {form}: layer {layer}",
        found=why,
        expected="a layer that computes tensors from tensors",
        do="Choose another format, or another layer",
    )


def _innermost(network: nn.Module, error: BaseException) -> str | None:
    """The module in whose `forward` an error was raised, as 'path (type)'."""
    names = {id(module): name for name, module in network.named_modules()}
    found = None
    for frame, _ in walk_tb(error.__traceback__):
        module = frame.f_locals.get("self")
        if id(module) in names and names[id(module)]:
            found = f"{names[id(module)]} ({type(module).__name__})"
    return found


def _failed_node(program: ExportedProgram, error: BaseException) -> fx.Node | None:
    """The node that a converter names in its error."""
    names, cause = [], error
    while cause is not None:
        names += re.findall(r"node %(\w+)", str(cause))
        cause = cause.__cause__
    nodes = list(program.graph.nodes)
    exact = [node for name in names for node in nodes if node.name == name]
    # Converters break operators down first, and name what came of that: special_i0 becomes i0.
    near = [node for name in names for node in nodes if node.name.endswith(f"_{name}")]
    return next(iter(exact + near), None)


def _layer_of(node: fx.Node) -> str:
    """The module that a node of a graph comes from, as 'path (type)'."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1] if stack else ("", "network")
    return f"{path or 'the network'} ({str(kind).rpartition('.')[2]})"


def _in_short(error: BaseException) -> str:
    line = " ".join(str(error).split())
    return line if len(line) <= _WHY else f"{line[:_WHY]}..."
