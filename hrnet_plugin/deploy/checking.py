"""Whether an exported network computes what the framework's own model does, on images and in the metric."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import Tensor, nn

from ..config_tree import dicts_in, leaf_datasets
from ..errors import ConfigError
from ..plain import as_list
from ..zoo.quiet import quiet
from .description import NetworkDescription
from .images import as_pixels
from .in_framework import run_through
from .runtimes.base import Runtime
from .tensor_model import PixelScaling, TensorModel

if TYPE_CHECKING:
    from mmengine.config import Config

#: The largest relative difference that float32 may have.
TOLERANCE = 1e-4
#: The number by which a model is known, where several are measured.
_CHIEF = ("coco/AP", "crowdpose/AP", "AP", "mIoU", "accuracy/top1", "PCK", "NME", "AUC")


@dataclass(frozen=True)
class OutputCheck:
    """How far outputs lie apart, each relative to the largest number of the output.

    Args:
        images: How many were looked at.
        plain: The largest difference.
        mirrored: The largest with flip test: the mean with the outputs for the mirrored image, mirrored back.
    """

    images: int
    plain: float
    mirrored: float

    @property
    def largest(self) -> float:
        """The larger of the two; infinite where an output is not finite."""
        return max(self.plain, self.mirrored)


@dataclass(frozen=True)
class MetricCheck:
    """The chief number of the config's evaluator on the same images.

    Args:
        name: As the evaluator calls it.
        images: How many samples were evaluated.
        framework: What the framework's own model gets.
        exported: What the exported network gets.
    """

    name: str
    images: int
    framework: float
    exported: float


class AnyBatch(Runtime):
    """A runtime of normalised images in any number, around one of another kind.

    Args:
        inner: It may take a fixed number of images alone, or pixels.
        scaling: How the pixels that `inner` takes are normalised inside; None where it takes normalised images.
    """

    name = "any batch"
    precisions = ("fp32", "bf16", "int8")

    def __init__(self, inner: Runtime, scaling: PixelScaling | None = None):
        super().__init__(inner.precision)
        self.inner, self.scaling = inner, scaling

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        pixels = images if self.scaling is None else as_pixels(images, self.scaling)
        return self.inner.in_batches(pixels)


def compare_outputs(
    model: nn.Module, runtime: Runtime, images: Iterable[Tensor], description: NetworkDescription
) -> OutputCheck:
    """Compares a runtime with the framework's model in evaluation mode.

    Args:
        model: As the framework builds it, nothing folded.
        runtime: For normalised images in any number.
        images: (N, C, H, W), normalised, in sizes that the runtime takes.
        description: Of the exported network; it knows which keypoints are each other's mirror images.

    Raises:
        ConfigError: there are no images, or the outputs differ in number or shape.
    """
    network, count, plain, mirrored = TensorModel(model), 0, 0.0, 0.0
    with torch.inference_mode():
        for image in images:
            ours, theirs = network(image), runtime(image)
            plain = max(plain, _difference(theirs, ours))
            back = image.flip(3)
            ours = _averaged(ours, network(back), description.flip_indices)
            theirs = _averaged(theirs, runtime(back), description.flip_indices)
            mirrored, count = max(mirrored, _difference(theirs, ours)), count + len(image)
    if not count:
        raise ConfigError("--check", found="no images", expected="at least one")
    return OutputCheck(count, plain, mirrored)


def compare_metrics(cfg: Config, model: nn.Module, runtime: Runtime, count: int) -> MetricCheck:
    """Evaluates the framework's model and the exported network through the config's own data and metric.

    Args:
        cfg: Its test data are there.
        model: As the framework builds it; it is left as it is.
        runtime: For normalised images in any number.
        count: How many samples (of COCO's annotations: images) to evaluate at most.

    Raises:
        ConfigError: an image has a size that the runtime does not take, or the model is none that can run through it.
    """
    with tempfile.TemporaryDirectory(prefix="hrnet-") as folder, _quietly(cfg):
        loader, evaluator = _part_of_data(cfg, count, Path(folder))
        exchanged = run_through(copy.deepcopy(model), lambda network, size: runtime)
        exported, images = _evaluate(exchanged, loader, evaluator)
        framework, _ = _evaluate(model, loader, evaluator)
    numbers = {name: value for name, value in framework.items() if isinstance(value, (int, float))}
    chief = next((name for name in _CHIEF if name in numbers), next(iter(numbers), None))
    if chief is None:
        raise ConfigError("metric", found="no number from the config's evaluator")
    return MetricCheck(chief, images, float(framework[chief]), float(exported[chief]))


def _averaged(outputs: Sequence[Tensor], mirrored: Sequence[Tensor], pairs: Sequence[int]) -> tuple[Tensor, ...]:
    return tuple((one + _back(other, pairs)) / 2 for one, other in zip(outputs, mirrored, strict=True))


def _back(output: Tensor, pairs: Sequence[int]) -> Tensor:
    """The output for a mirrored image as one for the image itself."""
    if output.ndim != 4:
        return output
    return output.flip(3)[:, list(pairs)] if len(pairs) == output.shape[1] else output.flip(3)


def _difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    if [output.shape for output in found] != [output.shape for output in expected]:
        shapes = [[tuple(output.shape) for output in outputs] for outputs in (found, expected)]
        raise ConfigError("outputs of the export", found=shapes[0], expected=f"{shapes[1]}, as the config's model has")
    worst = 0.0
    for one, other in zip(found, expected, strict=True):
        largest = float(other.abs().max()) or 1.0
        difference = float((one - other).abs().max()) / largest
        worst = max(worst, difference if math.isfinite(difference) else math.inf)
    return worst


def _evaluate(model: nn.Module, loader: Mapping, evaluator: object) -> tuple[dict, int]:
    data = Runner.build_dataloader(copy.deepcopy(loader), seed=0)
    metric = Evaluator(copy.deepcopy(as_list(evaluator)))
    metric.dataset_meta = data.dataset.metainfo
    model.eval()
    with torch.no_grad():
        for batch in data:
            metric.process(data_samples=model.test_step(batch), data_batch=batch)
    return metric.evaluate(len(data.dataset)), len(data.dataset)


@contextlib.contextmanager
def _quietly(cfg: Config) -> Iterator[None]:
    scope = DefaultScope.overwrite_default_scope(cfg.get("default_scope"))
    with scope, quiet(), contextlib.redirect_stdout(io.StringIO()):
        yield


def _part_of_data(cfg: Config, count: int, folder: Path) -> tuple[dict, object]:
    """The test loader and evaluator for a part of the data.

    An evaluator that reads COCO's annotations counts every image in them, so that these are cut down; other data sets
    are told how many samples to take.
    """
    loader, evaluator = copy.deepcopy(cfg.test_dataloader), copy.deepcopy(cfg.test_evaluator)
    loader.update(num_workers=0, persistent_workers=False)
    loader.pop("prefetch_factor", None)
    evaluated = [node for node in dicts_in(as_list(evaluator)) if node.get("ann_file")]
    for dataset in leaf_datasets(loader):
        if not evaluated:
            dataset["indices"] = count
            continue
        kept = _coco_part(Path(dataset.get("data_root") or "", dataset["ann_file"]), count, folder)
        dataset["ann_file"] = str(kept.path)
        if dataset.get("bbox_file"):
            dataset["bbox_file"] = str(_boxes_part(Path(dataset["bbox_file"]), kept.images, folder))
        for node in evaluated:
            node["ann_file"] = str(kept.path)
    return loader, evaluator


@dataclass(frozen=True)
class _Part:
    path: Path
    images: frozenset[int]


def _coco_part(source: Path, count: int, folder: Path) -> _Part:
    content = json.loads(source.read_text(encoding="utf-8"))
    shown = {entry["image_id"] for entry in content["annotations"] if any(entry.get("keypoints") or ())}
    # Where nobody is to be seen, there is nothing for a network of single persons to be evaluated on.
    images = [image for image in content["images"] if image["id"] in shown] or content["images"]
    images = images[:: max(1, len(images) // count)][:count]
    known = frozenset(image["id"] for image in images)
    annotations = [entry for entry in content["annotations"] if entry["image_id"] in known]
    path = folder / source.name
    path.write_text(json.dumps({**content, "images": images, "annotations": annotations}), encoding="utf-8")
    return _Part(path, known)


def _boxes_part(source: Path, images: frozenset[int], folder: Path) -> Path:
    boxes = [box for box in json.loads(source.read_text(encoding="utf-8")) if box["image_id"] in images]
    path = folder / f"boxes_{source.name}"
    path.write_text(json.dumps(boxes), encoding="utf-8")
    return path
