"""Pipelines: steps that have to be there, in which order, and those that have no place in an evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.config_tree import type_name
from hrnet_plugin.findings import ERROR, NOTE, Finding

from .data_sets import DataSet
from .keys import join, walk
from .run_config import RunConfig

CHECK = "pipeline"
#: The last step of each framework's pipelines.
_PACKS = {
    "mmpose": ("PackPoseInputs",),
    "mmseg": ("PackSegInputs",),
    "mmdet": ("PackDetInputs", "PackTrackInputs"),
    "mmpretrain": ("PackInputs", "PackMultiTaskInputs"),
}
#: Steps that change a sample at random, in a way that the prediction is not turned back from.
_RANDOM = {
    "mmpose": ("RandomFlip", "RandomHalfBody", "RandomBBoxTransform", "BottomupRandomAffine", "PhotometricDistortion"),
    "mmseg": ("RandomCrop", "PhotoMetricDistortion", "RandomResize", "RandomRotate", "RandomCutOut", "RandomMosaic"),
}
_TARGETS = ("GenerateTarget",)
#: What a sample has to hold for predictions of mirrored images to be brought back.
_FLIP_KEY = "flip_indices"
_PREFIXES = {"mmpose": {"img_path": "img", "img_prefix": "img"}, "mmseg": {"img": "img_path", "seg": "seg_map_path"}}


def check_pipelines(run: RunConfig) -> Iterator[Finding]:
    """The steps from a file to what the network takes."""
    for dataset in run.datasets:
        if not run.framework or not dataset.pipeline:
            if run.framework and not dataset.pipeline:
                is_training = dataset.split == "train"
                do = "Without them, the config can only be tested" if is_training else ""
                expected = "steps that load and pack samples"
                yield Finding(ERROR, CHECK, join(dataset.key, "pipeline"), "no steps", expected, do)
            continue
        yield from _random_steps(run, dataset)
        yield from _prefixes(run, dataset)
        # What a step was meant to be is not known.
        if run.is_misshapen(dataset.key) or any(run.is_blamed(key) for key, _ in dataset.pipeline):
            continue
        yield from _packing(run, dataset)
        if run.is_pose:
            yield from _pose(run, dataset)
        if run.is_segmentation:
            yield from _segmentation(run, dataset)


def _pipeline_key(dataset: DataSet) -> str:
    return dataset.pipeline[-1][0].rpartition(".")[0]


def _packing(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    packs = _PACKS[run.framework]
    names = {type_name(node) for _, step in dataset.pipeline for _, node in walk(step)}
    if not names & set(packs) and all(run.find("transform", node) for _, node in dataset.pipeline):
        if _is_own(run, dataset):
            return
        found = f"{type_name(dataset.pipeline[-1][1])} as the last step"
        yield Finding(ERROR, CHECK, _pipeline_key(dataset), found, f"{packs[0]}, which the model's data come from")


def _is_own(run: RunConfig, dataset: DataSet) -> bool:
    """Whether the last step is somebody's own, which may pack, too."""
    kind = run.find("transform", dataset.pipeline[-1][1])
    return not getattr(kind, "__module__", "").startswith(("mmpose.", "mmseg.", "mmdet.", "mmpretrain.", "mmcv."))


def _random_steps(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    if dataset.split == "train":
        return
    for key, node in dataset.transforms(*_RANDOM.get(run.framework, ())):
        if node.get("prob") == 0:
            continue
        do = "What is measured would change from run to run"
        yield Finding(ERROR, CHECK, key, f"{type_name(node)}, a random change, in an evaluation", "none", do)


def _prefixes(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    prefixes = dataset.node.get("data_prefix")
    for name in prefixes if isinstance(prefixes, dict) else ():
        meant = _PREFIXES.get(run.framework, {}).get(name)
        if meant and meant not in prefixes:
            key = join(dataset.key, "data_prefix", name)
            yield Finding(ERROR, "unread-key", key, "a folder that the data set does not read", repr(meant))


def _pose(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    key = _pipeline_key(dataset)
    is_topdown = type_name(run.model) == "TopdownPoseEstimator"
    if dataset.split == "train" and not dataset.has(*_TARGETS) and not _is_own(run, dataset):
        do = "Without it, there is nothing to learn from"
        yield Finding(ERROR, CHECK, key, "no GenerateTarget", "GenerateTarget with the codec as encoder", do)
    if is_topdown and not dataset.has("TopdownAffine") and not _is_own(run, dataset):
        expected = "TopdownAffine with the codec's input_size"
        yield Finding(ERROR, CHECK, key, "no TopdownAffine, which cuts out each person", expected)
    if is_topdown and dataset.has("TopdownAffine") and not dataset.has("GetBBoxCenterScale"):
        yield Finding(ERROR, CHECK, key, "no GetBBoxCenterScale", "GetBBoxCenterScale before TopdownAffine")
    mode = dataset.node.get("data_mode", "topdown")
    wanted = {"TopdownPoseEstimator": "topdown", "BottomupPoseEstimator": "bottomup"}.get(type_name(run.model))
    if wanted and mode != wanted:
        expected = f"{wanted!r}, as {type_name(run.model)} works"
        yield Finding(ERROR, CHECK, join(dataset.key, "data_mode"), repr(mode), expected)
    yield from _boxes(dataset)
    is_test, wanted = bool(dataset.node.get("test_mode")), dataset.split != "train"
    if is_test != wanted and not dataset.node.get("bbox_file"):
        what = "persons without annotated keypoints are left out" if wanted else "persons without keypoints are kept"
        yield Finding(NOTE, CHECK, join(dataset.key, "test_mode"), f"{is_test}, with which {what}", str(wanted))
    if dataset.split != "train" and run.get("model.test_cfg.flip_test"):
        for where, node in dataset.transforms("PackPoseInputs"):
            kept = node.get("meta_keys")
            if kept is not None and _FLIP_KEY not in kept:
                do = "Predictions of mirrored images are brought back with it (model.test_cfg.flip_test)"
                yield Finding(ERROR, CHECK, join(where, "meta_keys"), f"no {_FLIP_KEY!r}", repr(_FLIP_KEY), do)


def _boxes(dataset: DataSet) -> Iterator[Finding]:
    """Person detections take the place of annotated boxes, in an evaluation alone."""
    if not dataset.node.get("bbox_file"):
        return
    if not dataset.node.get("test_mode"):
        found = "False with a bbox_file"
        yield Finding(ERROR, CHECK, join(dataset.key, "test_mode"), found, "True, which detected boxes need")
    if dataset.node.get("data_mode") == "bottomup":
        yield Finding(ERROR, CHECK, join(dataset.key, "bbox_file"), "boxes for data_mode='bottomup'", "None")


def _segmentation(run: RunConfig, dataset: DataSet) -> Iterator[Finding]:
    names = [type_name(node) for _, node in dataset.pipeline]
    metrics = [metric for _, _, metric in run.evaluators(dataset.split)]
    if not any(name.startswith("Load") and "Annotation" in name for name in names):
        unlabelled = bool(metrics) and all(metric.get("format_only") for metric in metrics)
        if not _is_own(run, dataset) and not unlabelled:
            expected = "LoadAnnotations, which reads the masks"
            yield Finding(ERROR, CHECK, _pipeline_key(dataset), "no LoadAnnotations", expected)
        return
    if dataset.split == "train" or "LoadAnnotations" not in names:
        return
    first = names.index("LoadAnnotations")
    for number, (where, node) in enumerate(dataset.pipeline):
        if number > first and names[number] == "Resize" and (node.get("scale") or node.get("scale_factor")):
            do = "Predictions are enlarged to the size of the file, masks resized here are not: put it before"
            found = "a Resize after LoadAnnotations"
            yield Finding(ERROR, CHECK, where, found, "a Resize before it, which leaves the masks alone", do)
