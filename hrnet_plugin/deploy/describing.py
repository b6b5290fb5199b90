"""The description of a config's network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from ..analysis.skeleton import Skeleton
from ..config_tree import leaf_datasets, type_name
from ..errors import ConfigError
from ..plain import plain
from ..zoo.forward import model_config
from ..zoo.quiet import quiet
from .description import NetworkDescription
from .tensor_model import PixelScaling

#: mmseg's own for networks of one output.
_THRESHOLD = 0.3
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
        precision: Of the numbers in the file, or of how it is computed.
        network: The backbone's description (`checkpoints.network_meta`).
    """
    task = task_of(cfg)
    scaling = pixel_scaling(cfg)
    meta = dataset_meta(cfg)
    head = _last_head(cfg)
    skeleton = Skeleton.from_metainfo(meta) if "keypoint_id2name" in meta else None
    return NetworkDescription(
        task=task,
        input_size=size,
        batch=batch,
        mean=scaling.mean,
        std=scaling.std,
        channel_order="rgb" if scaling.swap_channels else "bgr",
        normalised_inside=normalised_inside,
        precision=precision,
        keypoint_names=skeleton.names if skeleton else (),
        flip_indices=tuple(map(int, meta.get("flip_indices", ()))),
        sigmas=tuple(float(sigma) for sigma in meta.get("dataset_keypoint_sigmas", meta.get("sigmas", ()))),
        limbs=skeleton.limbs if skeleton else (),
        keypoint_colours=skeleton.colours if skeleton else (),
        limb_colours=skeleton.limb_colours if skeleton else (),
        codec=_codec(head.get("decoder") or {}),
        test_cfg=jsonable(cfg.model.get("test_cfg") or {}),
        classes=() if "keypoint_id2name" in meta else tuple(meta.get("classes") or ()),
        palette=tuple(tuple(colour) for colour in meta.get("palette") or ()) if task == "segmentation" else (),
        align_corners=bool(head.get("align_corners", False)),
        threshold=float(_THRESHOLD if head.get("threshold") is None else head["threshold"]),
        network=dict(network or {}),
        preparing=jsonable(_preparing(cfg, task)),
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


def _codec(decoder: dict) -> dict:
    """The codec as the config writes it, its class without a scope."""
    return {**jsonable(decoder), "type": type_name(decoder)} if decoder else {}


def pixel_scaling(cfg: Config) -> PixelScaling:
    """How the config's network wants its pixels; images come as BGR, as OpenCV reads them."""
    chosen = model_config(cfg).get("data_preprocessor") or {}
    channels = int((cfg.model.get("backbone") or {}).get("in_channels", 3))
    mean, std = chosen.get("mean") or (0.0,), chosen.get("std") or (1.0,)
    mean, std = (tuple(one) * channels if len(one) == 1 else one for one in (mean, std))
    swaps = any(chosen.get(key) for key in ("bgr_to_rgb", "rgb_to_bgr", "to_rgb"))  # each swaps the first and the last
    return PixelScaling(tuple(map(float, mean)), tuple(map(float, std)), swaps)


def usual_size(cfg: Config) -> tuple[int, int]:
    """The (width, height) that the config tests at.

    Raises:
        ConfigError: it names none.
    """
    decoder, testing = _last_head(cfg).get("decoder") or {}, cfg.model.get("test_cfg") or {}
    if decoder.get("input_size"):
        return _pair(decoder["input_size"])
    if testing.get("mode") == "slide":
        return _pair(testing["crop_size"])[::-1]
    crop = (model_config(cfg).get("data_preprocessor") or {}).get("size") or cfg.get("crop_size")
    crop = _pair(crop)[::-1] if crop else None
    for step in reversed(list(_test_pipeline(cfg))):
        if type_name(step) in ("CenterCrop", "BottomupResize", "Resize", "ResizeEdge"):
            given = step.get("crop_size") or step.get("input_size") or step.get("scale")
            if not given:  # a factor is no size
                continue
            size = _pair(given)
            # With a kept ratio it is a limit rather than a size, unless the images have that very shape.
            is_limit = step.get("keep_ratio") and crop and size[0] * crop[1] != size[1] * crop[0]
            return crop if is_limit else size
    if crop:
        return crop
    raise ConfigError("size of the images", found="none in the config", do="Give --size WxH")


def _pair(size: object) -> tuple[int, int]:
    return (int(size), int(size)) if isinstance(size, int) else (int(size[0]), int(size[1]))


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
        whole, edge, crop = (steps.get(name, {}) for name in ("Resize", "ResizeEdge", "CenterCrop"))
        step = whole or edge
        ways = {key: step[key] for key in ("backend", "interpolation") if key in step}
        if whole and (crop or edge or whole.get("keep_ratio")):
            return {"unread": "a test pipeline with Resize and keep_ratio, or beside ResizeEdge or CenterCrop"}
        if whole:
            return {"scale": plain(whole.get("scale")), **ways}
        return {"edge": edge.get("scale"), "crop": plain(crop.get("crop_size")), **ways}
    return {}


def jsonable(node: object) -> Any:
    """Plain values of a config: lists of arrays, names of classes and functions."""
    node = plain(node)
    if isinstance(node, dict):
        return {str(key): jsonable(value) for key, value in node.items()}
    if isinstance(node, list):
        return [jsonable(value) for value in node]
    if hasattr(node, "tolist"):
        return node.tolist()
    return node if node is None or isinstance(node, (str, bool, int, float)) else getattr(node, "__name__", str(node))


def _last_head(cfg: Config) -> Mapping:
    head = cfg.model.get("decode_head") or cfg.model.get("head") or {}
    return head[-1] if isinstance(head, (list, tuple)) else head


def _wrappers(loader: Mapping) -> Iterator[Mapping]:
    """The data sets of a loader that hold others, from the outermost on."""
    node = loader.get("dataset")
    while isinstance(node, Mapping) and (node.get("dataset") or node.get("datasets")):
        yield node
        inner = node.get("dataset") or node["datasets"]
        node = inner[0] if isinstance(inner, (list, tuple)) else inner


def dataset_meta(cfg: Config) -> Mapping:
    """What the data set says of itself: keypoints or classes; empty without one. Its files are not opened."""
    from mmengine.registry import DATASETS

    loaders = (cfg.get(f"{split}_dataloader") for split in ("test", "val", "train"))
    loader, dataset = next(((loader, leaf) for loader in loaders for leaf in leaf_datasets(loader)), (None, None))
    if dataset is None:
        return {}
    # What joins data sets, each with keypoints of its own, says which ones it turns them into.
    dataset = next((node for node in _wrappers(loader) if node.get("metainfo")), dataset)
    with DATASETS.switch_scope_and_registry(cfg.get("default_scope")) as registry:
        kind = dataset["type"] if isinstance(dataset["type"], type) else registry.get(dataset["type"])
    own = dict(getattr(kind, "METAINFO", None) or {})
    if type_name(dataset) == "DeepFashionDataset":  # one class for three sets of keypoints
        own = {"from_file": f"configs/_base_/datasets/deepfashion_{dataset.get('subset')}.py"}
    meta = {**own, **(dataset.get("metainfo") or {})}
    if cfg.get("default_scope") != "mmpose" or not meta:
        return meta
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    given = dataset.get("metainfo") or own
    with quiet():  # it warns that it found its own file
        return parse_pose_metainfo({**given})
