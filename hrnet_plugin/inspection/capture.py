"""What modules of a network give while it runs, caught by hooks that always come off again."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from ..errors import ConfigError
from ..wording import suggestion

#: What a module gave: a tensor, or a tuple of them where it gives several (a high-resolution module: one a branch).
Feature = Tensor | tuple[Tensor, ...]
_WILDCARDS = frozenset("*?[")


@contextmanager
def capture_features(
    model: nn.Module, names: str | Iterable[str], *, keep: Callable[[Tensor], Tensor] | None = None
) -> Iterator[dict[str, Feature]]:
    """Catches what modules give.

    Tensors are detached copies, so that layers that work in place do not change them afterwards. A module that runs
    several times leaves what it gave last. All hooks come off at the end, also after an error.

    Args:
        model: The network.
        names: Modules by their names in `model.named_modules()`, or patterns such as `backbone.stage?`; a `*` also
            stands for dots.
        keep: What to keep of each tensor, on its own device; by default all of it. A function that only measures
            saves the memory.

    Yields:
        Features by module name, filled as the network runs.

    Raises:
        ConfigError: the network has no module of a name, or none that a pattern fits.

    Example:
        >>> with capture_features(model, ["backbone.stage4.2"]) as features:  # doctest: +SKIP
        ...     model(images)
        >>> [tuple(feature.shape) for feature in features["backbone.stage4.2"]]  # doctest: +SKIP
        [(1, 32, 64, 48), (1, 64, 32, 24), (1, 128, 16, 12), (1, 256, 8, 6)]
    """
    features: dict[str, Feature] = {}
    modules = dict(model.named_modules())
    chosen = find_modules(modules, [names] if isinstance(names, str) else names)
    kept = keep or _copied
    handles = []
    try:
        for name in chosen:
            handles.append(modules[name].register_forward_hook(_catching(features, name, kept)))
        yield features
    finally:
        for handle in handles:
            handle.remove()


def find_modules(known: Iterable[str], names: Iterable[str]) -> list[str]:
    """The modules that names and patterns stand for, each once, in the order of the patterns.

    Args:
        known: Names of all modules.
        names: Names, or patterns with `*`, `?` and `[...]`.

    Raises:
        ConfigError: nothing has this name.
    """
    known = list(known)
    found: dict[str, None] = {}
    for name in names:
        matches = fnmatch.filter(known, name) if _WILDCARDS & set(name) else [name] if name in known else []
        if not matches:
            raise ConfigError(
                f"module {name!r}",
                found="no such module in the network",
                expected="a name from named_modules(), or a pattern such as 'backbone.stage*'",
                do=suggestion(name, known),
            )
        found |= dict.fromkeys(matches)
    return list(found)


def _catching(features: dict[str, Feature], name: str, keep: Callable[[Tensor], Tensor]) -> Callable:
    def catch(module: nn.Module, inputs: object, output: object) -> None:
        tensors = tuple(keep(tensor.detach()) for tensor in tensors_in(output))
        if tensors:
            features[name] = tensors[0] if isinstance(output, Tensor) else tensors

    return catch


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors in a value: itself, or what lists, tuples and dicts hold, at any depth."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from tensors_in(one)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for one in value:
            yield from tensors_in(one)


def _copied(tensor: Tensor) -> Tensor:
    return tensor.clone()
