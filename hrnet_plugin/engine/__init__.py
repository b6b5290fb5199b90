"""Hooks and checks around mmengine's runner. Importing this registers the hooks under scope `hrnet_plugin`."""

from __future__ import annotations

from .batch_decoding import BatchDecodingHook
from .bf16_gradients import Bf16GradientsHook
from .checkpoint_fit import CheckpointFitHook
from .compiling import CompileHook
from .data_check import DataCheckHook
from .finite_predictions import FinitePredictionsHook
from .freed_memory import FreedMemoryHook
from .health import TrainingHealthHook
from .image_files import CheckImageFiles
from .memory_format import ChannelsLastHook
from .notices import NoticeHook
from .preemption import PreemptionHook
from .progress import ProgressHook
from .resuming import EpochBasedTrainLoop, IterBasedTrainLoop
from .saving import CheckpointHook, LogFailuresHook

__all__ = [
    "BatchDecodingHook",
    "Bf16GradientsHook",
    "ChannelsLastHook",
    "CheckImageFiles",
    "CheckpointFitHook",
    "CheckpointHook",
    "CompileHook",
    "DataCheckHook",
    "EpochBasedTrainLoop",
    "FinitePredictionsHook",
    "FreedMemoryHook",
    "IterBasedTrainLoop",
    "LogFailuresHook",
    "NoticeHook",
    "PreemptionHook",
    "ProgressHook",
    "TrainingHealthHook",
]
