"""A training of seconds, and the faults that can be planted in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

import hrnet_plugin
from hrnet_plugin.engine import TrainingHealthHook

BATCH, SIZE = 2, 32
#: Two stages, two branches, four channels.
EXTRA = {
    f"stage{number}": {
        "num_modules": 1,
        "num_branches": number,
        "block": "BASIC",
        "num_blocks": [1] * number,
        "num_channels": [4 * 2**branch for branch in range(number)],
    }
    for number in (1, 2)
}


class Images(Dataset):
    """Random images with a random target each, named `/images/<index>.jpg`."""

    def __init__(self, indices: Sequence[int], broken: Sequence[int] = (), broken_targets: Sequence[int] = ()):
        self.indices, self.broken, self.broken_targets = list(indices), set(broken), set(broken_targets)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> dict:
        index = self.indices[place]
        noise = torch.Generator().manual_seed(index)
        image = torch.rand(3, SIZE, SIZE, generator=noise)
        sample = BaseDataElement(metainfo={"img_path": f"/images/{index}.jpg"})
        sample.target = torch.rand(2, SIZE // 4, SIZE // 4, generator=noise)
        if index in self.broken:
            image[1, 5, 5] = float("nan")
        if index in self.broken_targets:
            sample.target[0, 3, 3] = float("inf")
        return {"inputs": image, "data_samples": sample}


class SquaredError(nn.Module):
    """The loss, as a module; may be told to be infinite."""

    broken = False

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean() / (0 if self.broken else 1)


class Head(nn.Module):
    """One convolution and a loss.

    Args:
        fault: What goes wrong in the iterations of `at`, counted from 0: `divide`, `loss`, `root` or nothing.
        dropout: Share of the features that is dropped.
    """

    def __init__(self, fault: str = "", at: Sequence[int] = (), dropout: float = 0.0):
        super().__init__()
        self.fault, self.at = fault, set(at)
        self.dropout = nn.Dropout(dropout)
        self.final_layer = nn.Conv2d(4, 2, 1)
        self.loss_module = SquaredError()

    def loss(self, features: Sequence[Tensor], targets: Tensor) -> dict[str, Tensor]:
        goes_wrong = MessageHub.get_current_instance().get_info("iter", 0) in self.at
        output = self.final_layer(self.dropout(features[0]))
        if goes_wrong and self.fault == "divide":
            output = output / torch.zeros_like(output)
        self.loss_module.broken = goes_wrong and self.fault == "loss"
        losses = {"loss_kpt": self.loss_module(output, targets)}
        if goes_wrong and self.fault == "root":  # finite, and of no finite slope
            losses["loss_root"] = (output[1] - output[1].detach()).abs().sqrt().sum()
        if self.fault == "chance" and torch.rand(()) * targets[0, 0, 0, 0] < 0.08:
            losses["loss_kpt"] = losses["loss_kpt"] * float("inf")
        return losses


class Model(BaseModel):
    """A backbone and a head, laid out as the frameworks do."""

    def __init__(self, norm: str = "BN", with_cp: bool | str = False, **head: object):
        torch.manual_seed(0)
        super().__init__(data_preprocessor=ImgDataPreprocessor())
        norm_cfg = {"type": norm, "requires_grad": True}
        options = {"norm_cfg": norm_cfg, "multiscale_output": False, "with_cp": with_cp}
        self.backbone = hrnet_plugin.HRNet(extra=EXTRA, **options)
        self.head = Head(**head)

    def forward(self, inputs: Tensor, data_samples: list[BaseDataElement], mode: str) -> dict[str, Tensor]:
        targets = torch.stack([sample.target for sample in data_samples])
        return self.head.loss(self.backbone(inputs), targets)


class Probe(Hook):
    """Remembers the state of a training before the iterations of `at`, and acts before them.

    Args:
        at: Counted from 0.
        act: Called with the runner.
    """

    priority = "VERY_HIGH"

    def __init__(self, at: Sequence[int] = (), act: Callable[[Runner], None] | None = None):
        self.at, self.act = set(at), act
        self.before: dict[str, Tensor] = {}
        self.losses: list[float | None] = []
        self.changed: list[str] = []

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        if runner.iter in self.at:
            if self.act:
                self.act(runner)
            self.before = state_of(runner)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: dict | None = None
    ) -> None:
        self.losses.append(outputs["loss"].item() if outputs else None)
        if runner.iter in self.at:
            self.changed = differing(self.before, state_of(runner))


def state_of(runner: Runner) -> dict[str, Tensor]:
    """Copies of weights, buffers, what the optimizer remembers, and gradients that wait for more batches."""
    model = runner.model.module if hasattr(runner.model, "module") else runner.model
    state = {name: value.clone() for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        remembered = runner.optim_wrapper.optimizer.state.get(parameter, {})
        state |= {f"{name}: {key}": torch.as_tensor(value).clone() for key, value in remembered.items()}
        if parameter.grad is not None:
            state[f"{name}: gradient"] = parameter.grad.clone()
    return state


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    """The names whose values differ in a single bit, or that one of the two alone has."""
    return sorted(
        name for name in one.keys() | other.keys()
        if name not in one or name not in other or not torch.equal(one[name], other[name])
    )  # fmt: skip


def train(
    work_dir: object,
    *,
    images: Dataset,
    model: Model | None = None,
    hooks: Sequence[Hook] = (),
    health: dict | None = None,
    wrapper: dict | None = None,
    by_epoch: bool = True,
    epochs: int = 1,
    sampler: object = None,
    **runner: object,
) -> Runner:
    """Trains on all images once an epoch, in their order.

    Args:
        images: As many batches as there are pairs of them.
        model: A new one, by default.
        hooks: Beside those that log.
        health: Options of the hook under test; None leaves it away.
        wrapper: Entries of `optim_wrapper`.
        by_epoch: Count epochs, or iterations.
        runner: Arguments of mmengine's runner.
    """
    model = model or Model()
    loader = DataLoader(images, BATCH, shuffle=False, sampler=sampler, collate_fn=pseudo_collate)
    steps = len(loader)
    optimizer = {"type": "SGD", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4}
    loop = {"max_epochs": epochs, "by_epoch": True} if by_epoch else {"max_iters": steps * epochs, "by_epoch": False}
    built = Runner(
        model,
        str(work_dir),
        train_dataloader=loader,
        train_cfg={**loop, "val_interval": 1000},
        optim_wrapper={"optimizer": optimizer, **(wrapper or {})},
        custom_hooks=[*hooks, *([] if health is None else [TrainingHealthHook(**health)])],
        default_hooks={"checkpoint": None, "logger": {"type": "LoggerHook", "interval": 1}},
        experiment_name=f"tiny_{id(model)}",
        default_scope="mmengine",
        randomness={"seed": 0},
        log_level="WARNING",
        **runner,
    )  # fmt: skip
    try:
        built.train()
    except Exception as error:
        error.runner = built
        raise
    return built
