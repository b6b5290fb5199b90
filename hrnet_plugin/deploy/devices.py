"""Where torch computes a network."""

from __future__ import annotations

import torch

from ..errors import ConfigError, nearest

#: The runtimes that compute where their network lies; the others have devices of their own.
ON_DEVICES = ("torch", "torch-compile")


def find_device(name: str | torch.device | None, runtime: str = "torch") -> torch.device:
    """The device of a name, once it is known to be there.

    Args:
        name: As torch has it: `cpu`, `cuda`, `cuda:1`, `mps`; None for the CPU.
        runtime: That will compute there.

    Raises:
        ConfigError: no such device on this machine, or a runtime that does not compute there.
    """
    try:
        device = torch.device(name or "cpu")
    except RuntimeError as error:
        raise ConfigError(f"device {name}", found="none of this name", do=nearest(str(name), _present())) from error
    if device.type == "cpu":
        return device
    if runtime not in ON_DEVICES:
        raise ConfigError(
            f"device {name} with runtime {runtime}", found="a runtime for the CPU", expected=" or ".join(ON_DEVICES)
        )
    present = _present()
    if device.type not in present or (device.index or 0) >= present[device.type]:
        kinds = ", ".join(f"{count} of {kind}" if kind != "cpu" else kind for kind, count in present.items())
        raise ConfigError(f"device {name}", found=f"no such device for this torch {torch.__version__}", expected=kinds)
    return device


def _present() -> dict[str, int]:
    """Kinds of devices at hand, with their numbers."""
    mps = {"mps": 1} if torch.backends.mps.is_available() else {}
    cuda = {"cuda": torch.cuda.device_count()} if torch.cuda.is_available() else {}
    return {"cpu": 1, **cuda, **mps}
