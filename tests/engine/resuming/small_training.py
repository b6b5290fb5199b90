"""A training of a second that draws wherever trainings draw, and can be stopped."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from hrnet_plugin.engine.saving import CheckpointHook

NUMBER = itertools.count()
LENGTH, BATCH = 17, 3  # an epoch has six batches, the last of them of two samples
SAVE = {"interval": 1, "by_epoch": False}
LOOPS = {
    "epochs": ("hrnet_plugin.EpochBasedTrainLoop", "max_epochs"),
    "iterations": ("hrnet_plugin.IterBasedTrainLoop", "max_iters"),
}


class Rates:
    """The learning rate of each iteration, which its hook notes."""

    def __init__(self):
        class Noting(Hook):
            def before_train_iter(self, runner, *_, **__):
                self.rates[runner.iter] = runner.optim_wrapper.get_lr()["lr"][0]

        self.hook = Noting()
        self.hook.rates = self.rates = {}


def logged(folder: Path) -> str:
    """All that the runs in a work dir have logged."""
    return "".join(path.read_text() for path in sorted(folder.glob("*/*.log")))


class Augmented(torch.utils.data.Dataset):
    """Samples that draw from all three streams, as augmentation does; notes what is loaded."""

    def __init__(self, length: int = LENGTH):
        self.length, self.loaded = length, []

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        self.loaded.append(index)
        noise = torch.rand(8) + torch.from_numpy(np.random.rand(8)).float() + random.random()
        return {"inputs": torch.full((8,), float(index)) + noise}


class Net(BaseModel):
    """Running statistics, and dropout for torch's stream of the process."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4))

    def forward(self, inputs: torch.Tensor, mode: str = "loss"):
        output = self.layers(inputs)
        return {"loss": output.float().square().mean()} if mode == "loss" else [output]


class TwoOptimizers(Net):
    """Its first layers and its last have an optimizer each; each leaves gradients to the other, as in a GAN."""

    def train_step(self, data: Mapping, optim_wrapper: OptimWrapperDict) -> dict[str, torch.Tensor]:
        for part in optim_wrapper.values():
            loss = self(**data)["loss"]
            part.update_params(loss)
        return {"loss": loss}

    def optimizers(self, first: int, last: int) -> OptimWrapperDict:
        """Their wrappers, with so many batches an update."""
        parts = {"first": (self.layers[:2], first), "last": (self.layers[2:], last)}
        adam = torch.optim.Adam
        return OptimWrapperDict(
            **{
                name: OptimWrapper(adam(layers.parameters(), lr=0.01), accumulative_counts=counts)
                for name, (layers, counts) in parts.items()
            }
        )


class Draws:
    """Stands in for an evaluator: it draws from the stream of the process, and says how often it was asked.

    Args:
        scores: By the epochs that are done, in the place of what it draws.
    """

    def __init__(self, scores: Mapping[int, float] | None = None):
        self.dataset_meta, self.asked, self.scores = None, [], scores

    def process(self, **_) -> None: ...

    def evaluate(self, _size: int) -> dict[str, float]:
        self.asked.append(float(torch.rand(1)))
        return {"AP": self.asked[-1] if self.scores is None else self.scores[self.runner.epoch]}


class Stop(Exception):
    """The run ends here."""


class StopAfter(Hook):
    """Stops a training after an iteration, behind all other hooks."""

    priority = "LOWEST"

    def __init__(self, iteration: int):
        self.iteration = iteration

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        if runner.iter + 1 == self.iteration:
            raise Stop


def saved_at(iteration: int) -> dict:
    """Options of the checkpoint hook, to save after so many iterations, or at the end alone."""
    return {"interval": iteration, "by_epoch": False}


class Losses(Hook):
    """Remembers the loss of each iteration."""

    def __init__(self):
        self.losses: dict[int, float] = {}

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: Mapping = {}
    ) -> None:
        self.losses[runner.iter] = outputs["loss"].item()


def run(
    work_dir: Path,
    kind: str = "epochs",
    *,
    workers: int = 0,
    sampler: str | Mapping = "DefaultSampler",
    save: Mapping | str | None = None,
    hooks: Sequence[Hook] = (),
    wrapper: Mapping | None = None,
    seed: int | None = 3,
    resume: bool = False,
    length: int | None = None,
    batch: int = BATCH,
    dataset: Augmented | None = None,
    loader: Mapping | None = None,
    two_optimizers: tuple[int, int] | None = None,
    diff_rank_seed: bool = False,
    scores: Mapping[int, float] | None = None,
    **loop,
):
    """Trains for three epochs; a runner with `losses` and `asked`."""
    train_loader = {
        "dataset": dataset or Augmented(),
        "batch_size": batch,
        "num_workers": workers,
        "persistent_workers": workers > 0,
        "sampler": {"type": sampler, "shuffle": True} if isinstance(sampler, str) else sampler,
        "collate_fn": {"type": "default_collate"},
    }
    loop_type, unit = LOOPS[kind]
    losses = Losses()
    torch.manual_seed(0)
    model = TwoOptimizers() if two_optimizers else Net()
    optimizers = model.optimizers(*two_optimizers) if two_optimizers else None
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader={**train_loader, **(loader or {})},
        val_dataloader={**train_loader, "sampler": {"type": "DefaultSampler", "shuffle": False}},
        val_cfg={},
        val_evaluator={"metrics": []},
        optim_wrapper=optimizers or {"optimizer": {"type": "Adam", "lr": 0.01}, **(wrapper or {})},
        param_scheduler=[
            {"type": "LinearLR", "by_epoch": False, "start_factor": 0.1, "begin": 0, "end": 8},
            {"type": "MultiStepLR", "by_epoch": kind == "epochs", "milestones": [1 if kind == "epochs" else 9]},
        ],
        train_cfg={
            "type": loop_type,
            unit: length or (3 if kind == "epochs" else 18),
            "val_interval": 1 if kind == "epochs" else 6,
            **loop,
        },
        default_hooks={"checkpoint": None if save == "none" else CheckpointHook(**(save or SAVE))},
        custom_hooks=[{"type": "EMAHook"}, losses, *hooks],
        randomness={"seed": seed, "diff_rank_seed": diff_rank_seed},
        log_level="WARNING",
        experiment_name=f"resumed-{next(NUMBER)}",
        resume=resume,
    )
    runner.val_loop.evaluator = draws = Draws(scores)
    draws.runner = runner
    runner.losses, runner.asked = losses.losses, draws.asked
    with contextlib.suppress(Stop):
        runner.train()
    return runner


def state(work_dir: Path) -> dict:
    """The last checkpoint, less what tells when and where it was written."""
    found = _load_checkpoint(Path(work_dir, "last_checkpoint").read_text())
    return {name: found[name] for name in found if name not in ("meta", "message_hub")}


def differences(one: object, other: object, place: str = "") -> list[str]:
    """Where two states differ; numbers are compared bit for bit."""
    if isinstance(one, Mapping):
        assert one.keys() == other.keys(), place
        return [found for key in one for found in differences(one[key], other[key], f"{place}.{key}")]
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other), place
        return [
            found
            for i, pair in enumerate(zip(one, other, strict=True))
            for found in differences(*pair, f"{place}[{i}]")
        ]
    same = torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
    return [] if same else [place]
