"""What is subtracted from the pixels and what they are divided by, and in which order their colours come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding

from .keys import join
from .run_config import RunConfig

CHECK = "normalisation"
#: ImageNet's mean, red first, as most pretrained weights know it.
_RED_FIRST = (123.675, 116.28, 103.53)
_NEAR = 2.0
_AS_TRAINED = "Weights trained on normalised images, ImageNet's for one, expect the same"
#: Transforms that swap the colours or normalise, beside the preprocessor that does.
_NORMALISING = ("Normalize", "NormalizeImage")


def check_normalisation(run: RunConfig) -> Iterator[Finding]:
    """The preprocessor's numbers and its order of colours, and the pipeline's."""
    preprocessor, key = run.model.get("data_preprocessor"), run.preprocessor_key
    if not isinstance(preprocessor, Mapping):
        if run.is_segmentation or type_name(run.model) in ("TopdownPoseEstimator", "BottomupPoseEstimator"):
            found = "nothing, so that images are neither normalised nor brought to a batch as the network expects"
            yield Finding(ERROR, CHECK, "model.data_preprocessor", found, "the preprocessor of the framework")
        return
    yield from _home(run, key, preprocessor)
    yield from _numbers(run, key, preprocessor)
    if not _loads_by_itself(run):
        yield from _colours(key, preprocessor)
    yield from _twice(run, key, preprocessor)


def _home(run: RunConfig, key: str, preprocessor: Mapping[str, Any]) -> Iterator[Finding]:
    kind = run.find("model", preprocessor)
    home = getattr(kind, "__module__", "").partition(".")[0]
    if home in ("mmpose", "mmseg", "mmdet", "mmpretrain") and run.framework and home != run.framework:
        found = f"{type_name(preprocessor)} of {home}"
        yield Finding(ERROR, CHECK, join(key, "type"), found, f"the one of {run.framework}, whose model this is")


def _numbers(run: RunConfig, key: str, preprocessor: Mapping[str, Any]) -> Iterator[Finding]:
    mean, std = _values(preprocessor.get("mean")), _values(preprocessor.get("std"))
    if not mean or not std:
        if not preprocessor.get("mean") and not preprocessor.get("std"):
            yield Finding(NOTE, CHECK, join(key, "mean"), "nothing: images stay at 0 to 255", do=_AS_TRAINED)
        return
    if set(mean) == {0} and set(std) == {1}:
        yield Finding(NOTE, CHECK, join(key, "std"), "1 with a mean of 0: images stay at 0 to 255", do=_AS_TRAINED)
    elif max(map(abs, std)) <= 1 and not (set(std) == {1} and max(map(abs, mean)) > 1):
        do = "Images have values from 0 to 255: multiply by 255"
        yield Finding(ERROR, CHECK, join(key, "std"), str(std), "about 58 for photographs", do)
    elif 0 < max(map(abs, mean)) <= 1:
        do = "Images have values from 0 to 255: multiply by 255"
        yield Finding(ERROR, CHECK, join(key, "mean"), str(mean), "about 115 for photographs", do)
    if 0 in std:
        yield Finding(ERROR, CHECK, join(key, "std"), f"{std}, by which is divided", "no 0")
    if len(mean) != len(std):
        yield Finding(ERROR, CHECK, join(key, "std"), f"{len(std)} values", f"{len(mean)}, as many as mean has")
    channels = run.get("model.backbone.in_channels", 3)
    if isinstance(channels, int) and len(mean) not in (1, channels):
        expected = f"{channels}, one a channel (model.backbone.in_channels)"
        yield Finding(ERROR, CHECK, join(key, "mean"), f"{len(mean)} values", expected)


def _values(value: Any) -> list[float]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, (int, float)) for item in value):
        return []
    return [float(item) for item in value]


def _swaps(node: Mapping[str, Any]) -> bool:
    return any(node.get(name) for name in ("bgr_to_rgb", "rgb_to_bgr", "to_rgb"))


def _loads_by_itself(run: RunConfig) -> bool:
    """Whether a step of somebody's own opens the images, red first for all that is known."""
    first = [run.find("transform", dataset.pipeline[0][1]) for dataset in run.datasets if dataset.pipeline]
    return any(not getattr(kind, "__module__", "mm").startswith(("mm", "hrnet_plugin.")) for kind in first)


def _colours(key: str, preprocessor: Mapping[str, Any]) -> Iterator[Finding]:
    """Images are read blue first: numbers that are red first need the swap, and the other way round."""
    mean = _values(preprocessor.get("mean"))
    name = "to_rgb" if "to_rgb" in preprocessor else "bgr_to_rgb"
    if _is_near(mean, _RED_FIRST) and not _swaps(preprocessor):
        do = "Images are read blue first, and the mean is ImageNet's with red first"
        yield Finding(ERROR, CHECK, join(key, name), "False", "True", do)
    elif _is_near(mean, _RED_FIRST[::-1]) and _swaps(preprocessor):
        do = "The mean is ImageNet's with blue first, as images are read; swapped, red is taken for blue"
        yield Finding(ERROR, CHECK, join(key, name), "True", "False", do)


def _is_near(mean: Sequence[float], known: Sequence[float]) -> bool:
    return len(mean) == len(known) and all(abs(one - other) < _NEAR for one, other in zip(mean, known, strict=True))


def _twice(run: RunConfig, key: str, preprocessor: Mapping[str, Any]) -> Iterator[Finding]:
    for dataset in run.datasets:
        for where, node in dataset.pipeline:
            if type_name(node) in _NORMALISING and preprocessor.get("mean"):
                do = f"Take it out: {key} normalises on the network's device"
                yield Finding(ERROR, CHECK, where, "a second normalisation", "one", do)
            elif type_name(node) in ("BGR2RGB", "ImageToRGB") and _swaps(preprocessor):
                do = f"Take it out, or that of {key}"
                yield Finding(ERROR, CHECK, where, "a second swap of the colours", "one", do)
