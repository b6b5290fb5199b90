"""Trainings and tests of seconds, through mmengine's runner, in as many processes as there are: what is compared."""

from __future__ import annotations

import copy
import functools
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

#: Samples a step of the optimizer, over all processes.
BATCH, TRAIN_SAMPLES, EVALUATED = 16, 32, 7
STAGES = {
    f"stage{number}": {
        "num_modules": 1,
        "num_branches": number,
        "block": "BOTTLENECK" if number == 1 else "BASIC",
        "num_blocks": [1] * number,
        "num_channels": [4 * 2**branch for branch in range(number)],
    }
    for number in (1, 2, 3, 4)
}
#: Otherwise mmengine has the whole process's garbage collected, which takes longer than the training.
UNSERIALISED = {"serialize_data": False}
PIXELS = {"mean": [120.0] * 3, "std": [60.0] * 3}
CODEC = {"type": "MSRAHeatmap", "input_size": (32, 32), "heatmap_size": (8, 8), "sigma": 1}
CLASSES = ("background", "head", "torso", "arms", "legs", "object")


def import_frameworks() -> None:
    """Fills their registries; this package comes first, whose fixes let them be imported."""
    for package in ("hrnet_plugin", "mmpose", "mmseg"):
        importlib.import_module(f"{package}.models")


def config(task: str, data: Path, processes: int, *, steps: int = 20, stages: int = 4, norm: str = "SyncBN") -> Config:
    """A tiny HRNet, constant learning rate and no augmentation.

    Args:
        task: `pose` or `seg`.
        data: A generated data set.
        processes: Which share each batch.
        steps: Of the optimizer.
        stages: Of the network, 2 to 4.
        norm: `SyncBN` sees the whole batch, `BN` that of its own process.
    """
    entries = {"pose": _pose, "seg": _seg}[task](str(data), BATCH // processes, steps, stages)
    extra = {name: dict(STAGES[name]) for name in sorted(STAGES)[:stages]}
    entries["model"]["backbone"] |= {"type": "hrnet_plugin.HRNet", "extra": extra, "norm_cfg": {"type": norm}}
    shared = {
        "default_hooks": {"checkpoint": None, "logger": {"type": "LoggerHook", "interval": 1000}},
        "randomness": {"seed": 3},
        "log_level": "ERROR",
        "load_from": None,
    }
    return Config({**entries, **shared})


def _loader(batch: int, dataset: dict, sampler: str = "DefaultSampler", **options: object) -> dict:
    return {"batch_size": batch, "num_workers": 0, "sampler": {"type": sampler, **options}, "dataset": dataset}


def _pose(data: str, batch: int, steps: int, stages: int) -> dict[str, Any]:
    cut = [
        {"type": "LoadImage"},
        {"type": "GetBBoxCenterScale"},
        {"type": "TopdownAffine", "input_size": CODEC["input_size"]},
    ]
    train_end = [{"type": "GenerateTarget", "encoder": CODEC}, {"type": "PackPoseInputs"}]

    def dataset(split: str, end: list[dict], **options: object) -> dict:
        return {
            "type": "CocoDataset", "data_root": data, "data_mode": "topdown", "pipeline": [*cut, *end], **UNSERIALISED,
            "ann_file": f"annotations/person_keypoints_{split}.json", "data_prefix": {"img": f"{split}/"}, **options,
        }  # fmt: skip

    epochs = steps * BATCH // TRAIN_SAMPLES
    evaluated = dataset("val", [{"type": "PackPoseInputs"}], test_mode=True, indices=EVALUATED)
    return {
        "default_scope": "mmpose",
        "model": {
            "type": "TopdownPoseEstimator",
            "data_preprocessor": {"type": "PoseDataPreprocessor", **PIXELS},
            "backbone": {"multiscale_output": False},
            "head": {
                "type": "HeatmapHead", "in_channels": 4, "out_channels": 17, "deconv_out_channels": None,
                # As in the quickstart: gradients well above Adam's epsilon.
                "loss": {"type": "KeypointMSELoss", "use_target_weight": True, "loss_weight": 1000}, "decoder": CODEC,
            },
            "test_cfg": {"flip_test": True},
        },
        "train_dataloader": _loader(batch, dataset("train", train_end, indices=TRAIN_SAMPLES), shuffle=True),
        "val_dataloader": _loader(2, evaluated, shuffle=False, round_up=False),
        "val_evaluator": [
            {"type": "CocoMetric", "ann_file": f"{data}/annotations/person_keypoints_val.json"}, {"type": "EPE"},
            {"type": "PCKAccuracy", "thr": 0.05},
        ],
        "train_cfg": {"by_epoch": True, "max_epochs": epochs, "val_interval": 1000},
        "val_cfg": {},
        "optim_wrapper": {"optimizer": {"type": "Adam", "lr": 1e-3}},
    }  # fmt: skip


def _seg(data: str, batch: int, steps: int, stages: int) -> dict[str, Any]:
    read = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}]
    to_size = [{"type": "Resize", "scale": (32, 32), "keep_ratio": False}]

    def dataset(split: str, pipeline: list[dict], count: int) -> dict:
        return {
            "type": "BaseSegDataset", "data_root": data, "metainfo": {"classes": CLASSES}, "indices": count,
            "data_prefix": {"img_path": split, "seg_map_path": f"masks/{split}"}, **UNSERIALISED,
            "pipeline": [*pipeline, {"type": "PackSegInputs"}],
        }  # fmt: skip

    train, val = dataset("train", [*read, *to_size], TRAIN_SAMPLES), dataset("val", read, EVALUATED)
    return {
        "default_scope": "mmseg",
        "model": {
            "type": "EncoderDecoder",
            "data_preprocessor": {"type": "SegDataPreProcessor", "size": (32, 32), **PIXELS},
            "backbone": {"upsample_mode": "bilinear"},
            "decode_head": {
                "type": "FCNHead", "in_channels": [4, 8, 16, 32][:stages], "in_index": tuple(range(stages)),
                "channels": 8, "num_convs": 1, "input_transform": "resize_concat", "kernel_size": 1,
                "concat_input": False, "dropout_ratio": -1, "num_classes": len(CLASSES), "norm_cfg": {"type": "SyncBN"},
                "loss_decode": {"type": "CrossEntropyLoss"},
            },
            "test_cfg": {"mode": "whole"},
        },
        "train_dataloader": _loader(batch, train, "InfiniteSampler", shuffle=True),
        "val_dataloader": _loader(2, val, shuffle=False),
        "val_evaluator": {"type": "IoUMetric", "iou_metrics": ["mIoU", "mDice"]},
        "train_cfg": {"by_epoch": False, "max_iters": steps, "val_interval": 1000},
        "val_cfg": {},
        "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}},
    }  # fmt: skip


class Probe(Hook):
    """Begins from weights that depend on names and shapes alone, and remembers what is to be compared.

    `losses` of each step of this process; of the first step `outputs` (n, C, H, W) of the head, the gradients that the
    optimizer was given, and the buffers after it.
    """

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.outputs = torch.empty(0)
        self.gradients: dict[str, Tensor] = {}
        self.buffers: dict[str, Tensor] = {}

    def before_train(self, runner: Runner) -> None:
        network = plain(runner.model)
        initialise(network)
        head = network.head.final_layer if hasattr(network, "head") else network.decode_head.conv_seg
        head.register_forward_hook(self._keep_outputs)
        runner.optim_wrapper.optimizer.register_step_pre_hook(lambda *_: self._keep_gradients(network))

    def _keep_outputs(self, head: nn.Module, inputs: object, output: Tensor) -> None:
        if not self.losses:
            self.outputs = output.detach().clone()

    def _keep_gradients(self, network: nn.Module) -> None:
        self.gradients = self.gradients or {
            name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None
        }

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: dict | None = None):
        self.losses.append(outputs["loss"].item())
        self.buffers = self.buffers or {name: value.clone() for name, value in plain(runner.model).named_buffers()}


def plain(model: nn.Module) -> nn.Module:
    """The model without its wrapper."""
    return getattr(model, "module", model)


def initialise(network: nn.Module) -> None:
    """Weights by name and shape alone, the same in every precision and process."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in sorted(network.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        scale = (2 / max(parameter[0].numel(), 1)) ** 0.5
        value = noise * scale if parameter.ndim == 4 else torch.full_like(noise, float(name.endswith("weight")))
        parameter.data.copy_(value * (0.01 if name.startswith("head") else 1))


def train(cfg: Config, folder: Path, *, double: bool, launcher: str = "none", hooks: tuple[Hook, ...] = ()) -> dict:
    """One training; what its probe remembers, and the state of the network and its optimizer at the end."""
    probe = Probe()
    torch.set_default_dtype(torch.float64 if double else torch.float32)
    try:
        runner = build(cfg, folder, launcher, [*hooks, probe])
        runner.train()
    finally:
        torch.set_default_dtype(torch.float32)
    network = plain(runner.model)
    return {
        "losses": probe.losses,
        "outputs": probe.outputs,
        "gradients": probe.gradients,
        "buffers": probe.buffers,
        "state": {name: value.detach().clone() for name, value in network.state_dict().items()},
        "find_unused": getattr(runner.model, "find_unused_parameters", None),
    }


def evaluate(cfg: Config, folder: Path, launcher: str = "none") -> dict[str, float]:
    """The metrics of a network whose weights depend on names and shapes alone.

    It finds no keypoint by itself: a tenth of the way from the true ones to those that it predicts, they count.
    """
    runner = build(cfg, folder, launcher, [])
    network = plain(runner.model)
    initialise(network)
    if hasattr(network, "head"):
        network.head.predict = functools.partial(_near_the_truth, network.head.predict)
    return {name: float(value) for name, value in runner.val().items()}


def _near_the_truth(predict: Callable, features: object, samples: list, test_cfg: dict) -> list:
    predicted = predict(features, samples, test_cfg=test_cfg)
    for instances, sample in zip(predicted, samples, strict=True):
        centre, scale = sample.metainfo["input_center"], sample.metainfo["input_scale"]
        truth = ((sample.gt_instances.keypoints - centre) / scale + 0.5) * sample.metainfo["input_size"]
        instances.keypoints = 0.9 * truth + 0.1 * instances.keypoints
    return predicted


def build(cfg: Config, folder: Path, launcher: str, hooks: list[Hook]) -> Runner:
    """mmengine's runner for a config."""
    cfg = copy.deepcopy(cfg)
    wrapping = {key: cfg.pop(key) for key in ("model_wrapper_cfg",) if key in cfg}
    joined = [*cfg.pop("custom_hooks", []), *hooks]
    names = {"work_dir": str(folder), "experiment_name": folder.name, "launcher": launcher}
    return Runner(**cfg, **names, custom_hooks=joined, cfg=Config(wrapping))
