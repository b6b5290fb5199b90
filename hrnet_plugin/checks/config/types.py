"""Names of classes that nobody has, and arguments that a class does not take."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.errors import nearest
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.wording import suggestion

from .architecture import INSTALL, UNKNOWN_ARGUMENT
from .keys import join
from .lookup import CODEC, REGISTRIES, Unavailable, arguments_of, find_class, known_names, registry_of
from .places import Place
from .run_config import RunConfig

UNKNOWN_TYPE = "unknown-type"
#: Keys that mmengine sets or takes itself.
_ALWAYS = frozenset({"type", "_scope_"})
#: How near an argument is to the one that it is a misspelling of.
_NEAR = 0.72
#: Where options belong that are often put elsewhere, and what those of earlier versions became.
_BELONGS = {
    "flip_test": "model.test_cfg.flip_test",
    "shift_heatmap": "model.test_cfg.shift_heatmap",
    "flip_mode": "model.test_cfg.flip_mode",
    "output_heatmaps": "model.test_cfg.output_heatmaps",
    "val_interval": "train_cfg.val_interval",
    "max_epochs": "train_cfg.max_epochs with by_epoch=True, or type='EpochBasedTrainLoop'",
    "max_iters": "train_cfg.max_iters with by_epoch=False, or type='IterBasedTrainLoop'",
    "dataset_info": "metainfo",
    "img_prefix": "data_prefix.img",
    "img_dir": "data_prefix.img_path",
    "ann_dir": "data_prefix.seg_map_path",
    "classes": "metainfo.classes",
    "palette": "metainfo.palette",
    "loss_keypoint": "loss",
    "img_scale": "scale",
    "save_best": "default_hooks.checkpoint.save_best",
}


def check_types(run: RunConfig) -> Iterator[Finding]:
    """Every class that the config names: that it is there, and takes what it is given."""
    if not isinstance(run.get("model"), dict) or "type" not in run.get("model"):
        yield Finding(ERROR, UNKNOWN_TYPE, "model.type", "nothing", "the class of the model")
    yield from run.type_findings


def check_places(places: Sequence[Place]) -> Iterator[Finding]:
    """The same of some places alone."""
    for place in places:
        yield from _check_place(place)


def _check_place(place: Place) -> Iterator[Finding]:
    if place.type is None:
        yield Finding(ERROR, UNKNOWN_TYPE, join(place.key, "type"), "nothing", f"the name of a {place.kind}")
        return
    try:
        found = _find(place)
    except Unavailable as error:
        found = f"{type_name(place.type)}, which could not be loaded ({error})"
        yield Finding(NOTE, "not-installed", join(place.key, "type"), found, do=INSTALL)
        return
    if found is None:
        # Words of somebody's own choices are small, `adapt_cfg=dict(type='offset')`; names of classes are not.
        if not (place.nested and isinstance(place.type, str) and place.type.islower()):
            yield _unknown(place)
    else:
        yield from _check_arguments(place, found)


def _find(place: Place) -> Callable | None:
    scope = place.node.get("_scope_")
    found = find_class(place.kind, place.type, scope)
    if found is None and place.nested:
        others = (find_class(kind, place.type, scope) for kind in REGISTRIES)
        found = next((one for one in others if one is not None), None)
    return found


def _unknown(place: Place) -> Finding:
    where, name = join(place.key, "type"), place.type
    if not isinstance(name, str):
        return Finding(ERROR, UNKNOWN_TYPE, where, repr(name), f"the name of a {place.kind}, or a class")
    found = f"{name!r}, no {place.kind} of this name"
    do = _elsewhere(place, name) or suggestion(name, known_names(place.kind)) or _how_to_register(place)
    return Finding(ERROR, UNKNOWN_TYPE, where, found, do=do)


def _elsewhere(place: Place, name: str) -> str:
    """Where the name is known: in another framework, or as a class of another kind."""
    bare = name.rpartition(".")[2]
    for scope, child in registry_of(place.kind).children.items():
        if bare in child.module_dict:
            return f"Write '{scope}.{bare}' if that one is meant"
    for kind in chain(REGISTRIES, (CODEC,)):
        if kind != place.kind and bare in {known.rpartition(".")[2] for known in known_names(kind)}:
            return f"It is a {kind}"
    return ""


def _how_to_register(place: Place) -> str:
    return f"A {place.kind} of your own has to be imported: name its module in custom_imports"


def meant_arguments(places: Sequence[Place], findings: Sequence[Finding]) -> dict[str, str]:
    """What unknown arguments were meant to be.

    Args:
        places: Where classes stand.
        findings: What was told of their arguments.

    Returns:
        The argument that each unknown one is nearly called like, by its key; '' where there is none, or it is given.
    """
    unknown = {finding.where.rpartition(".")[0] for finding in findings if finding.check == UNKNOWN_ARGUMENT}
    meant: dict[str, str] = {}
    for place in places:
        if place.key in unknown:
            given, known = set(place.node) - _ALWAYS, arguments_of(_find(place)).names or frozenset()
            for name in given - known:
                meant.setdefault(join(place.key, name), _meant(name, known - given))
    return {finding.where: meant.get(finding.where, "") for finding in findings if finding.check == UNKNOWN_ARGUMENT}


def _meant(name: str, known: Iterable[str]) -> str:
    # Misspellings keep the first letter: `num_chanels` is no `in_channels`.
    likely = [one for one in known if one[:1] == name[:1]]
    close = difflib.get_close_matches(name, likely, n=1, cutoff=_NEAR)
    return close[0] if close else ""


def _check_arguments(place: Place, found: Callable) -> Iterator[Finding]:
    known = arguments_of(found)
    given = set(place.node) - _ALWAYS
    meant: set[str] = set()
    if known.names is not None and place.extra is not None:
        for name in sorted(given - known.names - place.extra):
            where, kind = join(place.key, name), getattr(found, "__name__", str(found))
            do = f"Put it at {_BELONGS[name]}" if name in _BELONGS else nearest(name, known.names - given)
            yield Finding(ERROR, UNKNOWN_ARGUMENT, where, f"an argument that {kind} does not take", do=do)
            meant.add(_meant(name, known.names - given))
    if place.supplied is not None:
        for name in sorted(known.required - given - place.supplied - meant):
            kind = getattr(found, "__name__", str(found))
            yield Finding(ERROR, "missing-argument", join(place.key, name), "nothing", f"a value, which {kind} needs")
