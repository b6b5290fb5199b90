"""The state of the random generators that training draws from, in a form that a safe load accepts.

mmengine stores the seed alone, so a resumed run repeats the augmentation of its first epochs.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def capture_random_streams() -> dict[str, Any]:
    """State of this process's generators: `random`, `numpy.random`, torch and the current CUDA device.

    Tensors, numbers and tuples only: `torch.load(..., weights_only=True)` reads it without an allow-list.
    """
    name, keys, position, has_gauss, gauss = np.random.get_state()
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(keys.astype(np.int64)), int(position), int(has_gauss), float(gauss)),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }


def restore_random_streams(streams: dict[str, Any]) -> None:
    """Set the generators of this process to what :func:`capture_random_streams` returned.

    The tensors may lie on any device. CUDA's stream is left alone where either side has none.
    """
    random.setstate(streams["python"])
    name, keys, *rest = streams["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(streams["torch"].cpu())
    if streams["cuda"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(streams["cuda"].cpu())
