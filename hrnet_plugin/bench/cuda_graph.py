"""A network recorded once as a CUDA graph and replayed: one launch in the place of hundreds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: The runtime's name; it is the benchmark's own.
CUDA_GRAPH = "cuda-graph"
#: Calls before the recording, in which cuDNN chooses its algorithms.
_CALLS_BEFORE = 3


class CudaGraph:
    """A network on a card, for images of one shape.

    Args:
        model: On the card, in evaluation mode.
        images: (N, C, H, W) on the card; each replay reads them where they lie.
        dtype: In which the network computes.
    """

    def __init__(self, model: nn.Module, images: Tensor, dtype: torch.dtype = torch.float32):
        self._model = model.to(dtype=dtype, memory_format=torch.channels_last)
        self._images = images.to(dtype=dtype, memory_format=torch.channels_last)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream), torch.inference_mode():
            for _ in range(_CALLS_BEFORE):
                self._model(self._images)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph), torch.inference_mode():
            self._outputs = tuple(output.float() for output in self._model(self._images))

    def __call__(self) -> tuple[Tensor, ...]:
        """The outputs; the next call writes over them."""
        self._graph.replay()
        return self._outputs
