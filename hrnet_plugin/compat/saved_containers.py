"""What the names that torch itself allows in a checkpoint stand for while we read one.

torch's own functions compute with whatever they are given: `bytearray(10**11)` fills memory, so do forty calls of
`encode(..., 'hex')`, each doubling its text, and a set of the numbers of a tensor whose shape is larger than its
storage. Nothing that a training saves needs that. Here each takes plain containers and plain tensors only.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_CONTAINERS = (list, tuple, dict, OrderedDict, Counter, set)


def require(condition: bool, name: str, why: str) -> None:
    """Refuses what the file asks of `name` where the condition does not hold.

    Raises:
        pickle.UnpicklingError: `GLOBAL <name>` is how torch writes a refused name; `checkpoint_reading` reads it there.
    """
    if not condition:
        raise pickle.UnpicklingError(f"GLOBAL {name} was refused: {why}")


def encoded(text: str, encoding: str) -> bytes:
    """Bytes, as the pickle protocol for Python 2 keeps them (`_codecs.encode`)."""
    known = isinstance(text, str) and encoding in ("latin1", "latin-1")
    require(known, "_codecs.encode", "it is allowed for bytes only")
    return text.encode("latin1")


def byte_array(*content: object) -> bytearray:
    """Bytes that may be changed (`builtins.bytearray`), as both pickle protocols keep them."""
    if len(content) == 2 and all(isinstance(part, str) for part in content):
        return bytearray(encoded(*content))
    fits = not content or (len(content) == 1 and isinstance(content[0], bytes))
    require(fits, "builtins.bytearray", "its content is not in the file")
    return bytearray(*content)


def plain_set(*content: object) -> set:
    """A set of what stands in the file (`builtins.set`)."""
    return set(*_contained("builtins.set", content))


def ordered_dict(*content: object) -> OrderedDict:
    """`collections.OrderedDict`."""
    return OrderedDict(*_contained("collections.OrderedDict", content))


def counter(*content: object) -> Counter:
    """`collections.Counter`."""
    return Counter(*_contained("collections.Counter", content))


def size(*content: object) -> torch.Size:
    """The shape of a tensor (`torch.Size`)."""
    import torch

    return torch.Size(*_contained("torch.Size", content))


def device(*content: object) -> torch.device:
    """A device by name and number (`torch.device`)."""
    import torch

    return torch.device(*content)


def no_tensor(*content: object) -> None:
    """torch's old constructors of tensors, of any size and without content (`torch.Tensor`): none of them is called."""
    require(False, "torch.Tensor", "its content is not in the file")


def rebuild_tensor(storage: object, offset: int, shape: tuple, stride: tuple) -> Tensor:
    """A tensor on a storage of the file, as torch before 0.4 kept it (`torch._utils._rebuild_tensor`)."""
    import torch

    return torch._utils._rebuild_tensor(storage, offset, shape, stride)


def rebuild_tensor_v2(
    storage: object,
    offset: int,
    shape: tuple,
    stride: tuple,
    requires_grad: bool,
    hooks: object,
    metadata: object = None,
) -> Tensor:
    """A tensor on a storage of the file (`torch._utils._rebuild_tensor_v2`); its hooks are left out."""
    import torch

    return torch._utils._rebuild_tensor_v2(
        storage, offset, shape, stride, bool(requires_grad), OrderedDict(), _flags(metadata)
    )


def rebuild_tensor_v3(
    storage: object,
    offset: int,
    shape: tuple,
    stride: tuple,
    requires_grad: bool,
    hooks: object,
    dtype: torch.dtype,
    metadata: object = None,
) -> Tensor:
    """The same for the newer types of numbers (`torch._utils._rebuild_tensor_v3`)."""
    import torch

    return torch._utils._rebuild_tensor_v3(
        storage, offset, shape, stride, bool(requires_grad), OrderedDict(), dtype, _flags(metadata)
    )


def rebuild_parameter(data: Tensor, requires_grad: bool, hooks: object, state: object = None) -> Tensor:
    """A parameter (`torch._utils._rebuild_parameter`, `..._with_state`); its hooks and attributes are left out."""
    import torch

    require(isinstance(data, torch.Tensor), "torch._utils._rebuild_parameter", "it has no tensor")
    return torch.nn.Parameter(data, bool(requires_grad))


def rebuild_from_type(function: object, kind: object, arguments: tuple, state: object) -> Tensor:
    """A tensor with attributes (`torch._tensor._rebuild_from_type_v2`), which are left out."""
    known = function in (rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3, rebuild_parameter)
    require(known, "torch._tensor._rebuild_from_type_v2", "it asks for something else than a tensor")
    return function(*arguments)


def _contained(name: str, content: tuple) -> tuple:
    fits = not content or (len(content) == 1 and type(content[0]) in _CONTAINERS)
    require(fits, name, "its content is not a list in the file")
    return content


def _flags(metadata: object) -> dict | None:
    """torch's marks of a conjugated or negated view."""
    return metadata if type(metadata) is dict else None
