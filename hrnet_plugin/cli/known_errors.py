"""Errors of the frameworks that a user can mend, told as such: one line that names the thing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING

from hrnet_plugin.checks.data.reading import is_list_of_images, read_json
from hrnet_plugin.compat.launchers import port_in_use
from hrnet_plugin.compat.patient_broadcast import lost_process
from hrnet_plugin.disk import is_full
from hrnet_plugin.engine.data_check import albumentations_missing, empty_data_set
from hrnet_plugin.engine.network_fit import named_channel_mismatch
from hrnet_plugin.errors import ConfigError, DataError, LaunchError, UserError
from hrnet_plugin.wording import in_short, suggestion

from .annotation_errors import broken_annotations

if TYPE_CHECKING:
    from mmengine.config import Config

_LOST_WORKER = re.compile(
    r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\) (is killed by signal: [^.]+|exited unexpectedly)"
)
#: Words of gloo's and nccl's errors where another process is gone or silent.
_LOST = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Timed out waiting",
    "Broken pipe",
    "remote process exited",
    "NCCL communicator was aborted",
    "Watchdog caught collective operation timeout",
)


def explain(error: Exception, cfg: Config) -> UserError | None:
    """What the user did wrong, where `error` comes from a known mistake; None where it looks like a defect."""
    for explanation in _EXPLANATIONS:
        mistake = explanation(error, cfg)
        if mistake is not None:
            return mistake
    return None


def _unknown_type(error: Exception, cfg: Config) -> UserError | None:
    match = re.search(r"(\S+) is not in the (\S+?)::(.+?) registry", str(error))
    if not isinstance(error, KeyError) or match is None:
        return None
    name, scope, registry = match[1].lstrip("'\"`"), match[2], match[3]
    return ConfigError(
        f"config: type {name!r}",
        found=f"no {registry} of this name in {scope}",
        do=suggestion(name, _registered(scope, registry)),
    )


def _registered(scope: str, registry: str) -> set[str]:
    """The names that a registry and its parents know, with the scope before those of its children."""
    from mmengine import registry as mmengine_registry

    from hrnet_plugin.checks.config.lookup import registered_names

    roots = [item for item in vars(mmengine_registry).values() if isinstance(item, mmengine_registry.Registry)]
    root = next((item for item in roots if item.name == registry), None)
    return set() if root is None else registered_names(root, scope)


def _wrong_argument(error: Exception, cfg: Config) -> UserError | None:
    match = re.search(r"(\w+)(?:\.__init__)?\(\) (got an unexpected keyword argument|missing .*?:) (.+)", str(error))
    if not isinstance(error, TypeError) or match is None or "__init__" not in str(error):
        return None
    verb = "an argument it does not take" if "unexpected" in match[2] else "arguments missing"
    return ConfigError(f"config: {match[1]}", found=f"{verb}: {match[3]}", do="--traceback shows where")


def _refused_value(error: Exception, cfg: Config) -> UserError | None:
    """A constructor that refuses its arguments while mmengine builds it from the config."""
    if not isinstance(error, (AssertionError, TypeError, ValueError)):
        return None
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if not frames:
        return None
    last = frames[-1]
    if last.f_code.co_name != "__init__" or not any(item.f_code.co_name == "build_from_cfg" for item in frames):
        return None
    owner = type(last.f_locals.get("self")).__name__
    return ConfigError(f"config: {owner}", found=in_short(error), do="--traceback shows where")


def _empty_data_set(error: Exception, cfg: Config) -> UserError | None:
    """mmengine joins the samples of a data set into one array, and has nothing to join."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__) if frame.f_code.co_name == "_serialize_data"]
    if not isinstance(error, ValueError) or not frames:
        return None
    dataset = frames[0].f_locals["self"]
    path = Path(getattr(dataset, "ann_file", None) or "")
    if path.suffix == ".json" and path.is_file() and is_list_of_images(read_json(path)):
        return DataError(
            f"annotation file {path}",
            found="images without annotations (a list of test images)",
            expected="annotations, or a file of boxes of persons (`bbox_file` of the data set)",
        )
    return empty_data_set(dataset)


def _refused_samples(error: Exception, cfg: Config) -> UserError | None:
    """A data set of whole pictures that does not fit its folders or its list: no class of that name, no number."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if not isinstance(error, (AssertionError, RuntimeError, ValueError)) or not frames:
        return None
    dataset = frames[-1].f_locals.get("self")
    if frames[-1].f_code.co_name not in ("_find_samples", "load_data_list") or not hasattr(dataset, "img_prefix"):
        return None
    place = dataset.ann_file or dataset.img_prefix
    return DataError(f"data set {type(dataset).__name__} in {place}", found=in_short(error))


def _unreadable_image(error: Exception, cfg: Config) -> UserError | None:
    text = str(error)
    match = re.search(r"failed to load image: ([^`\n]+)", text)
    if match is not None:
        return DataError(f"image {match[1].strip()}", found="a file that no decoder reads", expected="a whole image")
    match = re.search(r"(?:No such file or directory|cannot identify image file|Is a directory):? '(.+?)'", text)
    if match is None or not isinstance(error, (OSError, ValueError)):
        return None
    return DataError(f"file {match[1]}", found=text.strip().splitlines()[-1].partition(": ")[0], do="Restore it")


def _no_albumentations(error: Exception, cfg: Config) -> UserError | None:
    return albumentations_missing() if "albumentations is not installed" in str(error) else None


def _port_in_use(error: Exception, cfg: Config) -> UserError | None:
    if "EADDRINUSE" not in str(error) and "address already in use" not in str(error).lower():
        return None
    port = os.environ.get("MASTER_PORT")  # without it no processes are joined: somebody else's port
    return port_in_use(port) if port else None


def _other_machine(error: Exception, cfg: Config) -> UserError | None:
    # Other errors of torch.distributed come from the middle of a run, and are no mistake of the user's.
    if type(error).__name__ in ("DistNetworkError", "DistStoreError"):
        return LaunchError("joining the processes", found=in_short(error))
    return None


def _lost_worker(error: Exception, cfg: Config) -> UserError | None:
    match = _LOST_WORKER.search(str(error))
    if match is None:
        return None
    do = "Mostly the machine is out of memory: take fewer num_workers"
    if "Bus error" in match[2]:
        do = "Shared memory is full: make /dev/shm larger (docker: --shm-size), or take fewer num_workers"
    found = match[2].replace("is killed by signal:", "ended by the signal")
    return DataError(f"process {match[1]} that loads data", found=found, do=f"{do}; go on with --resume")


def _lost_process(error: Exception, cfg: Config) -> UserError | None:
    """What a process meets when another one is gone: a closed connection of gloo or nccl, or silence."""
    # What the system says of a pipe or a socket is of this process's own: torch raises errors of other types.
    if isinstance(error, OSError) or not any(sign in str(error) for sign in _LOST) or not _of_several():
        return None
    return lost_process(in_short(error).rpartition("] ")[2])


def _of_several() -> bool:
    """Whether this process is one of several that are joined, or about to be."""
    from torch import distributed

    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size() > 1
    return os.environ.get("WORLD_SIZE", "1") != "1"


def _full_disk(error: Exception, cfg: Config) -> UserError | None:
    if not isinstance(error, OSError) or not is_full(error):
        return None
    return ConfigError(
        f"writing {error.filename or 'to the disk'}",
        found=f"'{error.strerror}'",
        expected="room",
        do="Make room; a training goes on with --resume from the last checkpoint that it could write",
    )


def _channel_mismatch(error: Exception, cfg: Config) -> UserError | None:
    mismatch = named_channel_mismatch(error)
    if mismatch is None:
        return None
    return ConfigError(
        "config: the parts of the network do not fit",
        found=f"{mismatch[1]} channels reaching a layer",
        expected=f"the {mismatch[0]} that it was built for",
        do="Check in_channels of neck and head; --traceback shows the layer",
    )


_EXPLANATIONS: tuple[Callable[[Exception, Config], UserError | None], ...] = (
    _full_disk,
    _unknown_type,
    _refused_samples,
    broken_annotations,
    _empty_data_set,
    _wrong_argument,
    _refused_value,
    _unreadable_image,
    _no_albumentations,
    _port_in_use,
    _other_machine,
    _lost_worker,
    _lost_process,
    _channel_mismatch,
)
