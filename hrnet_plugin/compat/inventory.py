"""What is installed, beside what `requirements/` asks for. Needs nothing but Python."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Version = Literal["fits", "differs", "missing"]

# requirements file -> whether pip must leave the dependencies alone
FILES = {"torch": False, "runtime": False, "openmmlab": True, "openmmlab_needs": False, "deploy": False}
FRAMEWORKS = ("mmpose", "mmsegmentation", "mmdet", "mmpretrain")

# One and the same package under several names, of which an environment has one.
_TWINS = {
    "mmcv-lite": ("mmcv-lite", "mmcv"),
    "opencv-python": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
}
# torchvision would replace the torch that is there.
_NO_DEPENDENCIES = ("torchvision",)
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)\s*(?P<spec>[^#;]*)")


@dataclass(frozen=True)
class Package:
    """One package that the project asks for.

    Attributes:
        name: Its name in `requirements/`.
        spec: The versions asked for, such as `>=1.23,<2`; empty for any.
        source: The requirements file, without suffix.
        found_name: The name it is installed under, None where it is missing.
        found: The version that is installed, None where it is missing.
        version: Whether what was found fits.
    """

    name: str
    spec: str
    source: str
    found_name: str | None
    found: str | None
    version: Version

    @property
    def without_dependencies(self) -> bool:
        """Whether pip must install it with `--no-deps`."""
        return FILES[self.source] or self.name in _NO_DEPENDENCIES


def inspect_packages(folder: Path) -> list[Package]:
    """Looks up every package of the requirements files in a folder.

    Args:
        folder: The folder `requirements/`.
    """
    return [_inspect(name, spec, source) for source in FILES for name, spec in read_requirements(folder, source)]


def read_requirements(folder: Path, source: str) -> list[tuple[str, str]]:
    """Name and version specification of each line of `<source>.txt`."""
    found = []
    for line in (folder / f"{source}.txt").read_text(encoding="utf-8").splitlines():
        match = _LINE.match(line)
        if match:
            found.append((match["name"], match["spec"].strip()))
    return found


def installed(name: str) -> list[tuple[str, str]]:
    """Name and version of a package as it is installed, for each of the names it goes by."""
    found = []
    for twin in _TWINS.get(name, (name,)):
        try:
            found.append((twin, importlib.metadata.version(twin)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def fits(version: str, spec: str) -> bool:
    """Whether a version meets a specification; without a package that can tell, an exact pin is compared by text."""
    if not spec:
        return True
    for home in ("packaging", "pip._vendor.packaging", "setuptools._vendor.packaging"):
        try:
            specifiers = importlib.import_module(f"{home}.specifiers")
        except ModuleNotFoundError:
            continue
        return specifiers.SpecifierSet(spec).contains(version, prereleases=True)
    return not spec.startswith("==") or version.partition("+")[0] == spec.removeprefix("==")


def _inspect(name: str, spec: str, source: str) -> Package:
    found = installed(name)
    if not found:
        return Package(name, spec, source, None, None, "missing")
    found_name, version = found[0]
    return Package(name, spec, source, found_name, version, "fits" if fits(version, spec) else "differs")
