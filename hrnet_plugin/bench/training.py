"""A training step as the framework's runner does it: preprocessing, forward, loss, backward, optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..deploy.tensor_model import TensorModel
from ..engine.freed_memory import treat_freed_memory
from ..errors import ConfigError
from ..zoo.quiet import quiet
from .networks import build_whole, load_weights, resolve_config
from .subjects import COMPILED, Job, Network, Subject

#: By how much the first step's loss may differ from the reference's, relative.
LOSS_TOLERANCES = {"fp32": 1e-4, "bf16": 0.05}


class TrainingStep:
    """A model with its optimizer and one batch, on which each call takes a step.

    Args:
        subject: Of the role `training`; its config is that of a top-down heatmap model.
        job: The work that it belongs to.

    Raises:
        ConfigError: the config is of another kind.
    """

    def __init__(self, subject: Subject, job: Job):
        network = subject.network
        cfg = resolve_config(network)
        if cfg.model.get("type") != "TopdownPoseEstimator" or "Heatmap" not in str(cfg.model.head.type):
            found = f"{cfg.model.get('type')} with {cfg.model.get('head', {}).get('type')}"
            raise ConfigError("training step", found=found, expected="a top-down model with heatmaps")
        self.scope = cfg.default_scope
        self.model = trained_model(subject, Path(job.folder)).to(job.device)
        if subject.channels_last:
            self.model.to(memory_format=torch.channels_last)
        if subject.runtime == COMPILED:
            self.model.backbone.compile()
        with quiet():
            self.wrapper = optim_wrapper(self.model, cfg, subject, job.device)
        self.batch = example_batch(network, cfg.model.head.out_channels)
        self.losses: list[Tensor] = []
        # It is the whole process's, in which others may have their turns, too.
        told = any(one.freed_memory for one in job.subjects)
        self._freed_memory = subject.freed_memory or ("usual" if told else "")

    def __call__(self) -> None:
        """One step."""
        self._set_memory()
        with DefaultScope.overwrite_default_scope(self.scope):
            self.losses.append(self.model.train_step(self.batch, self.wrapper)["loss"].detach())

    def find_gradients(self) -> None:
        """Forward and backward alone; the gradients are dropped."""
        self._set_memory()
        with DefaultScope.overwrite_default_scope(self.scope), self.wrapper.optim_context(self.model):
            losses = self.model(**self.model.data_preprocessor(self.batch, True), mode="loss")
            self.wrapper.backward(self.model.parse_losses(losses)[0])
        self.wrapper.zero_grad()

    def _set_memory(self) -> None:
        if self._freed_memory:
            treat_freed_memory(self._freed_memory)

    def kept_tensors(self) -> Iterator[Tensor]:
        """What stays from step to step: weights, buffers, what the optimizer remembers."""
        yield from self.model.parameters()
        yield from self.model.buffers()
        for state in self.wrapper.optimizer.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))


def trained_model(subject: Subject, folder: Path) -> nn.Module:
    """The whole model in training mode, with the weights of its reference."""
    model = build_whole(subject.network)
    load_weights(TensorModel(model), subject.source, folder)
    return model.train()


def optim_wrapper(model: nn.Module, cfg, subject: Subject, device: str) -> OptimWrapper:
    """The config's own optimizer; bf16 by autocast."""
    wanted = dict(cfg.optim_wrapper)
    if subject.precision == "bf16":
        wanted |= {"type": "AmpOptimWrapper", "dtype": "bfloat16"}
        if device == "cuda":
            wanted["loss_scale"] = 1.0  # bfloat16 has float32's range
    return build_optim_wrapper(model, wanted)


def example_batch(network: Network, keypoints: int) -> dict:
    """Collated random images and heatmaps, as mmpose's loader gives them.

    Args:
        network: Its batch and size are taken.
        keypoints: Heatmaps of an image.
    """
    from mmengine.structures import InstanceData, PixelData
    from mmpose.structures import PoseDataSample

    generator = torch.Generator().manual_seed(2)
    width, height = network.size
    samples = []
    for _ in range(network.batch):
        sample = PoseDataSample()
        heatmaps = torch.rand(keypoints, height // 4, width // 4, generator=generator)
        sample.gt_fields = PixelData(heatmaps=heatmaps)
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, keypoints))
        sample.set_metainfo({"input_size": network.size})
        samples.append(sample)
    images = torch.randint(0, 256, (network.batch, 3, height, width), generator=generator, dtype=torch.uint8)
    return {"inputs": list(images), "data_samples": samples}


def check_first_loss(step: Callable[[], None], expected: float, subject: Subject) -> float:
    """Takes a step and returns how far its loss is from the reference's, relative.

    Raises:
        ConfigError: too far: what trains something else is not measured.
    """
    step()
    difference = abs(float(step.losses[0]) - expected) / abs(expected)
    if not difference <= LOSS_TOLERANCES[subject.precision]:
        raise ConfigError(
            f"first loss of {subject.name}",
            found=f"{float(step.losses[0]):.6g}, a relative difference of {difference:.2g}",
            expected=f"{expected:.6g}",
        )
    return difference
