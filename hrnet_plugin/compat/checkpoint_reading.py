"""Checkpoints that cannot be read, or should not be.

What broke: mmengine 0.10.7 hands a missing, truncated or foreign file on to torch, whose error is a page of advice
to load unsafely; it downloads with torch's `load_url`, whose default is still `weights_only=False`, so a checkpoint
named by URL may run code; and `Runner.resume` executes the text that it finds under `meta['config']`.
Since torch 2.6 (the page), mmengine 0.1 (the other two).
Detected: mmengine's own loader functions are in place.
Done: local files and downloads are read with `weights_only=True`, whatever torch's environment variables say; every
failure is a CheckpointError of one line, which names the file and, where there is one, the forbidden name. What is far
larger than its file is refused (`checkpoint_content`), and so is what only fills the memory (`strict_names`). The text
under `meta['config']`, which mmcv 1 wrote and mmengine does not, is kept as `meta['config_text']`: nothing runs it.
Files in safetensors, of which mmengine knows nothing, are read as checkpoints (`safetensors_files`).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from urllib.parse import urlparse

from ..errors import CheckpointError, UserError
from .allow_list import allow, loads_weights_only
from .fix import AfterImport, Finding
from .safetensors_files import is_safetensors, read_safetensors
from .strict_names import narrow

#: Warnings of torch about files that it refuses next, or reads.
_ANSWERED = ("Detected pickle protocol", "'torch.load' received a zip file that looks like a TorchScript")
_GLOBAL = re.compile(r"GLOBAL ([\w.<>]+)")
#: Steps of pickles that came with protocol 4; torch writes 2, and its restricted reader knows no later ones.
_LATER = re.compile(r"Unsupported operand 1(4\d|5[0-2])\b")
_STEP = re.compile(r"(Trying to call|Can only|Only persistent_load|persistent_load id)[^\n]*")


def read_checkpoint(path: str | Path, map_location: object = "cpu", *, mapped: bool = False) -> dict:
    """Reads a checkpoint file, tensors and plain data only.

    Args:
        path: A file of `torch.save` or a safetensors file; `~` stands for the home folder.
        map_location: As in `torch.load`.
        mapped: Leave the numbers of the tensors on the disk until they are asked for, where the file's form allows it.

    Returns:
        The dict that was saved, with ordinary numpy arrays in it.

    Raises:
        CheckpointError: if it is missing, truncated, no checkpoint, or asks for anything that could run code;
            nothing in it has run then.
    """
    path = Path(path).expanduser()
    if not os.path.isfile(path):
        raise CheckpointError(
            f"checkpoint {path}",
            found="a folder" if os.path.isdir(path) else "no such file",
            expected="a file written by training, such as work_dirs/<config>/epoch_210.pth",
        )
    with one_line(str(path)):
        return _read(path, str(path), map_location, mapped)


def download_checkpoint(
    url: str, model_dir: str | None = None, map_location: object = None, progress: bool = True
) -> dict:
    """Downloads a checkpoint into torch's cache, or finds it there, and reads it as :func:`read_checkpoint` does.

    Raises:
        CheckpointError: if it cannot be fetched or read.
    """
    with one_line(url):
        return _read(_fetched(url, model_dir, progress), url, map_location)


def _read(path: Path, name: str, map_location: object, mapped: bool = False) -> dict:
    """A local file as a checkpoint, which is called `name` in errors."""
    import torch

    from .checkpoint_content import check_archive

    if is_safetensors(path):
        return _checked(read_safetensors(path, map_location), path, name)
    check_archive(path, name)
    _allow()
    mapped = mapped and zipfile.is_zipfile(path)
    with narrow(), warnings.catch_warnings():
        for message in _ANSWERED:
            warnings.filterwarnings("ignore", message)
        return _checked(torch.load(path, map_location=map_location, weights_only=True, mmap=mapped), path, name)


def _fetched(url: str, model_dir: str | None, progress: bool) -> Path:
    """The file of a URL in torch's cache, where torch's own loader would keep it."""
    import torch

    folder = Path(model_dir or Path(torch.hub.get_dir()) / "checkpoints")
    path = folder / PurePosixPath(urlparse(url).path).name
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), progress=progress)
    return path


@contextlib.contextmanager
def one_line(name: str) -> Iterator[None]:
    """Turns whatever goes wrong while the checkpoint `name` is read into a CheckpointError."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        raise CheckpointError(f"checkpoint {name}", **_explain(error)) from error


def _explain(error: Exception) -> dict[str, str]:
    from urllib.error import URLError

    if isinstance(error, FileNotFoundError | PermissionError):
        return {"found": (error.strerror or "no such file").lower(), "expected": "a file that can be read"}
    if isinstance(error, URLError | ConnectionError | TimeoutError):
        return {
            "found": f"no answer ({getattr(error, 'reason', error)})",
            "expected": "a download",
            "do": "Fetch it by other means and name the local file, or start from random weights",
        }
    forbidden = _forbidden(str(error)) if isinstance(error, pickle.UnpicklingError) else None
    if forbidden:
        return {
            "found": f"a request for {forbidden}",
            "expected": "tensors, numbers and mmengine's log history",
            "do": "It was refused and nothing in it ran",
        }
    other = _other_form(str(error))
    if other:
        return {"expected": "a file that torch.save wrote as it does by itself", **other}
    reason = str(error).rpartition("WeightsUnpickler error: ")[2].strip().splitlines()
    return {
        "found": f"a file that is truncated or no checkpoint ({type(error).__name__}: {(reason or [''])[0]})",
        "expected": "a file written by torch.save",
        "do": "Copy or download it again",
    }


def _other_form(text: str) -> dict[str, str] | None:
    """What is said of a whole file in a form that torch reads with code of the file's choice only."""
    if "TorchScript archives" in text:
        return {"found": "a TorchScript archive, which holds code", "do": "Where it was made, save the state_dict()"}
    if "legacy .tar format" in text:
        do = "Where you trust it, read it with torch.load(weights_only=False) and save it anew"
        return {"found": "torch's first form of files (.tar)", "do": do}
    if _LATER.search(text):
        do = "Where it was made, save it without pickle_protocol"
        return {"found": "a pickle of protocol 4 or later", "do": do}
    return None


def _forbidden(text: str) -> str | None:
    """What torch's restricted unpickler says that it refused: a name, or a step with a thing of the wrong kind."""
    name, step = _GLOBAL.search(text), _STEP.search(text)
    if name:
        # torch leaves `builtins.` out.
        return name[1] if "." in name[1] else f"builtins.{name[1]}"
    return f"a forbidden step ({step[0]})" if step else None


def _allow() -> None:
    if loads_weights_only():
        allow()


def _checked(checkpoint: object, path: Path, name: str) -> dict:
    from .checkpoint_content import plain_content

    if not isinstance(checkpoint, dict):
        raise CheckpointError(f"checkpoint {name}", found=f"a {type(checkpoint).__name__}", expected="a dict")
    checkpoint = plain_content(checkpoint, name, path.stat().st_size)
    meta = checkpoint.get("meta")
    if isinstance(meta, dict) and "config" in meta:
        meta["config_text"] = meta.pop("config")
    return checkpoint


def _detect(checkpoint: ModuleType) -> Finding:
    if checkpoint.load_from_local.__module__ != checkpoint.__name__:
        return Finding(False, f"{checkpoint.load_from_local.__module__} has replaced mmengine's loader")
    return Finding(True, "mmengine's loader downloads unsafely and lets torch's errors through")


def _act(checkpoint: ModuleType) -> None:
    loader = checkpoint.CheckpointLoader
    load_by_scheme = loader.load_checkpoint

    def load_from_local(filename: str, map_location: object) -> dict:
        return read_checkpoint(filename, map_location)

    def load_checkpoint(cls: type, filename: str, map_location: object = None, logger: object = "current") -> dict:
        with one_line(str(filename)):
            return load_by_scheme(filename, map_location, logger)

    loader.register_scheme("", loader=load_from_local, force=True)
    loader.load_checkpoint = classmethod(load_checkpoint)
    checkpoint.load_from_local = load_from_local
    checkpoint.load_url = download_checkpoint


FIX = AfterImport(
    name="checkpoint-reading",
    breakage="a checkpoint that is broken or malicious gives a page of advice to load it unsafely",
    since="torch 2.6, mmengine 0.1",
    target="mmengine.runner.checkpoint",
    detect=_detect,
    act=_act,
)
