"""Checkpoints that training starts from, resumes from or is tested with, without a page of warnings."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from hrnet_plugin import HRNet
from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checkpoints.network_meta import describe_network, described_spec
from hrnet_plugin.engine import CheckpointFitHook, CheckpointHook
from hrnet_plugin.errors import CheckpointError

NUMBER = itertools.count()
SPEC = HRNetSpec.of_width(4, num_modules=(1, 1, 1), num_blocks=1, stage1_width=4, multiscale_output=False)
EMA = {"type": "EMAHook"}


class Toy(BaseModel):
    """A backbone and a last layer."""

    def __init__(self, outputs: int = 3, in_channels: int = 3, spec: HRNetSpec = SPEC):
        super().__init__()
        self.backbone = HRNet(spec, in_channels=in_channels)
        self.head = nn.ModuleDict({"final_layer": nn.Conv2d(4, outputs, 1)})

    def forward(self, inputs: torch.Tensor, mode: str = "loss"):
        output = self.head["final_layer"](self.backbone(inputs)[0])
        return {"loss": output.square().mean()} if mode == "loss" else [output]


class Images(torch.utils.data.Dataset):
    """Two images of nothing."""

    def __init__(self, channels: int):
        self.channels = channels

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"inputs": torch.full((self.channels, 32, 32), float(index))}


class Log(logging.Handler):
    """Keeps what a runner logs."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()

    @property
    def report(self) -> list[str]:
        """From the report's first line to its last."""
        start = next(index for index, line in enumerate(self.lines) if line.startswith("weights of "))
        told = itertools.takewhile(lambda line: line.startswith("  "), self.lines[start + 1 :])
        return [self.lines[start], *told]


def start(
    folder: Path,
    model: Toy,
    source: Path | None = None,
    *,
    required: float = 0.5,
    resumes: bool = False,
    hooks: tuple = (),
    schedule: dict | None = None,
) -> Log:
    """Train a model for an epoch; returns the log."""
    channels = model.backbone.conv1.in_channels
    runner = Runner(
        model=model,
        work_dir=str(folder),
        train_dataloader={
            "dataset": Images(channels),
            "batch_size": 2,
            "num_workers": 0,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": "default_collate"},
        },
        optim_wrapper={"optimizer": {"type": "SGD", "lr": 0.0}},
        param_scheduler=schedule,
        train_cfg={"by_epoch": True, "max_epochs": 2 if resumes else 1},
        default_hooks={"checkpoint": CheckpointHook(interval=1)},
        custom_hooks=[dict(hook) for hook in hooks],
        load_from=None if source is None else str(source),
        resume=resumes,
        experiment_name=f"fit-{next(NUMBER)}",
        randomness={"seed": 1},
    )
    if source:
        runner.register_hook(CheckpointFitHook(str(source), required=required, resumes=resumes))
    log = Log()
    runner.logger.addHandler(log)
    runner.model._is_init = True  # the weights of the test, and no page of how each was initialised
    runner.train()
    return log


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Toy, Path]:
    """A model and the checkpoint of its first epoch."""
    torch.manual_seed(3)
    model, folder = Toy(), tmp_path_factory.mktemp("first")
    start(folder, model)
    return model, folder / "epoch_1.pth"


def saved(folder: Path, epoch: int = 1) -> dict:
    return torch.load(folder / f"epoch_{epoch}.pth", weights_only=False)


def equal(weights: dict, model: nn.Module, without: tuple[str, ...] = ()) -> bool:
    """Whether these are the model's parameters, less some; batch norms' statistics have moved on."""
    names = [name for name, _ in model.named_parameters() if name not in without]
    return bool(names) and all(torch.equal(weights[name], model.state_dict()[name]) for name in names)


def test_checkpoints_describe_their_network(first):
    meta = torch.load(first[1], weights_only=False)["meta"]
    assert described_spec(meta) == SPEC
    assert {"epoch", "iter", "experiment_name", "mmengine_version"} <= set(meta)


@pytest.mark.parametrize("hooks", [(), (EMA,)], ids=["plain", "ema"])
def test_another_last_layer_and_other_images_are_a_start(first, tmp_path, hooks):
    donor, path = first
    model = Toy(outputs=5, in_channels=1)
    own = {key: value.clone() for key, value in model.head.state_dict().items()}
    log = start(tmp_path, model, path, hooks=hooks)
    assert log.report == [
        f"weights of {path}: 99.9 % of {sum(p.numel() for p in model.parameters())} parameters, "
        f"{len([key for key in model.state_dict() if 'num_batches' not in key]) - 2} of "
        f"{len([key for key in model.state_dict() if 'num_batches' not in key])} keys",
        "  adapted: backbone.conv1.weight from 3 to 1 channels",
        "  left at random, of another number of outputs: head.final_layer (3, here 5)",
    ]
    assert not any("do not match" in line or "unexpected key" in line or "missing keys" in line for line in log.lines)
    checkpoint = saved(tmp_path)
    kinds = [checkpoint["state_dict"]]
    if hooks:
        kinds.append({key.removeprefix("module."): value for key, value in checkpoint["ema_state_dict"].items()})
    for weights in kinds:
        stem, last = "backbone.conv1.weight", ("head.final_layer.weight", "head.final_layer.bias")
        assert torch.equal(weights[stem], donor.backbone.conv1.weight.sum(1, keepdim=True))
        assert all(torch.equal(weights[f"head.{key}"], value) for key, value in own.items())
        assert equal(weights, donor, (stem, *last))


def test_weights_of_a_backbone_alone_are_a_start(first, tmp_path):
    donor, _ = first
    torch.save(donor.backbone.state_dict(), tmp_path / "backbone.pth")
    log = start(tmp_path, Toy(), tmp_path / "backbone.pth")
    assert log.report[1:] == ["  missing, left as initialised: 2 keys: head.final_layer"]
    assert equal(saved(tmp_path)["state_dict"], donor, ("head.final_layer.weight", "head.final_layer.bias"))


@pytest.mark.parametrize("hooks", [(), (EMA,)], ids=["plain", "ema"])
def test_a_resumed_run_has_the_whole_state(tmp_path, hooks):
    model = Toy()
    start(tmp_path, model, hooks=hooks)
    log = start(tmp_path, Toy(), tmp_path / "epoch_1.pth", required=1.0, resumes=True, hooks=hooks)
    assert len(log.report) == 1
    assert ": 100.0 % of " in log.report[0]
    assert equal(saved(tmp_path, 2)["state_dict"], model)
    assert saved(tmp_path, 2)["meta"]["epoch"] == 2


@pytest.mark.parametrize("resumes", [False, True])
def test_nothing_is_adapted_to_test_or_to_resume(first, tmp_path, resumes):
    words = r"checkpoint .*epoch_1.pth: found \d+ of \d+ keys .* head.final_layer.weight has shape \(3, 4, 1, 1\)"
    with pytest.raises(CheckpointError, match=words):
        start(tmp_path, Toy(outputs=5), first[1], required=1.0, resumes=resumes)


def test_weights_alone_cannot_be_resumed(first, tmp_path):
    torch.save({"state_dict": first[0].state_dict()}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="found weights alone"):
        start(tmp_path, Toy(), tmp_path / "weights.pth", required=1.0, resumes=True)


@pytest.mark.parametrize(
    ("missing", "found"),
    [(["optimizer"], "no state of the optimizer"), (["message_hub"], "no message_hub"),
     (["meta", "optimizer"], "no meta, no state of the optimizer")],
)  # fmt: skip
def test_a_checkpoint_without_a_part_of_the_state_cannot_be_resumed(first, tmp_path, missing, found):
    checkpoint = {key: value for key, value in saved(first[1].parent).items() if key not in missing}
    torch.save(checkpoint, tmp_path / "best_AP_epoch_1.pth")
    with pytest.raises(CheckpointError) as told:
        start(tmp_path, Toy(), tmp_path / "best_AP_epoch_1.pth", required=1.0, resumes=True)
    assert str(told.value) == (
        f"--resume {tmp_path}/best_AP_epoch_1.pth: found {found}, expected a checkpoint with the state of training. "
        "Take another (--resume without a value finds the newest that has it), or start from these weights: "
        "--cfg-options load_from=..."
    )


def test_schedules_that_begin_anew_are_told(first, tmp_path):
    schedule = {"type": "LinearLR", "start_factor": 0.1}
    log = start(tmp_path, Toy(), first[1], required=1.0, resumes=True, schedule=schedule)
    assert any("no state of the schedules (param_scheduler) in it, so they begin anew" in line for line in log.lines)
    later = start(tmp_path, Toy(), tmp_path / "epoch_2.pth", required=1.0, resumes=True, schedule=schedule)
    assert not any("state of the schedules" in line for line in later.lines)


@pytest.mark.parametrize("required", [0.5, 1.0])
def test_the_same_keys_of_another_network_are_told(first, tmp_path, required):
    donor, _ = first
    meta = describe_network(SPEC.with_choices(upsample_mode="bilinear", align_corners=True))
    torch.save({"state_dict": donor.state_dict(), "meta": meta}, tmp_path / "a.pth")
    log = start(tmp_path, donor, tmp_path / "a.pth", required=required)
    (line,) = log.report[1:]
    assert "upsample_mode='bilinear', align_corners=True, this one has upsample_mode='nearest'" in line


@pytest.mark.parametrize("kind", ["another width", "half its keys"])
def test_too_little_is_no_start(first, tmp_path, kind):
    weights = Toy(spec=HRNetSpec.of_width(6, num_modules=(1, 1, 1), num_blocks=1, stage1_width=6)).backbone.state_dict()
    if kind == "half its keys":
        weights = dict(list(first[0].state_dict().items())[: len(first[0].state_dict()) // 2 - 3])
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: found \d+ of \d+ keys .* It holds an HRNet of widths"):
        start(tmp_path, Toy(), tmp_path / "a.pth")
