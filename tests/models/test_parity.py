"""With the same weights our outputs equal the frameworks' to the last bit, and weights load both ways.

The networks compared with are those of the installed mmpose, mmseg, mmdet, mmpretrain and timm, not stored numbers:
every preset of the zoo with each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import nn

from hrnet_plugin import HRNet
from hrnet_plugin.archs import ZOO
from hrnet_plugin.nets import ClassificationFusion

#: Image sizes (height, width) in evaluation mode, and the one in training mode. mmseg alone runs odd ones.
EVEN, ODD = ([(64, 96)], (64, 96)), ([(65, 97), (33, 33)], (64, 96))
#: Upsampling of each framework, and the sizes that it can run.
FRAMEWORKS = {
    "mmpose": ("nearest", EVEN),
    "mmseg": ("bilinear", ODD),
    "mmdet": ("nearest", EVEN),
    "mmpretrain": ("nearest", EVEN),
}
TIMM = {
    "w18_small_v1": ("hrnet_w18_small",),
    "w18_small_v2": ("hrnet_w18_small_v2",),
    "w18": ("hrnet_w18", "hrnet_w18_ssld"),
    "w48": ("hrnet_w48", "hrnet_w48_ssld"),
    **{arch: (f"hrnet_{arch}",) for arch in ("w30", "w32", "w40", "w44", "w64")},
}


class Ours:
    """Our network of one preset: what it gives is worked out once for all frameworks that upsample as it does."""

    def __init__(self, arch: str, with_values: Callable, values_of: Callable):
        self.arch = arch
        self._with_values = with_values
        with torch.device("meta"):
            net = HRNet(arch)
        self.values = values_of(net)
        self._known: dict = {}

    def run(self, mode: str, size: tuple[int, int], training: bool) -> tuple[tuple, Mapping]:
        """Outputs for the image of `size`, and the network's state afterwards."""
        key = (mode, size, training)
        if key not in self._known:
            net = self._with_values(lambda: HRNet(self.arch, upsample_mode=mode), self.values)
            with torch.no_grad():
                outputs = net.train(training)(make_image(size))
            self._known[key] = (outputs, net.state_dict())
        return self._known[key]


def make_image(size: tuple[int, int]) -> torch.Tensor:
    """Two images of a size (height, width)."""
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module", params=ZOO)
def ours(request, with_values, values_of) -> Ours:
    """Every preset in turn."""
    return Ours(request.param, with_values, values_of)


def largest_difference(ours, theirs) -> float:
    """Over all outputs; the number of outputs must agree, and they must hold more than one value."""
    assert len(ours) == len(theirs)
    assert all(out.isfinite().all() and out.unique().numel() > 10 for out in theirs)
    return max((one - other).abs().max().item() for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_outputs_are_equal_to_the_last_bit(ours, framework, upstream, with_values):
    mode, (eval_sizes, train_size) = FRAMEWORKS[framework]
    theirs = with_values(lambda: upstream(framework, ours.arch), ours.values)  # loads with strict=True
    assert list(theirs.state_dict()) == list(ours.values)
    for size, training in [(size, False) for size in eval_sizes] + [(train_size, True)]:
        outputs, state = ours.run(mode, size, training)
        theirs.train(training)
        with torch.no_grad():
            assert largest_difference(outputs, theirs(make_image(size))) == 0.0
        for name, value in theirs.state_dict().items():
            assert torch.equal(state[name], value), name


def test_every_hrnet_of_timm_is_compared():
    import timm

    assert sorted(name for names in TIMM.values() for name in names) == sorted(timm.list_models("hrnet*"))


def rename_to_timm(values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The keys of our classifier as timm and the authors write them."""
    names = {
        "neck.increase_layers": "incre_modules", "neck.downsample_layers": "downsamp_modules",
        "neck.final_layer": "final_layer", ".conv.": ".0.", ".bn.": ".1.", "fc.": "classifier.", "backbone.": "",
    }  # fmt: skip
    renamed = {}
    for name, value in values.items():
        for old, new in names.items():
            name = name.replace(old, new)
        renamed[name] = value
    return renamed


class Classifier(nn.Module):
    """Backbone, neck and a linear layer: the whole classification network."""

    def __init__(self, arch: str, conv_bias: bool):
        super().__init__()
        self.backbone = HRNet(arch)
        self.neck = ClassificationFusion(self.backbone.out_channels, conv_bias=conv_bias)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2048, 1000)

    def forward(self, image):
        """Scales and logits, one after the other."""
        scales = self.backbone(image)
        return (*scales, self.fc(self.pool(self.neck(scales)[0]).flatten(1)))


@pytest.mark.parametrize(("arch", "name"), [(arch, name) for arch, names in TIMM.items() for name in names])
def test_whole_classifier_equals_timms(arch, name, with_values):
    import timm

    net = with_values(lambda: Classifier(arch, conv_bias="ssld" not in name))
    theirs = with_values(lambda: timm.create_model(name), rename_to_timm(net.state_dict()))
    scales = []
    theirs.stage4.register_forward_hook(lambda module, args, output: scales.extend(output))
    image = make_image((64, 64))
    for training in (False, True):
        scales.clear()
        net.train(training)
        theirs.train(training)
        with torch.no_grad():
            logits = theirs(image)
            assert largest_difference(net(image), (*scales, logits)) == 0.0
    state = theirs.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in rename_to_timm(net.state_dict()).items())


@pytest.mark.parametrize("arch", ["w18", "w30", "w32", "w40", "w44", "w48", "w64"])
def test_presets_of_mmpretrain_are_ours(arch):
    from mmpretrain.models.backbones import HRNet as Theirs

    with torch.device("meta"):
        shapes = [
            {name: value.shape for name, value in net.state_dict().items()} for net in (HRNet(arch), Theirs(arch))
        ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("framework", ["mmpose", "mmseg"])
def test_gradients_are_equal_to_the_last_bit(upstream, with_values, framework):
    theirs = with_values(lambda: upstream(framework, "w18_small_v2"))
    ours = HRNet("w18_small_v2", upsample_mode=FRAMEWORKS[framework][0])
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 64, 64)
    for net in (theirs, ours):
        sum(out.square().mean() for out in net(image)).backward()
    theirs_by_name = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert torch.equal(parameter.grad, theirs_by_name[name].grad), name


def test_single_scale_equals_mmposes_default(upstream, with_values):
    theirs = with_values(lambda: upstream("mmpose", "w18", multiscale_output=False))
    ours = HRNet("w18", multiscale_output=False).eval()
    theirs.eval()  # returns nothing
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert largest_difference(ours(image), theirs(image)) == 0.0


@pytest.mark.parametrize("norm", [{"type": "GN", "num_groups": 2}, {"type": "SyncBN"}], ids=["gn", "syncbn"])
def test_other_norms_have_the_same_keys_and_outputs(upstream, with_values, norm):
    theirs = with_values(lambda: upstream("mmpose", "w18_small_v2", norm_cfg=dict(norm)))
    ours = HRNet("w18_small_v2", norm_cfg=norm).eval()
    theirs.eval()  # returns nothing
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert largest_difference(ours(image), theirs(image)) == 0.0
