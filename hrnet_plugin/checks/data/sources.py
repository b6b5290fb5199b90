"""The data sets of a config, and what is to be checked of each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.registry import DATASETS

from hrnet_plugin.checks.config.keys import look_up
from hrnet_plugin.config_tree import dicts_in, leaf_datasets, type_name
from hrnet_plugin.engine.data_check import empty_data_set
from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.zoo.quiet import in_scope

from .coco import check_coco
from .labelled import check_labelled
from .labels import Labels
from .layouts import LAYOUTS, PLAIN, Layout
from .mask_files import Pairs, spare_masks
from .masks import check_pairs
from .report import DataReport
from .use import Use, use_of_boxes, use_of_poses

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True)
class Source:
    """One data set of a config.

    Args:
        splits: Those whose loaders read it.
        place: Its annotation file or folder.
        identity: What makes it the same as another one.
        checked: Checks it, with the source itself, `images`, `decode` and `progress`.
        use: What the splits do with its annotations.
    """

    splits: tuple[str, ...]
    place: str
    identity: Hashable
    checked: Callable[..., DataReport]
    use: Use = field(default_factory=Use)

    @property
    def title(self) -> str:
        """Splits and place."""
        return f"{', '.join(self.splits)}: {self.place}"

    def check(self, *, images: bool, decode: bool, progress: bool) -> DataReport:
        """Checks it.

        Args:
            images: Open the images.
            decode: Decode them, rather than read their headers.
            progress: Show a progress bar, where stderr is a terminal.

        Raises:
            DataError: it cannot be checked.
        """
        return self.checked(self, images=images, decode=decode, progress=progress)

    def with_use_of(self, other: Source) -> Source:
        """This one, in the splits of the other, too."""
        splits = tuple(dict.fromkeys((*self.splits, *other.splits)))
        return replace(self, splits=splits, use=self.use | other.use)


def data_sources(cfg: Config, splits: Iterable[str]) -> list[Source]:
    """The data sets of a config's loaders, each once.

    Args:
        cfg: A config of mmpose, mmseg, mmdet or mmpretrain, whose folders and files are there.
        splits: Of `train`, `val`, `test`; those without a loader are passed over.

    Raises:
        ConfigError: the config is of none of these frameworks.
        DataError: a data set is empty.
    """
    found: list[Source] = []
    readers = {"mmpose": _of_poses, "mmseg": _of_masks, "mmdet": _of_boxes, "mmpretrain": _of_labels}
    scope = cfg.get("default_scope")
    if scope not in readers:
        raise ConfigError("default_scope of the config", found=repr(scope), expected=" or ".join(readers))
    with in_scope(cfg):
        for split in splits:
            for dataset in leaf_datasets(cfg.get(f"{split}_dataloader")):
                found.append(readers[scope](cfg, dataset, split))
    return each_once(found)


def each_once(sources: Iterable[Source]) -> list[Source]:
    """Those that are the same data set joined to one."""
    found: dict[Hashable, Source] = {}
    for source in sources:
        before = found.get(source.identity)
        found[source.identity] = before.with_use_of(source) if before else source
    return list(found.values())


def _of_poses(cfg: Config, dataset: dict, split: str) -> Source:
    built = _built(dataset)
    layouts = LAYOUTS.get(type_name(dataset), PLAIN)
    use = use_of_poses(cfg.get(f"{split}_evaluator"), split, dataset, built)
    if any(layout.box != "bbox" for layout in layouts):
        use = replace(use, by_area=())  # the areas in the file are those of whole bodies
    return _of_file(built, split, use, keypoints=True, layouts=layouts)


def _of_boxes(cfg: Config, dataset: dict, split: str) -> Source:
    built = _built(dataset)
    use = use_of_boxes(cfg.get(f"{split}_evaluator"), split, dataset, built)
    return _of_file(built, split, use, keypoints=False)


def _of_file(built: Any, split: str, use: Use, *, keypoints: bool, layouts: tuple[Layout, ...] = PLAIN) -> Source:
    folder = built.data_prefix.get("img") or built.data_prefix.get("img_path") or ""

    def check(source: Source, *, images: bool, **how: bool) -> DataReport:
        return check_coco(
            built.ann_file,
            folder if images else None,
            metainfo=built.metainfo,
            keypoints=keypoints,
            layouts=layouts,
            use=source.use,
            title=source.title,
            **how,
        )

    return Source((split,), built.ann_file, (built.ann_file, folder, type(built)), check, use)


def _of_masks(cfg: Config, dataset: dict, split: str) -> Source:
    built = _built(dataset)
    samples = built.load_data_list()
    if not samples:
        raise empty_data_set(built)
    folder = built.data_prefix.get("seg_map_path")
    if any("seg_map_path" not in sample for sample in samples):
        raise DataError(f"data set {type_name(dataset)}", found="no `seg_map_path`", expected="masks to check")
    labels = _labels(built, dataset)

    def check(source: Source, **how: bool) -> DataReport:
        masks = [Path(sample["seg_map_path"]) for sample in samples]
        listed = built.ann_file or not folder
        spare = () if listed else spare_masks(Path(folder), masks, built.seg_map_suffix)
        pairs = Pairs([Path(sample["img_path"]) for sample in samples], masks, spare)
        return check_pairs(pairs, labels, source.title, **how)

    return Source((split,), str(folder), (str(folder), built.data_prefix.get("img_path"), built.ann_file), check)


def _labels(built: Any, dataset: dict) -> Labels:
    """What the values in the files mean, before a data set of fewer classes maps them."""
    known = type(built).METAINFO if built.label_map else built.metainfo
    backends = [
        node.get("imdecode_backend", "pillow")
        for node in dicts_in(dataset.get("pipeline"))
        if type_name(node) == "LoadAnnotations"
    ]
    return Labels(
        tuple(known.get("classes") or ()),
        built.ignore_index,
        bool(built.reduce_zero_label),
        "cv2" not in backends,
        tuple(tuple(colour) for colour in known.get("palette") or ()),
    )


def _of_labels(cfg: Config, dataset: dict, split: str) -> Source:
    built = DATASETS.build({**copy.deepcopy(dict(dataset)), "pipeline": []})
    if not len(built):
        raise empty_data_set(built)
    place = str(built.ann_file or built.img_prefix)
    count = look_up(cfg.get("model"), "head.num_classes")
    outputs = count if isinstance(count, int) and count > 0 else None

    def check(source: Source, **how: bool) -> DataReport:
        samples = [built.get_data_info(index) for index in range(len(built))]
        files = [Path(sample["img_path"]) for sample in samples]
        labels = [sample.get("gt_label", ()) for sample in samples]
        return check_labelled(files, labels, built.metainfo.get("classes"), source.title, outputs=outputs, **how)

    return Source((split,), place, (place, built.img_prefix), check)


def _built(dataset: dict) -> Any:
    """The data set without its samples: its paths and metainfo as it knows them itself."""
    config = {**copy.deepcopy(dict(dataset)), "pipeline": [], "lazy_init": True}
    config.pop("bbox_file", None)
    return DATASETS.build(config)
