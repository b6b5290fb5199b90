"""Planted faults are found and named; a sound network has no findings and is left as it was."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin import HRNet
from hrnet_plugin.findings import ERROR, NOTE
from hrnet_plugin.inspection.health import views
from hrnet_plugin.inspection.health.activity import examine_activity
from hrnet_plugin.inspection.health.examine import HealthReport, examine

CHANNELS = (16, 32, 64, 128)


class Pose(nn.Module):
    """A small HRNet with a head that sees all branches."""

    def __init__(self):
        super().__init__()
        self.backbone = HRNet("w18_small_v1")
        self.head = nn.ModuleList(nn.Conv2d(channels, 4, 1) for channels in CHANNELS)

    def forward(self, images: Tensor) -> Tensor:
        features = self.backbone(images)
        size = features[0].shape[2:]
        maps = [nn.functional.interpolate(head(x), size) for head, x in zip(self.head, features, strict=True)]
        return sum(maps)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def sound(images: Tensor) -> Pose:
    """A network whose norms know the statistics of these very images."""
    torch.manual_seed(0)
    network = Pose()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the mean of all batches
    with torch.no_grad():
        network.train()(images)
    return network.eval()


def examined(network: nn.Module, images: Tensor) -> HealthReport:
    target = torch.ones(4, 4, 16, 16)
    return examine(network, lambda: network(images), lambda: (network(images) - target).square().mean())


def found(report: HealthReport) -> set[str]:
    return {finding.check for finding in report.findings}


def test_a_sound_network_has_no_findings_and_stays_as_it_was(sound: Pose, images: Tensor):
    before = copy.deepcopy(sound.state_dict())
    report = examined(sound, images)
    assert report.findings == []
    assert all(torch.equal(value, before[name]) for name, value in sound.state_dict().items())
    assert all(parameter.grad is None for parameter in sound.parameters())
    assert not any(module.training or module._forward_hooks for module in sound.modules())
    assert report.loss == pytest.approx(report.loss_in_evaluation, rel=0.2)


def norm_of(network: Pose, name: str) -> nn.BatchNorm2d:
    return network.backbone.get_submodule(name)


def _nan_statistics(network: Pose) -> None:
    norm_of(network, "stage3.0.branches.1.0.bn1").running_mean[3] = math.nan


def _constant_channels(network: Pose) -> None:
    norm_of(network, "stage2.0.branches.1.0.bn1").running_var[:20] = 0


def _silent_channels(network: Pose) -> None:
    norm = norm_of(network, "stage4.0.branches.2.1.bn1")
    norm.weight.data[:32] = norm.bias.data[:32] = 0


def _exploded(network: Pose) -> None:
    norm_of(network, "stage4.0.branches.3.0.bn1").running_var[5] = 1e9


def _untouched(network: Pose) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()


def _nan_weight(network: Pose) -> None:
    network.head[1].weight.data[0, 0] = math.nan


def _idle_residual(network: Pose) -> None:
    norm_of(network, "stage4.0.branches.1.1.bn2").weight.data.zero_()


def _idle_fusion(network: Pose) -> None:
    norm_of(network, "stage4.0.fuse_layers.0.3.1").weight.data.zero_()


def _dead_relu(network: Pose) -> None:
    norm_of(network, "stage3.0.branches.0.0.bn1").bias.data.fill_(-100)


def _half_dead_relu(network: Pose) -> None:
    norm_of(network, "stage3.0.branches.0.0.bn1").bias.data[:8] = -100


def _frozen_head(network: Pose) -> None:
    network.head[3].weight.data.zero_()
    network.head[3].weight.requires_grad = False


def _vanished(network: Pose) -> None:
    stem = (network.backbone.conv1, network.backbone.bn1, network.backbone.conv2, network.backbone.bn2)
    for parameter in (value for module in stem for value in module.parameters()):
        parameter.register_hook(lambda gradient: gradient * 1e-7)


def _far_apart(network: Pose) -> None:
    for module in network.backbone.stage4.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.mul_(1e-3)


def _exploded_gradient(network: Pose) -> None:
    for head in network.head:
        head.weight.data.mul_(1e4)


FAULTS: list[tuple[Callable[[Pose], None], str, str, str]] = [
    (_nan_statistics, "norm-not-finite", ERROR, "backbone.stage3.0.branches.1.0.bn1"),
    (_constant_channels, "norm-constant", NOTE, "backbone.stage2.0.branches.1.0.bn1"),
    (_silent_channels, "norm-silent", NOTE, "backbone.stage4.0.branches.2.1.bn1"),
    (_exploded, "norm-exploded", NOTE, "backbone.stage4.0.branches.3.0.bn1"),
    (_untouched, "norm-untouched", NOTE, "batch norms"),
    (_nan_weight, "weights-not-finite", ERROR, "head.1.weight"),
    (_idle_residual, "residual-nothing", NOTE, "backbone.stage4.0.branches.1.1"),
    (_idle_fusion, "fusion-nothing", NOTE, "backbone.stage4.0.fuse_layers.0.3"),
    (_dead_relu, "relu-dead", ERROR, "backbone.stage3.0.branches.0.0.relu (call 1)"),
    (_half_dead_relu, "relu-dead", NOTE, "backbone.stage3.0.branches.0.0.relu (call 1)"),
    (_frozen_head, "gradient-zero", NOTE, "backbone.stage4.0.fuse_layers.3"),
    (_vanished, "gradient-vanished", NOTE, "stem"),
    (_far_apart, "loss-modes-apart", NOTE, "loss of the same batch"),
    (_exploded_gradient, "gradient-exploded", NOTE, "gradient of the whole network"),
]


@pytest.mark.parametrize(("plant", "check", "level", "where"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_fault_is_found_and_named(sound: Pose, images: Tensor, plant, check, level, where):
    network = copy.deepcopy(sound)
    plant(network)
    report = examined(network, images)
    named = {finding.check: finding for finding in report.findings}
    assert check in named, found(report)
    assert named[check].level == level
    assert named[check].where.startswith(where)
    assert named[check].do, "says what usually causes it"
    levels = [finding.level for finding in report.findings]
    assert levels == sorted(levels), "errors first"


def test_an_unused_branch_has_no_gradient(images: Tensor):
    torch.manual_seed(0)
    network = HRNet("w18_small_v1")
    report = examine(network, lambda: network(images), lambda: network(images)[0].square().mean())
    unused = next(finding for finding in report.findings if finding.check == "gradient-none")
    assert unused.where.startswith("stage4.0.fuse_layers.1")
    assert unused.count > 10


def test_hooks_come_off_after_an_error(sound: Pose):
    with pytest.raises(RuntimeError, match="channels"):
        examine_activity(sound, lambda: sound(torch.randn(1, 5, 64, 64)))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in sound.modules())


def test_activity_by_hand():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(2, 2, 1, bias=False), nn.Conv2d(2, 2, 1, bias=False)
            self.bn2, self.relu, self.downsample = nn.BatchNorm2d(2), nn.ReLU(), None
            nn.init.constant_(self.conv1.weight, 1.0)
            nn.init.constant_(self.conv2.weight, 0.5)

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(self.bn2(self.conv2(self.conv1(x))) + x)

    block = Block().eval()
    image = torch.tensor([[[[3.0, 4.0]], [[-5.0, -12.0]]]])
    activity = examine_activity(nn.Sequential(block), lambda: block(image))
    (residual,) = activity.residuals
    assert residual.beside == pytest.approx(math.sqrt((9 + 16 + 25 + 144) / 4))
    # conv1 sums the channels, conv2 the two equal sums, halved: -2 and -8 in both channels.
    assert residual.strength == pytest.approx(math.sqrt((4 + 64) / 2), rel=1e-4)
    (relu,) = activity.relus
    assert (relu.channels, relu.dead, relu.zeros) == (2, 1, pytest.approx(0.75))


def test_views(sound: Pose, images: Tensor):
    report = examined(sound, images)
    rows = list(views.table_rows(report))
    assert {len(row) for row in rows} == {len(views.HEAD)}
    assert rows[-1][0] == "head"
    plain = json.loads(json.dumps(views.to_plain(report)))
    assert len(plain["residuals"]) == sum(hasattr(module, "downsample") for module in sound.modules())
    assert len(plain["norms"]) == sum(isinstance(module, nn.BatchNorm2d) for module in sound.modules())
    total = math.sqrt(sum(part["weight_norm"] ** 2 for name, part in plain["parts"].items() if name[0] != " "))
    assert total == pytest.approx(math.sqrt(sum(float(value.square().sum()) for value in sound.parameters())))
    html = views.build_page(report, {"config": "x"}).html().decode()
    assert "No findings." in html
    assert "Fuse paths, the weakest" in html
