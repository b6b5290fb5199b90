"""Subjects of a benchmark made ready to be called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from ..deploy.exporting.shape import InputShape
from ..deploy.runtimes.start import open_export, start_runtime
from ..errors import ConfigError
from .cuda_graph import CUDA_GRAPH, CudaGraph
from .exports import exported
from .networks import build_network, example_images, relative_difference, run
from .subjects import EAGER, Job, Network, Subject

#: By how much a subject's outputs may differ from the reference's, in units of the largest number (see
#: `networks.relative_difference`). Rounding adds up over the layers, more so with weights that were never trained.
#: Of bf16 and int8 only gross mistakes show here: the suite measures their accuracy.
TOLERANCES = {"fp32": 1e-3, "bf16": 0.3, "int8": 0.8}


def ready(subject: Subject, job: Job) -> Callable[[], tuple[Tensor, ...]]:
    """The call that is timed: images that lie ready to the network's outputs.

    Raises:
        UserError: it cannot be made: a package is missing, the precision is not to be had, the size does not fit.
    """
    folder = Path(job.folder)
    images = example_images(subject.network, job.device)
    if subject.runtime == EAGER:
        model = build_network(subject.network, subject.source, folder).to(job.device)

        def eager() -> tuple[Tensor, ...]:
            with torch.inference_mode():
                return model(images)

        return eager
    if subject.runtime == CUDA_GRAPH:
        model = build_network(subject.network, subject.source, folder).to(job.device)
        return CudaGraph(model, images, torch.bfloat16 if subject.precision == "bf16" else torch.float32)
    file = exported(subject, folder)
    if file is not None:
        runtime = open_export(file, runtime=subject.runtime, precision=subject.precision, threads=job.threads)
    else:
        model = build_network(subject.network, subject.source, folder).to(job.device)
        shape = InputShape(subject.network.size, subject.network.batch)
        runtime = start_runtime(model, subject.runtime, subject.precision, shape=shape, threads=job.threads)
    return lambda: runtime(images)


class Expectations:
    """What each subject has to compute, from its reference run eagerly.

    Args:
        folder: Where the weights lie.
    """

    def __init__(self, folder: str | Path):
        self._folder = Path(folder)
        self._known: dict[tuple[str, tuple[int, int], int], tuple[Tensor, ...]] = {}

    def of(self, source: Network) -> tuple[Tensor, ...]:
        """The outputs of a reference for its images."""
        key = (source.key, source.size, source.batch)
        if key not in self._known:
            model = build_network(source, source, self._folder)
            self._known[key] = run(model, example_images(source), source)
        return self._known[key]

    def forget(self) -> None:
        """Lets go of all outputs."""
        self._known.clear()

    def check(self, subject: Subject, outputs: Iterable[Tensor]) -> float:
        """How far the outputs of a subject are from its reference's.

        Raises:
            ConfigError: too far: what computes something else is not measured.
        """
        difference = relative_difference(tuple(outputs), self.of(subject.source))
        allowed = TOLERANCES[subject.precision]
        if not difference <= allowed:
            raise ConfigError(
                f"outputs of {subject.name}",
                found=f"a relative difference of {difference:.2g} to {subject.source.config}",
                expected=f"at most {allowed:g}",
            )
        return difference
