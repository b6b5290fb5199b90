"""A trained checkpoint made ready for others: weights and their description alone, under a name with their hash."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..compat.safetensors_files import SUFFIX, plain_meta, safetensors_bytes
from ..errors import CheckpointError, ConfigError
from .atomic import save_or_tell, serialise

#: Suffix of the file by the name of its form.
FORMS = {"pth": ".pth", "safetensors": SUFFIX}
#: Digits of the SHA-256 in a file's name, as OpenMMLab has them.
_DIGITS = 8


@dataclass(frozen=True)
class Package:
    """A file to be published, not yet written.

    Args:
        file_name: `<name>-<first digits of the hash><suffix>`.
        content: Its bytes.
        sha256: Their SHA-256 in hexadecimal digits.
    """

    file_name: str
    content: bytes | memoryview
    sha256: str


@dataclass(frozen=True)
class Published:
    """A published file.

    Args:
        path: Where it stands.
        sha256: Its SHA-256 in hexadecimal digits.
        size: In bytes.
    """

    path: Path
    sha256: str
    size: int


def kept_meta(meta: Mapping) -> dict:
    """What of a checkpoint's `meta` is about the weights: the description of their data set, in mmengine's form.

    Time, seed, progress and the text of the config are about the training and stay behind: the text would be run by
    whoever reads it as a config.
    """
    if isinstance(meta.get("dataset_meta"), Mapping):
        return {"dataset_meta": dict(meta["dataset_meta"])}
    older = {name.lower(): meta[name] for name in ("CLASSES", "PALETTE") if meta.get(name) is not None}
    return {"dataset_meta": older} if older else {}


def pack(
    weights: Mapping[str, Tensor],
    meta: Mapping,
    name: str,
    form: str = "pth",
    versions: Mapping[str, Mapping] | None = None,
) -> Package:
    """The file of some weights; the same bytes for the same input.

    Args:
        weights: Tensors by key. Each is copied into memory of its own on the CPU, its dtype kept.
        meta: What to say of them; arrays become lists.
        name: What the file's name starts with.
        form: `pth`, `{"state_dict": ..., "meta": ...}` as mmengine keeps it, or `safetensors`.
        versions: What torch keeps of each module's version, by the module's path. Without them a framework may take the
            weights for old ones and change them.

    Raises:
        ConfigError: `form` is unknown, or `name` is no file name.
        MissingDependency: the package `safetensors` is not installed.
    """
    if form not in FORMS:
        raise ConfigError("form of the published file", found=repr(form), expected=" or ".join(FORMS))
    # All copied, for the same bytes from whatever they were cut out of, or shared with.
    own = OrderedDict((key, tensor.detach().cpu().clone().contiguous()) for key, tensor in weights.items())
    plain, said = plain_meta(meta), plain_meta(versions or {})
    if said:
        own._metadata = OrderedDict(said)
    if form == "safetensors":
        content = safetensors_bytes(own, plain, said)
    else:
        content = serialise({"state_dict": own, "meta": plain})
    check_name(name)
    digest = hashlib.sha256(content).hexdigest()
    return Package(hashed_name(name, digest, FORMS[form]), content, digest)


def check_name(name: str) -> None:
    """Check that a published file's name can start with `name`.

    Raises:
        ConfigError: it is no file name.
    """
    if not name or name != Path(name).name or name.startswith(("-", ".")) or not name.isprintable():
        raise ConfigError(f"name {name!r}", found="no file name", expected="a word such as hrnet_w32_coco")


def hashed_name(name: str, digest: str, suffix: str) -> str:
    """The name of a published file as OpenMMLab has it, with the first digits of its SHA-256."""
    return f"{name}-{digest[:_DIGITS]}{suffix}"


def write(package: Package, folder: str | Path) -> Published:
    """Write the file, as a whole or not at all.

    A file of the same name and content stays as it is.

    Raises:
        CheckpointError: the folder cannot be written or is full, or another file has the name.
    """
    path = Path(folder) / package.file_name
    if path.exists():
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256:
            return Published(path, package.sha256, len(package.content))
        raise CheckpointError(
            f"published file {path}",
            found="another file of that name",
            expected=f"none, or one of SHA-256 {package.sha256}",
            do="Move it away",
        )
    save_or_tell(package.content, path, "published file", "Name another one")
    return Published(path, package.sha256, len(package.content))
