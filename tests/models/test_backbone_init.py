"""Pretrained weights go into a backbone by a plan, and the log says in a few lines what became of them."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModule

from hrnet_plugin import HRNet, LiteHRNet
from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.errors import CheckpointError, ConfigError

SPEC = HRNetSpec.of_width(4, num_modules=(1, 1, 1), num_blocks=1, stage1_width=4, multiscale_output=False)
NUMBER = itertools.count()


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record)

    @property
    def reports(self) -> list[logging.LogRecord]:
        """The reports among the records."""
        return [record for record in self.kept if record.getMessage().startswith("weights of ")]


@pytest.fixture
def log() -> Iterator[Records]:
    """What mmengine's current logger is told, without what it would write of each parameter's initialisation."""
    logger = MMLogger.get_instance(f"backbone-init-{next(NUMBER)}", log_level="INFO")
    records = Records()
    logger.addHandler(records)
    yield records
    logger.removeHandler(records)


@pytest.fixture(scope="module")
def source() -> HRNet:
    """A network whose weights are to be taken."""
    torch.manual_seed(5)
    return HRNet(SPEC)


@pytest.fixture
def file(tmp_path: Path, source: HRNet) -> Path:
    """Its weights, of a whole model with a head."""
    weights = {f"backbone.{key}": value for key, value in source.state_dict().items()}
    torch.save({"state_dict": weights | {"head.fc.weight": torch.ones(3, 4)}, "meta": {}}, tmp_path / "a.pth")
    return tmp_path / "a.pth"


def pretrained(path: Path, **more: object) -> dict:
    """An entry of init_cfg."""
    return {"type": "Pretrained", "checkpoint": str(path), **more}


class Model(BaseModule):
    """A parent, as in every framework: initialising it writes no line of its own for the backbone's parameters."""

    def __init__(self, backbone: BaseModule):
        super().__init__()
        self.backbone = backbone

    def _dump_init_info(self) -> None:
        self.told = {
            name: self._params_init_info[parameter]["init_info"] for name, parameter in self.named_parameters()
        }


def same(net: HRNet, source: HRNet) -> bool:
    """Whether both have the same numbers."""
    return all(torch.equal(value, source.state_dict()[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("prefix", [None, "backbone", "backbone."])
def test_weights_are_loaded_and_told_in_a_line(file, source, log, prefix):
    net = HRNet(SPEC, init_cfg=pretrained(file, prefix=prefix))
    model = Model(net)
    model.init_weights()
    assert same(net, source)
    (record,) = log.reports
    assert record.levelno == logging.INFO
    lines = record.getMessage().splitlines()
    assert lines[0].startswith(f"weights of {file}: 100.0 % of ")
    assert len(lines) == (2 if prefix is None else 1)  # the head, which a prefix leaves out
    assert all(info == f"Pretrained: loaded from {file}" for name, info in model.told.items() if "conv" in name)
    assert not any("do not match exactly" in kept.getMessage() for kept in log.kept)


def test_weights_come_last_and_only_once(file, source, log):
    normal = {"type": "Normal", "std": 9.0, "layer": "Conv2d"}
    net = HRNet(SPEC, init_cfg=[pretrained(file), normal], zero_init_residual=True)
    Model(net).init_weights()
    assert same(net, source)
    assert net.init_cfg == [pretrained(file), normal]
    with torch.no_grad():
        net.conv1.weight.zero_()
    net.init_weights()  # mmengine warns, and does nothing
    assert not net.conv1.weight.any()
    assert len(log.reports) == 1


def test_what_is_missing_keeps_the_other_initialisation(file, source, log):
    weights = torch.load(file, weights_only=True)
    del weights["state_dict"]["backbone.conv2.weight"]
    torch.save(weights, file)
    net = HRNet(SPEC, init_cfg=[{"type": "Constant", "val": 7, "layer": "Conv2d"}, pretrained(file)])
    Model(net).init_weights()
    assert torch.equal(net.conv2.weight, torch.full_like(net.conv2.weight, 7))
    assert torch.equal(net.conv1.weight, source.conv1.weight)
    (record,) = log.reports
    assert record.levelno == logging.WARNING
    assert "missing, left as initialised: 1 key: conv2" in record.getMessage()


@pytest.mark.parametrize("kind", [HRNet, LiteHRNet])
def test_a_thermal_camera_has_one_channel(kind, tmp_path, log):
    arch = SPEC if kind is HRNet else "litehrnet_naive"
    donor = kind(arch)
    torch.save(donor.state_dict(), tmp_path / "rgb.pth")
    net = kind(arch, in_channels=1, pretrained=str(tmp_path / "rgb.pth"))
    Model(net).init_weights()
    key = "conv1.weight" if kind is HRNet else "stem.conv1.conv.weight"
    assert torch.equal(net.state_dict()[key], donor.state_dict()[key].sum(1, keepdim=True))
    assert f"adapted: {key} from 3 to 1 channels" in log.reports[0].getMessage()


def test_the_same_keys_of_another_network_are_told(source, tmp_path, log):
    described = describe_network(SPEC.with_choices(upsample_mode="bilinear"))
    torch.save({"state_dict": source.state_dict(), "meta": described}, tmp_path / "a.pth")
    Model(HRNet(SPEC, pretrained=str(tmp_path / "a.pth"))).init_weights()
    (record,) = log.reports
    assert record.levelno == logging.WARNING
    assert "upsample_mode='bilinear', this one has upsample_mode='nearest'" in record.getMessage()


def test_weights_of_another_network_are_refused(tmp_path):
    other = HRNet(HRNetSpec.of_width(6, num_modules=(1, 1, 1), num_blocks=1, stage1_width=6))
    torch.save(other.state_dict(), tmp_path / "a.pth")
    net = HRNet(SPEC, pretrained=str(tmp_path / "a.pth"))
    with pytest.raises(CheckpointError, match=r"pretrained weights .*a.pth: found \d+ of \d+ keys .*widths 6, 12, 24"):
        Model(net).init_weights()


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"prefix": "neck."}, CheckpointError, "below the prefix 'neck.', expected one of its parts: backbone, head"),
        ({"prefx": "backbone."}, ConfigError, "Pretrained.prefx: found an unknown key. Did you mean 'prefix'"),
    ],
)  # fmt: skip
def test_wrong_entries(file, more, error, words):
    with pytest.raises(error, match=words.replace(".", r"\.")):
        Model(HRNet(SPEC, init_cfg=pretrained(file, **more))).init_weights()


def test_absent_files_are_refused():
    with pytest.raises(CheckpointError, match=r"checkpoint absent\.pth: found no such file"):
        Model(HRNet(SPEC, pretrained="absent.pth")).init_weights()
