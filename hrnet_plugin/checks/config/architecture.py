"""Parts of the network that cannot be built, and whether those that can fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hrnet_plugin.archs import CONVENTIONS, read_extra
from hrnet_plugin.config_tree import type_name
from hrnet_plugin.engine.network_fit import head_faults
from hrnet_plugin.errors import SpecError, UserError, nearest
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.plain import as_list
from hrnet_plugin.wording import in_short

from .keys import each, join, walk
from .run_config import RunConfig

ARCHITECTURE = "architecture"
REFUSED = "refused-value"
UNKNOWN_ARGUMENT = "unknown-argument"
#: The frameworks' own HRNets have four stages, no fewer and no more.
_LAST_STAGE = 4
_MISSING = re.compile(r"(\w+)\.__init__\(\) missing \d+ required .*?arguments?: (.*)")
INSTALL = "`hrnet doctor` prints the commands that install what is missing"


def check_architecture(run: RunConfig) -> Iterator[Finding]:
    """Each part of the network: that its constructor takes what the config gives it."""
    for key, error in run.network.failures.items():
        # The constructor says again, in other words, what was told of a name; unknown arguments it was not given.
        if run.is_blamed(key, but=UNKNOWN_ARGUMENT):
            continue
        if needs_package(error):
            yield Finding(NOTE, "not-installed", key, in_short(error), do=INSTALL)
        elif isinstance(error, SpecError):
            yield from_error(error, ARCHITECTURE, _spec_key(key, error))
        elif isinstance(error, UserError):
            yield from_error(error, ARCHITECTURE, key)
        else:
            yield from _upstream_faults(run, key) or _refused(run, key, error)


def _refused(run: RunConfig, key: str, error: Exception) -> Iterator[Finding]:
    """What a constructor of a framework says, with the argument that it misses where that is what it says."""
    kind = run.get(join(key, "type"))
    name = kind if isinstance(kind, str) else kind.__name__
    missing = _MISSING.search(str(error)) if isinstance(error, TypeError) else None
    if missing and missing[1] == type_name(kind):
        for argument in re.findall(r"'(\w+)'", missing[2]):
            yield Finding(ERROR, "missing-argument", join(key, argument), "nothing", f"a value, which {name} needs")
    else:
        yield Finding(ERROR, REFUSED, key, f"values that {name} refuses: {in_short(error)}")


def _upstream_faults(run: RunConfig, key: str) -> list[Finding]:
    """What is wrong with the description of a framework's own HRNet: it stops with a word, and without the key."""
    node = run.get(key)
    kind = run.find("model", node)
    home = getattr(kind, "__module__", "").partition(".")[0]
    if getattr(kind, "__name__", "") != "HRNet" or home not in CONVENTIONS:
        return []
    found: list[Finding] = []
    frozen, arch, presets = node.get("frozen_stages", -1), node.get("arch"), getattr(kind, "arch_zoo", {})
    takes = not run.is_misnamed(join(key, "frozen_stages"))  # mmdet's and mmpretrain's freeze nothing
    if takes and (not isinstance(frozen, int) or frozen > _LAST_STAGE):
        found.append(Finding(ERROR, ARCHITECTURE, join(key, "frozen_stages"), str(frozen), f"-1 to {_LAST_STAGE}"))
    if arch is not None and node.get("extra") is None and arch not in presets:
        found.append(Finding(ERROR, ARCHITECTURE, join(key, "arch"), repr(arch), do=nearest(str(arch), presets)))
    if node.get("extra") is not None:
        try:
            spec = read_extra(node["extra"], CONVENTIONS[home])
            if len(spec.stages) != _LAST_STAGE:
                wanted = f"stage1 to stage{_LAST_STAGE}"
                found.append(Finding(ERROR, ARCHITECTURE, join(key, "extra"), f"{len(spec.stages)} stages", wanted))
        except SpecError as error:
            found.append(from_error(error, ARCHITECTURE, _spec_key(key, error)))
    return found


def check_channels(run: RunConfig) -> Iterator[Finding]:
    """The channels that leave the backbone against those that neck and heads were built for."""
    network = run.network
    if network.failure is not None:
        yield from _neck(run, network.failure)
    if network.features is None:
        return
    channels = [feature.shape[1] for feature in network.features]
    for fault in head_faults(network.parts, run.model, channels):
        yield from_error(fault, "head-channels")
    yield from _rois(run, channels)


def _neck(run: RunConfig, error: Exception) -> Iterator[Finding]:
    """Why backbone and neck do not run: the neck's channels, or something that is not known here."""
    arriving = run.network.arriving()
    for key, neck in each(run.model.get("neck"), "model.neck"):
        expected = neck.get("in_channels")
        if arriving is None or expected is None:
            continue
        if list(expected if isinstance(expected, (list, tuple)) else [expected]) != arriving:
            one = len(arriving) == 1 < len(as_list(expected))
            do = "Let the backbone give all its scales (multiscale_output=True)" if one else f"Set it to {arriving}"
            needed = f"{arriving}, the channels of the scales that reach it"
            yield Finding(ERROR, "neck-channels", join(key, "in_channels"), str(expected), needed, do)
            return
    height, width = run.network.size
    found = f"backbone and neck do not run an image of {width}x{height}: {in_short(error)}"
    yield Finding(NOTE, "not-checked", "model", found)


def _rois(run: RunConfig, channels: list[int]) -> Iterator[Finding]:
    """Two-stage detectors: what pools and what reads the pooled features have the pyramid's channels."""
    if len(set(channels)) != 1 or not isinstance(run.model.get("roi_head"), dict):
        return
    for key, node in walk(run.model["roi_head"], "model.roi_head"):
        name = key.split(".")[2] if key.count(".") > 1 else ""
        argument = "out_channels" if name.endswith("roi_extractor") else "in_channels"
        is_part = "type" in node and name.endswith(("roi_extractor", "_head")) and key.count(".") <= 3
        if is_part and isinstance(node.get(argument), int) and node[argument] != channels[0]:
            expected = f"{channels[0]}, the channels of the pyramid"
            yield Finding(ERROR, "head-channels", join(key, argument), str(node[argument]), expected)


def needs_package(error: Exception) -> bool:
    """Whether a constructor asks for a package that is not there."""
    return isinstance(error, ImportError) or "install" in str(error).lower()


def from_error(error: UserError, check: str, key: str | None = None) -> Finding:
    """A finding that says what an error says, at its own key or another."""
    parts = ("" if part is None else str(part) for part in (error.found, error.expected, error.do))
    return Finding(ERROR, check, key or error.what, *parts)


def _spec_key(part: str, error: SpecError) -> str:
    """The key of what a description of an architecture complains of: it knows it without the part before it."""
    name = error.what.partition(".")[2] if error.what.startswith(("neck.", "head.", "backbone.")) else error.what
    name = name.replace("[", ".").replace("]", "")
    return part if name == "backbone" else join(part, name)
