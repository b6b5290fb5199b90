"""ncnn."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...errors import CheckpointError
from ..exporting.ncnn import SUFFIX
from ..exporting.shape import InputShape
from ..exporting.silence import silenced_native
from ..optional import need
from .base import Runtime

if TYPE_CHECKING:
    import ncnn


class NcnnRuntime(Runtime):
    """Runs an ncnn graph, image by image.

    The images of a batch are computed side by side, each by one thread: a thread then keeps its image in its own
    cache. A single image takes all threads.

    Args:
        path: The .ncnn.param file; its .bin lies beside it.
        precision: `bf16` keeps weights and activations in bfloat16.
        threads: Of this network; None takes one a core.
        shape: What the network takes, where that is limited.

    Raises:
        CheckpointError: a file that ncnn cannot read.
        MissingDependency: ncnn is not installed.
    """

    name = "ncnn"
    precisions = ("fp32", "bf16")

    def __init__(
        self, path: Path, precision: str = "fp32", threads: int | None = None, shape: InputShape | None = None
    ):
        super().__init__(precision, threads or os.cpu_count() or 1, shape)
        need("ncnn", "runtime ncnn")
        self._path = path

    @cached_property
    def _for_one(self) -> ncnn.Net:
        return self._load(self.threads)

    @cached_property
    def _for_many(self) -> ncnn.Net:
        return self._load(1)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="ncnn")

    def _load(self, threads: int) -> ncnn.Net:
        net = need("ncnn", "runtime ncnn").Net()
        net.opt.num_threads = threads
        net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
        net.opt.use_bf16_storage = self.precision == "bf16"
        weights = self._path.with_name(self._path.name.removesuffix(SUFFIX) + ".ncnn.bin")
        with silenced_native():
            broken = net.load_param(str(self._path)) or net.load_model(str(weights))
        if broken or not net.input_names():
            raise CheckpointError(
                f"exported file {self._path}", found="nothing that ncnn reads", expected="a whole .param and .bin"
            )
        return net

    def _compute(self, images: Tensor) -> tuple[Tensor, ...]:
        arrays = images.detach().cpu().contiguous().numpy()
        if len(arrays) == 1 or self.threads == 1:
            rows = [self._one(self._for_one, array) for array in arrays]
        else:
            net = self._for_many
            rows = list(self._pool.map(lambda array: self._one(net, array), arrays))
        return tuple(torch.from_numpy(np.stack(outputs)) for outputs in zip(*rows, strict=True))

    def _one(self, net: ncnn.Net, array: np.ndarray) -> list[np.ndarray]:
        package = need("ncnn", "runtime ncnn")
        extractor = net.create_extractor()
        extractor.input(net.input_names()[0], package.Mat(array))
        outputs = []
        for name in net.output_names():
            status, output = extractor.extract(name)
            if status:
                raise CheckpointError(f"exported file {self._path}", found=f"no output {name}")
            outputs.append(np.array(output))
        return outputs
