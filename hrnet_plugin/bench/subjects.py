"""What is measured, in plain values: a process reads them from JSON and builds it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

from .records import to_plain

#: The network as its framework runs it: nothing folded, nothing exported.
EAGER = "eager"
#: In inference a runtime; in training the backbone compiled in place, as `hrnet train --compile` has it.
COMPILED = "torch-compile"
INFERENCE, TRAINING, DECODING, LIMIT = "inference", "training", "decoding", "limit"


@dataclass(frozen=True)
class Network:
    """A network and the images that it gets.

    Args:
        config: Path of a config, or a framework's own as `mmpose::folder/name.py`.
        framework: Build the framework's own network (`mmpose`, `mmseg`, `timm`) in the place of ours; '' as the config
            says.
        options: Values put into the config, by dotted key.
        checkpoint: Its weights; '' for generated ones.
        backbone_only: Leave neck and head out.
        size: (width, height) in pixels.
        batch: Images a call.
    """

    config: str
    framework: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    checkpoint: str = ""
    backbone_only: bool = False
    size: tuple[int, int] = (192, 256)
    batch: int = 1

    @property
    def key(self) -> str:
        """The same for networks of the same weights, whatever images they get."""
        about = to_plain(replace(self, size=(0, 0), batch=0))
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Subject:
    """Something that is timed.

    Args:
        name: Unique in a run.
        network: What it computes.
        reference: The network whose weights it takes and with whose outputs it is compared; None for its own, run
            eagerly.
        role: `inference`, `training` (forward, backward and optimizer), `decoding` (its heatmaps to keypoints), or
            `limit` (its convolutions alone).
        runtime: A name of `deploy.runtimes`, or `eager`; of a training step `eager` or `torch-compile`.
        precision: `fp32`, `bf16` or `int8`; of a training step `fp32` or `bf16`.
        channels_last: Of a training step.
        freed_memory: Of a training step: what becomes of it (`engine.freed_memory`); '' leaves that as it is.
        facts: Numbers that are known of it, such as `width` or `published AP`.
    """

    name: str
    network: Network
    reference: Network | None = None
    role: str = INFERENCE
    runtime: str = EAGER
    precision: str = "fp32"
    channels_last: bool = False
    freed_memory: str = ""
    facts: dict[str, float] = field(default_factory=dict)

    @property
    def source(self) -> Network:
        """The network that it is compared with, at its own size and batch."""
        found = self.reference or replace(self.network)
        return replace(found, size=self.network.size, batch=self.network.batch)


@dataclass(frozen=True)
class Job:
    """The work of one process.

    Args:
        task: A name of `measuring.TASKS`.
        subjects: In the order in which the first turn takes them.
        folder: Where weights and exported files lie.
        turns: How often each is timed.
        settle: Call each once untimed before each timed call: another runtime's threads still spin, and the caches
            are another network's.
        threads: Of the CPU.
        first: Which subject begins the first turn.
        device: `cpu` or `cuda`.
    """

    task: str
    subjects: tuple[Subject, ...]
    folder: str
    turns: int = 1
    settle: bool = True
    threads: int = 2
    first: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Outcome:
    """What a process found, by the name of the subject.

    Args:
        times: Seconds of each timed call; of a limit, one number: the sum of its convolutions' medians.
        differences: How far the outputs are from the reference's (`networks.relative_difference`).
        memory: Bytes of resident memory at the highest while it was called; on a GPU, allocated there.
        gradient_memory: Of a training step, the same without the optimizer.
        tensor_memory: Of a training step, bytes of all tensors at the highest: weights, gradients, what the optimizer
            remembers, activations.
        parts: Seconds of the network's parts, by their names.
        refused: Why it could not be made.
        parameters, macs: Of the network; multiply-accumulates of one image.
        convolution_macs: Of a limit, those of the convolutions for the whole batch.
    """

    times: dict[str, tuple[float, ...]] = field(default_factory=dict)
    differences: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    gradient_memory: dict[str, int] = field(default_factory=dict)
    tensor_memory: dict[str, int] = field(default_factory=dict)
    parts: dict[str, dict[str, float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    macs: dict[str, int] = field(default_factory=dict)
    convolution_macs: dict[str, int] = field(default_factory=dict)
