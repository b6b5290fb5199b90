"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Instructions that decide how fast a precision is, as /proc/cpuinfo writes them.
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
_PACKAGES = (
    "torch",
    "mmpose",
    "mmsegmentation",
    "mmengine",
    "mmcv",
    "mmcv-lite",
    "timm",
    "onnxruntime",
    "openvino",
    "nncf",
    "ncnn",
)


@dataclass(frozen=True)
class Machine:
    """A machine, and the software on it.

    Args:
        cpu: The processor's name.
        cores: Cores that this process may use.
        instructions: Those that matter here, in the kernel's spelling.
        memory: Bytes.
        system: Operating system and Python.
        packages: Versions by name.
        device: The graphics card's name; '' where the CPU computed.
    """

    cpu: str
    cores: int
    instructions: tuple[str, ...]
    memory: int
    system: str
    packages: dict[str, str] = field(default_factory=dict)
    device: str = ""


def describe_machine(device: str = "cpu") -> Machine:
    """This machine.

    Args:
        device: `cpu` or `cuda`.
    """
    info = _cpu_info()
    flags = info.get("flags", "").split()
    return Machine(
        cpu=_cpu_name(info),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        instructions=tuple(name for name in _INSTRUCTIONS if name in flags),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0,
        system=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        packages={name: found for name in _PACKAGES if (found := _version(name))},
        device=_card() if device == "cuda" else "",
    )


def _cpu_name(info: dict[str, str]) -> str:
    """The name, with family and model: what a cloud calls its processors is often cut short."""
    name = info.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in info:
        name += f" (family {info['cpu family']}, model {info.get('model', '?')})"
    return name


def _cpu_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _card() -> str:
    import torch

    return torch.cuda.get_device_name()
