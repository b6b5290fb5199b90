"""Small inputs for models and pipelines that were configured for large ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hrnet_plugin.config_tree import dicts_in
from hrnet_plugin.errors import ConfigError

#: By framework: which length of a config becomes which length of a miniature, in pixels. Networks take whole strides
#: alone, so lengths are counted in these units and rounded up; different ones stay different.
_UNITS = {"mmpose": (96, 32), "mmseg": (256, 32), "mmdet": (320, 32), "mmpretrain": (28, 8)}
#: What transforms call the sizes that they make.
_SIZES = ("input_size", "crop_size", "scale", "scales", "size")
#: How many boxes detectors look at; random weights find as many as they may.
_LIMITS = {"nms_pre": 200, "max_per_img": 30, "num": 32}


def with_small_sizes(model: Mapping) -> dict:
    """A copy of a model's config in which everything that depends on the size of the input fits miniature pictures.

    These are codecs (input and heatmap size), the size to which segmentation pads, sliding windows, and how many boxes
    detectors look at. A detector's threshold becomes 0: random weights are never sure of a box.

    Args:
        model: The `model` of a config; not changed.

    Raises:
        ConfigError: a size is not made of whole numbers.
    """
    small = copy.deepcopy(model if isinstance(model, dict) else dict(model))
    for node in dicts_in(small):
        if "input_size" in node and "heatmap_size" in node:
            _shrink_codec(node)
        if node.get("mode") == "slide" and "crop_size" in node:
            _shrink_window(node)
    preprocessor = small.get("data_preprocessor") or {}
    if preprocessor.get("size"):
        preprocessor["size"] = small_size(preprocessor["size"], "mmseg")
    for key in ("train_cfg", "test_cfg"):
        for node in dicts_in(small.get(key)):
            _limit_boxes(node)
    return small


def shrink_pipelines(loader: dict, scope: str) -> None:
    """Give every transform of a data loader's config, which is changed, its small sizes.

    Args:
        scope: The framework of the config.

    Raises:
        ConfigError: a size is not made of whole numbers.
    """
    for node in dicts_in(loader):
        for pipeline in (node.get("pipeline"), node.get("transforms")):
            for transform in pipeline or ():
                if isinstance(transform, dict):
                    _shrink_transform(transform, scope)


def small_size(size: Any, scope: str) -> Any:
    """The miniature of a length in pixels, or of a list or tuple of them.

    >>> small_size((192, 256), "mmpose")
    (64, 96)
    """
    if isinstance(size, (list, tuple)):
        return type(size)(small_size(length, scope) for length in size)
    if isinstance(size, bool) or not isinstance(size, int):
        raise ConfigError("size in a pipeline or codec", found=repr(size), expected="whole numbers of pixels")
    length, small = _UNITS[scope]
    return -(-size // length) * small


def _shrink_transform(transform: dict, scope: str) -> None:
    encoders = transform.get("encoder") or ()
    for codec in [encoders] if isinstance(encoders, dict) else encoders:
        _shrink_codec(codec)
    for key in _SIZES:
        if transform.get(key):
            transform[key] = small_size(transform[key], scope)


def _shrink_codec(codec: dict) -> None:
    before = codec["input_size"]
    codec["input_size"] = after = small_size(before, "mmpose")
    heatmap = codec["heatmap_size"]
    codec["heatmap_size"] = type(heatmap)(
        side * new // old for side, old, new in zip(heatmap, before, after, strict=True)
    )


def _shrink_window(test_cfg: dict) -> None:
    before, stride = test_cfg["crop_size"], test_cfg["stride"]
    test_cfg["crop_size"] = after = small_size(before, "mmseg")
    test_cfg["stride"] = type(stride)(step * new // old for step, old, new in zip(stride, before, after, strict=True))


def _limit_boxes(node: dict) -> None:
    for key, most in _LIMITS.items():
        if isinstance(node.get(key), int):
            node[key] = min(node[key], most)
    if "score_thr" in node:
        node["score_thr"] = 0.0
