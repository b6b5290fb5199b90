"""Classes by the names that configs give them, and the arguments that they take."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmengine import registry as roots
from mmengine.registry import DefaultScope, Registry

from hrnet_plugin.errors import MissingDependency

#: What a place of a config takes, and the registry of mmengine that holds it.
REGISTRIES = {
    "model": roots.MODELS,
    "initialiser": roots.WEIGHT_INITIALIZERS,
    "task util": roots.TASK_UTILS,
    "data set": roots.DATASETS,
    "transform": roots.TRANSFORMS,
    "sampler": roots.DATA_SAMPLERS,
    "function": roots.FUNCTIONS,
    "metric": roots.METRICS,
    "evaluator": roots.EVALUATOR,
    "optimizer wrapper": roots.OPTIM_WRAPPERS,
    "optimizer wrapper constructor": roots.OPTIM_WRAPPER_CONSTRUCTORS,
    "optimizer": roots.OPTIMIZERS,
    "scheduler": roots.PARAM_SCHEDULERS,
    "loop": roots.LOOPS,
    "hook": roots.HOOKS,
    "visualizer": roots.VISUALIZERS,
    "visualizer backend": roots.VISBACKENDS,
    "log processor": roots.LOG_PROCESSORS,
    "model wrapper": roots.MODEL_WRAPPERS,
}
CODEC = "keypoint codec"
BATCH_AUGMENT = "batch augment"


class Unavailable(Exception):
    """A class whose framework, or something that it needs, is not installed."""


def registry_of(kind: str) -> Registry:
    """The registry that holds classes of a kind.

    Raises:
        Unavailable: the framework that has it is not installed.
    """
    try:
        if kind == CODEC:
            from mmpose.registry import KEYPOINT_CODECS

            return KEYPOINT_CODECS
        if kind == BATCH_AUGMENT:
            from mmpretrain.registry import BATCH_AUGMENTS

            return BATCH_AUGMENTS
    except (ImportError, AssertionError) as error:
        raise Unavailable(str(error)) from error
    return REGISTRIES[kind]


def find_class(kind: str, name: object, scope: str | None = None) -> Callable | None:
    """The class, or function, that a config means by `type=name`; None where there is none of that name.

    Args:
        kind: What the place takes, one of :data:`REGISTRIES`.
        name: The name, with or without a scope before it, or the class itself.
        scope: The `_scope_` that mmengine noted beside the name; the default scope where it is None.

    Raises:
        Unavailable: it needs a package that is not there.
    """
    if not isinstance(name, str):
        return name if callable(name) else None
    try:
        with registry_of(kind).switch_scope_and_registry(scope) as registry:
            return registry.get(name)
    except (ImportError, MissingDependency, AssertionError) as error:
        raise Unavailable(str(error)) from error
    except Exception:  # how mmengine says that a name with a dot leads nowhere
        return None


def known_names(kind: str) -> set[str]:
    """The names that a place of this kind takes under the default scope, those of other scopes with it before them."""
    scope = DefaultScope.get_current_instance()
    return registered_names(registry_of(kind), scope.scope_name if scope else "")


def registered_names(root: Registry, scope: str) -> set[str]:
    """The names that a root registry knows, with the scope before those of its children but the one that is asked.

    Args:
        root: One of mmengine's registries.
        scope: Whose names need no scope before them.
    """
    known = set(root.module_dict)
    for child_scope, child in root.children.items():
        prefix = "" if child_scope == scope else f"{child_scope}."
        known |= {f"{prefix}{name}" for name in child.module_dict}
    return known


@dataclass(frozen=True)
class Arguments:
    """What a class can be given.

    Args:
        names: Every argument; None where it takes any name.
        required: Those without a default.
        listed: Those that are known by name, whether or not it takes others.
    """

    names: frozenset[str] | None
    required: frozenset[str]
    listed: frozenset[str]


@functools.cache
def arguments_of(kind: Callable) -> Arguments:
    """The arguments of a class or function, those included that it hands on to its bases.

    Where a constructor takes any name and does more with them than to hand them on, nothing is known of the names.
    """
    if not inspect.isclass(kind):
        return _of_function(kind)
    names: set[str] = set()
    required: set[str] = set()
    given: frozenset[str] = frozenset()
    positional = 0
    for base in kind.__mro__:
        constructor = vars(base).get("__init__")
        if constructor is None:
            continue
        found = _of_function(constructor, skipped=1 + positional)
        required |= found.required - names - given
        names |= found.listed - given
        if found.names is not None:
            return Arguments(frozenset(names), frozenset(required), frozenset(names))
        handed = _handed_on(constructor)
        if handed is None:
            break
        positional, given = handed[0], handed[1] - names
    return Arguments(None, frozenset(required), frozenset(names))


def default_of(kind: Callable, name: str, otherwise: Any = None) -> Any:
    """The default of an argument, from the first class of the hierarchy that names it."""
    for base in getattr(kind, "__mro__", (kind,)):
        constructor = vars(base).get("__init__")
        parameter = _parameters(constructor).get(name) if constructor else None
        if parameter is not None and parameter.default is not parameter.empty:
            return parameter.default
    return otherwise


def _parameters(function: Callable) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in C
        return {"kwargs": inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)}


def _of_function(function: Callable, skipped: int = 0) -> Arguments:
    """What a function takes, its first parameters left out: `self`, and what a class gives its base by position."""
    parameters = list(_parameters(function).values())
    named = [item for item in parameters if item.kind in (item.POSITIONAL_OR_KEYWORD, item.KEYWORD_ONLY)][skipped:]
    names = frozenset(item.name for item in named)
    required = frozenset(item.name for item in named if item.default is item.empty)
    takes_any = any(item.kind is item.VAR_KEYWORD for item in parameters)
    return Arguments(None if takes_any else names, required, names)


@functools.cache
def _handed_on(constructor: Callable) -> tuple[int, frozenset[str]] | None:
    """How a constructor calls `super().__init__`: the number of values by position, and those by name.

    None unless it gives its `**kwargs` there and uses them nowhere else.
    """
    name = next((item.name for item in _parameters(constructor).values() if item.kind is item.VAR_KEYWORD), None)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    except (OSError, TypeError, SyntaxError):
        return None
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    owner = constructor.__qualname__.split(".")[-2:][0]
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not _is_super_init(call.func, owner) or len(uses) != 1:
            continue
        if any(item.arg is None and item.value is uses[0] for item in call.keywords):
            values = [item for item in call.args if not isinstance(item, ast.Starred)]
            return len(values), frozenset(item.arg for item in call.keywords if item.arg)
    return None


def _is_super_init(function: ast.expr, owner: str) -> bool:
    """`super().__init__` or `super(Owner, self).__init__`; with another class, some of the bases are passed over."""
    if not isinstance(function, ast.Attribute) or function.attr != "__init__":
        return False
    call = function.value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "super":
        return False
    return not call.args or (isinstance(call.args[0], ast.Name) and call.args[0].id == owner)
