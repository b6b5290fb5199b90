"""A look at the data before the first step: an empty data set or a missing image shows at once, not hours later."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from hrnet_plugin.errors import DataError, MissingDependency
from hrnet_plugin.registry import HOOKS

from .image_files import check_image_file


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Checks that the data sets of the run hold samples, and that the files of some of them are there and whole.

    Args:
        samples: How many samples of each data set are looked at, evenly spread.
    """

    priority = "VERY_HIGH"

    def __init__(self, samples: int = 64):
        self.samples = samples

    def before_run(self, runner: Runner) -> None:
        """Look at the data sets of all loops that have been built.

        Raises:
            DataError: a data set is empty, or a file is missing or cut off.
        """
        for name in ("_train_loop", "_val_loop", "_test_loop"):  # the public properties would build them
            loop = getattr(runner, name, None)
            if isinstance(loop, BaseLoop):
                self._check(loop.dataloader.dataset)

    def _check(self, dataset: object) -> None:
        total = len(dataset)
        if not total:
            raise empty_data_set(dataset)
        if not hasattr(dataset, "get_data_info"):
            return
        chosen = sorted({index * total // self.samples for index in range(self.samples)})
        for index in chosen if total > self.samples else range(total):
            info = dataset.get_data_info(index)
            for key in ("img_path", "seg_map_path"):
                if isinstance(info.get(key), str) and "://" not in info[key]:
                    check_image_file(info[key])


def empty_data_set(dataset: object) -> DataError:
    """The error for a data set without samples."""
    return DataError(
        f"data set {type(dataset).__name__} in {_place(dataset)}",
        found="no samples",
        expected="at least one",
        do="Check ann_file, data_prefix, the file suffixes and the filters of the config",
    )


def albumentations_missing() -> MissingDependency:
    """The error for a pipeline with mmpose's `Albumentation`, where that package is not installed."""
    return MissingDependency(
        "albumentations",
        found="not installed",
        expected="version 1, which the pipelines of mmpose are written for",
        do="`pip install pydantic simsimd stringzilla`, then "
        "`pip install --no-deps albumentations==1.4.24 albucore==0.0.23`",
    )


def _place(dataset: object) -> str:
    prefixes = getattr(dataset, "data_prefix", None) or {}
    return getattr(dataset, "ann_file", "") or ", ".join(map(str, prefixes.values())) or "the config"
