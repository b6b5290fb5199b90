"""The description of a config's network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmengine.config import Config

from ..config_tree import leaf_datasets, type_name
from ..errors import ConfigError
from ..plain import plain
from ..zoo.forward import model_config
from .description import NetworkDescription
from .tensor_model import PixelScaling

#: Codecs of heatmaps with one keypoint each, which `decoding` reads.
_HEATMAP_CODECS = ("MSRAHeatmap", "UDPHeatmap")


def describe(
    cfg: Config,
    *,
    name: str = "",
    size: tuple[int, int] | None = None,
    batch: int | None = None,
    normalised_inside: bool = False,
    precision: str = "fp32",
    network: Mapping | None = None,
) -> NetworkDescription:
    """What an export of a config's network says of itself.

    Args:
        cfg: The config.
        name: Of the config.
        size: (width, height) of the images; None where any goes.
        batch: Images a call; None where any number goes.
        normalised_inside: The graph scales pixels by itself.
        precision: Of the numbers.
        network: The backbone's description (`checkpoints.network_meta`).
    """
    task = task_of(cfg)
    scaling = pixel_scaling(cfg)
    meta = _dataset_meta(cfg)
    head = _last_head(cfg)
    return NetworkDescription(
        task=task,
        input_size=size,
        batch=batch,
        mean=scaling.mean,
        std=scaling.std,
        channel_order="rgb" if scaling.swap_channels else "bgr",
        normalised_inside=normalised_inside,
        precision=precision,
        keypoint_names=_keypoint_names(meta) if task == "pose" else (),
        flip_indices=tuple(meta.get("flip_indices", ())) if task == "pose" else (),
        sigmas=tuple(float(sigma) for sigma in meta.get("dataset_keypoint_sigmas", meta.get("sigmas", ()))),
        codec=plain(head.get("decoder") or {}) if task == "pose" else {},
        test_cfg=plain(cfg.model.get("test_cfg") or {}),
        classes=tuple(meta.get("classes") or ()) if task != "pose" else (),
        palette=tuple(tuple(colour) for colour in meta.get("palette") or ()) if task == "segmentation" else (),
        align_corners=bool(head.get("align_corners", False)),
        network=dict(network or {}),
        preparing=_preparing(cfg, task),
        name=name,
    )


def task_of(cfg: Config) -> str:
    """One of `description.TASKS`."""
    kind, head = type_name(cfg.model), _last_head(cfg)
    if kind == "TopdownPoseEstimator" and type_name(head.get("decoder")) in _HEATMAP_CODECS:
        return "pose" if head["decoder"].get("heatmap_type", "gaussian") == "gaussian" else "features"
    if kind in ("EncoderDecoder", "CascadeEncoderDecoder"):
        return "segmentation"
    return "classification" if kind == "ImageClassifier" else "features"


def pixel_scaling(cfg: Config) -> PixelScaling:
    """How the config's network wants its pixels; images come as BGR, as OpenCV reads them."""
    chosen = model_config(cfg).get("data_preprocessor") or {}
    mean, std = chosen.get("mean") or (0.0, 0.0, 0.0), chosen.get("std") or (1.0, 1.0, 1.0)
    swaps = bool(chosen.get("bgr_to_rgb") or chosen.get("to_rgb"))
    return PixelScaling(tuple(map(float, mean)), tuple(map(float, std)), swaps)


def usual_size(cfg: Config) -> tuple[int, int]:
    """The (width, height) that the config tests at.

    Raises:
        ConfigError: it names none.
    """
    decoder = _last_head(cfg).get("decoder") or {}
    if decoder.get("input_size"):
        return tuple(decoder["input_size"])
    steps = list(_test_pipeline(cfg))
    for step in reversed(steps):
        if type_name(step) in ("CenterCrop", "BottomupResize", "Resize", "ResizeEdge"):
            size = step.get("crop_size") or step.get("input_size") or step.get("scale")
            width, height = (size, size) if isinstance(size, int) else size
            return int(width), int(height)
    raise ConfigError("size of the images", found="none in the config", do="Give --size WxH")


def _test_pipeline(cfg: Config) -> Iterator[Mapping]:
    dataset = next(iter(leaf_datasets(cfg.get("test_dataloader"))), {})
    yield from dataset.get("pipeline") or cfg.get("test_pipeline") or ()


def _preparing(cfg: Config, task: str) -> dict:
    """The choices of the test pipeline that a single image needs."""
    steps = {type_name(step): step for step in _test_pipeline(cfg)}
    if task == "pose":
        return {
            "padding": float(steps.get("GetBBoxCenterScale", {}).get("padding", 1.25)),
            "use_udp": bool(steps.get("TopdownAffine", {}).get("use_udp", False)),
        }
    if task == "segmentation":
        step = steps.get("Resize", {})
        return {"scale": plain(step.get("scale")), "keep_ratio": bool(step.get("keep_ratio", False))} if step else {}
    if task == "classification":
        edge, crop = steps.get("ResizeEdge", {}), steps.get("CenterCrop", {})
        return {"edge": edge.get("scale"), "crop": plain(crop.get("crop_size"))}
    return {}


def _last_head(cfg: Config) -> Mapping:
    head = cfg.model.get("decode_head") or cfg.model.get("head") or {}
    return head[-1] if isinstance(head, (list, tuple)) else head


def _keypoint_names(meta: Mapping) -> tuple[str, ...]:
    names = meta.get("keypoint_id2name", {})
    return tuple(names[index] for index in sorted(names))


def _dataset_meta(cfg: Config) -> Mapping:
    """What the test data set says of itself: keypoints or classes. Its files are not opened."""
    from mmengine.registry import DATASETS, DefaultScope

    dataset = next(iter(leaf_datasets(cfg.get("test_dataloader"))), None)
    if dataset is None:
        return {}
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or "mmengine"):
        kind = dataset["type"] if isinstance(dataset["type"], type) else DATASETS.get(dataset["type"])
    meta = {**(getattr(kind, "METAINFO", None) or {}), **(dataset.get("metainfo") or {})}
    if cfg.get("default_scope") != "mmpose" or not meta:
        return meta
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    given = dataset.get("metainfo") or kind.METAINFO
    return parse_pose_metainfo({**given})
