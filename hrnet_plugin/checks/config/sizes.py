"""Sizes: of crops, codecs, heatmaps and what the network gives; of segmentation's crops, padding and windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.plain import plain

from .architecture import REFUSED
from .data_sets import DataSet
from .keys import each, join
from .run_config import RunConfig

#: Transforms that cut a sample out at a size, (width, height).
_CROPS = ("TopdownAffine", "BottomupRandomAffine")
#: What codecs need for reading heatmaps alone, beside what begins with `decode_`.
_OF_DECODING = ("blur_kernel_size",)
#: Codecs of one heatmap a keypoint, where they are not combined with offsets.
_PLAIN = ("MSRAHeatmap", "UDPHeatmap")
#: What mmpose's flip test knows, and the modules of the heads that read it.
FLIP_MODES = ("heatmap", "udp_combined", "offset")
_FLIP_MODE = "model.test_cfg.flip_mode"
_WITH_FLIP_MODE = tuple(
    f"mmpose.models.heads.heatmap_heads.{name}" for name in ("heatmap_head", "cpm_head", "mspn_head", "internet_head")
)


def check_pose_sizes(run: RunConfig) -> Iterator[Finding]:
    """The codec that draws targets, the one that reads heatmaps, the crops, and the network between them."""
    if not run.is_pose:
        return
    decoders = list(each(run.get("model.head.decoder"), "model.head.decoder"))
    for dataset in run.datasets:
        for key, crop in dataset.transforms(*_CROPS):
            for where, codec in decoders[:1]:
                if _differ(crop.get("input_size"), codec.get("input_size")):
                    expected = f"{_plain(codec['input_size'])}, the input_size of {where}"
                    yield _size(join(key, "input_size"), crop["input_size"], expected)
        yield from _udp(dataset, {type_name(codec) for _, codec in decoders})
        for key, node in dataset.transforms("GenerateTarget"):
            encoders = list(each(node.get("encoder"), join(key, "encoder")))
            if len(encoders) == len(decoders):
                restored = bool(run.get("model.test_cfg.restore_heatmap_size"))
                for (encoder_key, encoder), (decoder_key, decoder) in zip(encoders, decoders, strict=True):
                    if not run.is_blamed(encoder_key) and not run.is_blamed(decoder_key):
                        yield from _codecs(encoder_key, encoder, decoder_key, decoder, restored)
    if len(decoders) == 1 and all(_same_sizes(decoders[0][1], encoder) for encoder in _encoders(run)):
        yield from _heatmaps(run, *decoders[0])
    yield from _flips(run, decoders)


def _encoders(run: RunConfig) -> Iterator[Mapping[str, Any]]:
    for dataset in run.datasets:
        for _, node in dataset.transforms("GenerateTarget"):
            yield from (encoder for _, encoder in each(node.get("encoder"), ""))


def _same_sizes(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(plain(one.get(name)) == plain(other.get(name)) for name in ("input_size", "heatmap_size"))


def _size(key: str, found: Any, expected: str, do: str = "") -> Finding:
    return Finding(ERROR, "sizes", key, _plain(found), expected, do)


def _plain(value: Any) -> str:
    return str(tuple(value)) if isinstance(value, (list, tuple)) else str(value)


def _differ(one: Any, other: Any) -> bool:
    return one is not None and other is not None and plain(one) != plain(other)


def _codecs(
    encoder_key: str, encoder: Mapping, decoder_key: str, decoder: Mapping, restored: bool
) -> Iterator[Finding]:
    if type_name(encoder) != type_name(decoder):
        expected = f"{type_name(encoder)!r}, which draws the targets ({encoder_key})"
        yield Finding(ERROR, "codec", join(decoder_key, "type"), repr(type_name(decoder)), expected)
        return
    if "heatmap_size" not in encoder:  # coordinates, whose codecs need other things for drawing than for reading
        return
    for name in sorted((encoder.keys() | decoder.keys()) - {"type", "_scope_"}):
        one, other = encoder.get(name), decoder.get(name)
        if name == "heatmap_size" and restored:  # heatmaps are enlarged to the input before they are read
            one = encoder.get("input_size")
        if plain(one) == plain(other):
            continue
        expected = f"{_plain(one)}, as in {encoder_key}"
        if name in ("input_size", "heatmap_size"):
            yield _size(join(decoder_key, name), other, expected)
        elif not name.startswith("decode_") and name not in _OF_DECODING:
            do = "What draws the targets and what reads the heatmaps are one codec"
            yield Finding(NOTE, "codec", join(decoder_key, name), _plain(other), expected, do)


def _udp(dataset: DataSet, kinds: set[str]) -> Iterator[Finding]:
    """UDP measures between the centres of pixels, in the codec and in the crop."""
    for where, crop in dataset.transforms("TopdownAffine"):
        used = bool(crop.get("use_udp"))
        if kinds in ({"UDPHeatmap"}, {"MSRAHeatmap"}) and used != ("UDPHeatmap" in kinds):
            found = f"{used} with a codec of type {next(iter(kinds))}"
            do = "Codec and crop then measure in different ways, which costs a part of a pixel"
            yield Finding(NOTE, "codec", join(where, "use_udp"), found, str(not used), do)


def _heatmaps(run: RunConfig, key: str, codec: Mapping[str, Any]) -> Iterator[Finding]:
    """The heatmaps that the network gives for an input of the codec's size."""
    network = run.network
    size, wanted = codec.get("input_size"), codec.get("heatmap_size")
    head = getattr(network.parts, "head", None)
    if head is None or network.features is None or size is None or wanted is None:
        return
    if tuple(size)[::-1] != tuple(network.size) or not type(head).__module__.startswith("mmpose.models.heads.heatmap"):
        return
    maps = network.outputs_of("head")
    if maps is None or maps.dim() != 4:
        return
    given = (maps.shape[3], maps.shape[2])
    if given != tuple(wanted):
        width, height = size
        expected = f"{given}, what the network gives for an input of {width}x{height}"
        do = "Set it in the encoder of the pipeline, too"
        if given[0] > wanted[0] and isinstance(getattr(head, "deconv_layers", None), nn.Sequential):
            do = "Features of an HRNet are large enough: set model.head.deconv_out_channels to None"
        yield _size(join(key, "heatmap_size"), wanted, expected, do)


def _flips(run: RunConfig, decoders: list[tuple[str, dict]]) -> Iterator[Finding]:
    test = run.get("model.test_cfg")
    test = test if isinstance(test, Mapping) else {}
    is_udp = any(type_name(codec) == "UDPHeatmap" for _, codec in decoders)
    if is_udp and test.get("flip_test") and test.get("shift_heatmap"):
        do = "UDP's heatmaps are aligned already; shifted, keypoints lie beside their places"
        yield Finding(NOTE, "codec", "model.test_cfg.shift_heatmap", "True with UDPHeatmap", "False", do)
    if any(codec.get("heatmap_type") == "combined" for _, codec in decoders):
        mode, loss = test.get("flip_mode"), run.get("model.head.loss")
        if test.get("flip_test") and mode != "udp_combined":
            yield Finding(ERROR, "codec", _FLIP_MODE, repr(mode), "'udp_combined', as the codec is")
        if type_name(loss) == "KeypointMSELoss":
            do = "It is made for one map a keypoint"
            yield Finding(ERROR, "codec", "model.head.loss.type", "KeypointMSELoss", "'CombinedTargetMSELoss'", do)
    elif test.get("flip_test") and _reads_flip_mode(run):
        mode, is_plain = test.get("flip_mode", "heatmap"), all(type_name(codec) in _PLAIN for _, codec in decoders)
        if mode not in FLIP_MODES:
            *others, last = map(repr, FLIP_MODES)
            yield Finding(ERROR, REFUSED, _FLIP_MODE, repr(mode), f"{', '.join(others)} or {last}")
        elif is_plain and decoders and mode != "heatmap":
            yield Finding(ERROR, "codec", _FLIP_MODE, repr(mode), "'heatmap', as the codec is")


def _reads_flip_mode(run: RunConfig) -> bool:
    """Whether the head is one of mmpose's that take it from the config; the others know theirs."""
    head = run.model.get("head")
    kind = run.find("model", head) if isinstance(head, Mapping) else None
    return getattr(getattr(kind, "predict", None), "__module__", "") in _WITH_FLIP_MODE


def check_segmentation_sizes(run: RunConfig) -> Iterator[Finding]:
    """Crops of the training, the size to which batches are padded, windows of the test."""
    if not run.is_segmentation:
        return
    crop = _crop(run)
    yield from _padding(run, crop)
    yield from _windows(run, crop)


def _crop(run: RunConfig) -> tuple[str, tuple[int, int]] | None:
    """The last crop of the training's first data set, (height, width), and its key."""
    for dataset in run.datasets_of("train"):
        for key, node in reversed(list(dataset.transforms("RandomCrop"))):
            size = node.get("crop_size")
            size = (size, size) if isinstance(size, int) else size
            if isinstance(size, (list, tuple)):
                return join(key, "crop_size"), tuple(size)
    return None


def _padding(run: RunConfig, crop: tuple[str, tuple[int, int]] | None) -> Iterator[Finding]:
    preprocessor, key = run.model.get("data_preprocessor") or {}, run.preprocessor_key
    if type_name(preprocessor) != "SegDataPreProcessor":
        return
    size, divisor = preprocessor.get("size"), preprocessor.get("size_divisor")
    if size is None and divisor is None and run.get("train_dataloader"):
        expected = f"{crop[1]}, the size of the crops" if crop else "the size to which images are padded"
        yield Finding(ERROR, "sizes", join(key, "size"), "nothing", expected, "mmseg needs it, or size_divisor")
    elif size is not None and divisor is not None:
        yield Finding(ERROR, "sizes", join(key, "size_divisor"), "a value beside size", "one of the two", "Drop one")
    elif crop and isinstance(size, (list, tuple)) and tuple(size) != crop[1]:
        is_larger = size[0] > crop[1][0] or size[1] > crop[1][1]
        do = "Batches are padded to it: the network would train on empty margins" if is_larger else ""
        do = do or "Smaller images than the crop would not be padded, and do not fit into one batch"
        yield _size(join(key, "size"), size, f"{crop[1]}, (height, width) as in {crop[0]}", do)


def _windows(run: RunConfig, crop: tuple[str, tuple[int, int]] | None) -> Iterator[Finding]:
    key, test = "model.test_cfg", run.get("model.test_cfg")
    if not isinstance(test, Mapping) or "mode" not in test:
        if run.get("model.type") and run.get("test_dataloader"):
            yield Finding(ERROR, "sizes", join(key, "mode"), "nothing", "'whole' or 'slide'")
        return
    if test["mode"] not in ("whole", "slide"):
        yield Finding(ERROR, "sizes", join(key, "mode"), repr(test["mode"]), "'whole' or 'slide'")
        return
    if test["mode"] == "whole":
        return
    for name in ("crop_size", "stride"):
        if not isinstance(test.get(name), (list, tuple)):
            yield Finding(ERROR, "sizes", join(key, name), repr(test.get(name)), "(height, width) for mode='slide'")
            return
    window, stride = tuple(test["crop_size"]), tuple(test["stride"])
    if any(step > side for step, side in zip(stride, window, strict=True)):
        do = "Between the windows, nothing would be predicted"
        yield _size(join(key, "stride"), stride, f"at most the window, {window}", do)
    if crop and window != crop[1]:
        do = "The network sees the most of what it learnt at the size of the training"
        yield Finding(NOTE, "sizes", join(key, "crop_size"), _plain(window), f"{crop[1]}, the crop of the training", do)
