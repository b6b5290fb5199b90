"""Folded networks against what they were folded from, with norms far from their neutral start."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.config import Config
from torch import Tensor, nn

from hrnet_plugin import nets
from hrnet_plugin.archs import BranchSpec
from hrnet_plugin.archs.spec import Fusion
from hrnet_plugin.archs.zoo import LITE_ZOO, ZOO
from hrnet_plugin.deploy.reparameterizing import reparameterize, unfolded_norms
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.nets import HighResolutionModule
from hrnet_plugin.nets.deconv import build_deconv_stage
from hrnet_plugin.published.index import find_model, read_index
from hrnet_plugin.zoo.forward import build_model, model_config

NORMS = nn.modules.batchnorm._BatchNorm
FAST_ARCHS = ("w18_small_v1", "w18_small_v2", "litehrnet_18", "litehrnet_naive")
#: One a kind of network: what it is called in the index, and norms that are folded in it.
MODELS = {
    "td-hm_litehrnet-18_8xb64-210e_coco-256x192": 200,
    "fcn_hr18s_4xb2-40k_cityscapes-512x1024": 140,
    "ocrnet_hr18s_4xb2-40k_cityscapes-512x1024": 150,
    "fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco": 300,
}
SLOW_MODELS = {
    "td-hm_hrnet-w32_8xb64-210e_coco-256x192": 290,
    "ae_hrnet-w32_8xb24-300e_coco-512x512": 290,
    "ae_higherhrnet-w32_8xb24-300e_coco-512x512": 290,
    "cid_hrnet-w32_8xb20-140e_coco-512x512": 290,
    "hrnet-w18_3rdparty_8xb32_in1k": 300,
    "faster-rcnn_hrnetv2p-w18-1x_coco": 300,
}


def far_from_neutral(model: nn.Module) -> nn.Module:
    """The model in evaluation mode, each norm with statistics, weights and biases of its own."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, (NORMS, nn.GroupNorm)):
            for name, tensor in module.state_dict().items():
                if tensor.is_floating_point():
                    lowest = 0.5 if name in ("weight", "running_var") else -0.5
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) + lowest)
    # mmengine's backbones return nothing from eval().
    model.eval()
    return model


def count_norms(model: nn.Module) -> int:
    return sum(isinstance(module, NORMS) for module in model.modules())


def tensors(outputs: Tensor | Sequence) -> list[Tensor]:
    """Every tensor of a nested output."""
    if isinstance(outputs, Tensor):
        return [outputs]
    return [tensor for output in outputs for tensor in tensors(output)]


def largest_difference(ours: Sequence, theirs: Sequence) -> float:
    """Over all tensors, as a share of the largest value in any."""
    pairs = list(zip(tensors(ours), tensors(theirs), strict=True))
    expected = torch.cat([other.flatten() for _, other in pairs])
    assert len(expected.unique()) > 20
    return float(max((one - other).abs().max() for one, other in pairs) / expected.abs().max())


@torch.no_grad()
def check(model: nn.Module, image: Tensor, run=lambda model, image: model(image)) -> nn.Module:
    """Folds `model` in both precisions, demands equality, and gives the folded one of float32."""
    before = copy.deepcopy(model.state_dict())
    folded = reparameterize(model)
    assert largest_difference(run(folded, image), run(model, image)) < 1e-5
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(parameter.requires_grad for parameter in folded.parameters())
    exact = copy.deepcopy(model).double()
    assert largest_difference(run(reparameterize(exact), image.double()), run(exact, image.double())) < 1e-10
    return folded


@pytest.mark.parametrize(
    "name", [name if name in FAST_ARCHS else pytest.param(name, marks=pytest.mark.slow) for name in (*ZOO, *LITE_ZOO)]
)
def test_every_preset_computes_the_same(name):
    torch.manual_seed(0)
    network = nets.HRNet(ZOO[name]) if name in ZOO else nets.LiteHRNet(LITE_ZOO[name])
    network = far_from_neutral(network)
    folded = check(network, torch.randn(1, 3, 128, 96))
    assert count_norms(network) > 70
    assert count_norms(folded) == 0
    assert unfolded_norms(network) == {}


def run_model(model: nn.Module, image: Tensor) -> list[Tensor]:
    """What the heads make of an image; of two-stage detectors the proposals' maps, where operators end."""
    if hasattr(model, "roi_head"):
        return tensors(model.rpn_head(model.extract_feat(image)))
    return tensors(model(image, None, mode="tensor"))


@pytest.mark.parametrize(
    ("name", "norms"),
    [*MODELS.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in SLOW_MODELS.items())],
)
def test_whole_models_compute_the_same(name, norms):
    torch.manual_seed(0)
    cfg = Config.fromfile(str(find_model(name).config))
    model = far_from_neutral(build_model(model_config(cfg), cfg.default_scope))
    folded = check(model, torch.randn(1, 3, 128, 128), run_model)
    assert count_norms(model) > norms
    assert count_norms(folded) == 0


@pytest.mark.slow
def test_of_the_whole_index_only_deformable_convolutions_keep_their_norms():
    left = set()
    for model in {(model.tasks, model.name.split("-8xb")[0]): model for model in read_index()}.values():
        cfg = Config.fromfile(str(model.config))
        built = build_model(model_config(cfg), cfg.default_scope)
        found = unfolded_norms(built)
        assert count_norms(reparameterize(far_from_neutral(built))) == len(found)
        left |= {(type(built.head).__name__, reason) for reason in found.values()}
    assert left == {("DEKRHead", "fed by DeformConv2d, which is no convolution")}


def test_the_frameworks_own_network_is_folded_too():
    torch.manual_seed(0)
    stage = {"num_modules": 1, "block": "BASIC"}
    extra = {
        "stage1": {**stage, "num_branches": 1, "block": "BOTTLENECK", "num_blocks": (1,), "num_channels": (8,)},
        "stage2": {**stage, "num_branches": 2, "num_blocks": (1, 1), "num_channels": (8, 16)},
        "stage3": {**stage, "num_branches": 3, "num_blocks": (1, 1, 1), "num_channels": (8, 16, 32)},
        "stage4": {**stage, "num_branches": 4, "num_blocks": (1,) * 4, "num_channels": (8, 16, 32, 64)},
    }
    from mmpose.models.backbones import HRNet  # importable once hrnet_plugin is

    network = far_from_neutral(HRNet(extra))
    assert count_norms(network) == 40
    assert count_norms(check(network, torch.randn(1, 3, 64, 64))) == 0


@pytest.mark.parametrize("fusion", [Fusion("concat"), Fusion("mean"), Fusion(upsample_mode="bilinear")], ids=repr)
def test_every_way_to_fuse(fusion):
    torch.manual_seed(0)
    widths = (4, 8, 16)
    branches = [BranchSpec("BOTTLENECK" if width == 8 else "BASIC", 1, width // 4 or 1) for width in (16, 8, 64)]
    channels = [branch.out_channels for branch in branches]
    module = far_from_neutral(HighResolutionModule(branches, widths, fusion, with_cp=True))
    sizes = ((17, 13), (9, 7), (5, 4))
    scales = [torch.randn(2, width, *size) for width, size in zip(widths, sizes, strict=True)]
    with torch.no_grad():
        folded = reparameterize(module)
        assert largest_difference(folded(scales), module(scales)) < 1e-5
    assert [out.shape[1] for out in folded(scales)] == channels
    assert count_norms(folded) == 0


@pytest.mark.parametrize("with_cp", [True, "nested"])
def test_a_network_that_recomputes_is_folded_as_a_whole(with_cp):
    network = far_from_neutral(nets.HRNet(ZOO["w18_small_v1"], with_cp=with_cp))
    folded = check(network, torch.randn(1, 3, 64, 64))
    assert count_norms(folded) == 0
    assert not folded.with_cp


LAYERS = {
    "grouped": (nn.Conv2d(4, 8, 3, groups=2), nn.BatchNorm2d(8)),
    "depthwise, with bias": (nn.Conv2d(4, 4, 3, groups=4), nn.SyncBatchNorm(4)),
    "transposed": (nn.ConvTranspose2d(4, 6, 4, stride=2), nn.BatchNorm2d(6)),
    "transposed, grouped": (nn.ConvTranspose2d(4, 6, 4, stride=2, groups=2, bias=False), nn.BatchNorm2d(6)),
    "plain norm": (nn.Conv2d(4, 8, 3, padding_mode="reflect", padding=1), nn.BatchNorm2d(8, affine=False)),
    "dropout in between": (nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8), nn.Dropout2d(), nn.Identity(), nn.ReLU()),
    "deconvolution stage": tuple(build_deconv_stage(4, 4, 1)),
    "mmcv": (ConvModule(4, 8, 3, norm_cfg={"type": "BN"}), ConvModule(8, 4, 1, norm_cfg={"type": "SyncBN"})),
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_every_kind_of_layer(layers):
    torch.manual_seed(0)
    folded = check(far_from_neutral(nn.Sequential(*layers)), torch.randn(2, 4, 9, 9))
    assert count_norms(folded) == 0
    assert not any(isinstance(module, (nn.Identity, nn.Dropout2d)) for module in nn.Sequential(*folded))


def test_a_linear_layer():
    folded = check(far_from_neutral(nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7))), torch.randn(8, 5))
    assert [type(layer) for layer in folded] == [nn.Linear]


class Standardised(nn.Conv2d):
    """Changes its weights before it uses them."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight - self.weight.mean(), self.bias)


class Twice(nn.Module):
    """The norm is not alone in reading the convolution."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x + self.bn(x)


class ByValue(Twice):
    """Which way it goes depends on the image."""

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)) if x.mean() > 0 else self.conv(x)


SHARED, TIED, HOOKED = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
TIED.weight = SHARED.weight
HOOKED.register_forward_hook(lambda module, args, output: output + 1)
LEFT = {
    "norm first": (nn.Sequential(nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1)), "not fed by a convolution"),
    "mmcv, norm first": (
        ConvModule(4, 4, 1, norm_cfg={"type": "BN"}, order=("norm", "conv", "act")), "not fed by a convolution",
    ),
    "between": (nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(), nn.BatchNorm2d(4)), "fed by ReLU"),
    "read twice": (Twice(), "its convolution is used elsewhere too"),
    "by value": (ByValue(), "the forward of ByValue cannot be read"),
    "shared convolution": (
        nn.Sequential(nn.Sequential(SHARED, nn.BatchNorm2d(4)), nn.Sequential(SHARED, nn.BatchNorm2d(4))),
        "shared with another module",
    ),
    "tied weights": (nn.Sequential(TIED, nn.BatchNorm2d(4), SHARED), "shared with another module"),
    "standardised": (nn.Sequential(Standardised(4, 4, 1), nn.BatchNorm2d(4)), "weights may be changed before use"),
    "spectral": (
        nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Conv2d(4, 4, 1)), nn.BatchNorm2d(4)),
        "weights may be changed before use",
    ),
    "hooked": (nn.Sequential(HOOKED, nn.BatchNorm2d(4)), "has hooks"),
    "no statistics": (
        nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)), "keeps no statistics",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("model", "reason"), LEFT.values(), ids=LEFT)
def test_a_norm_that_no_convolution_can_take_up_stays(model, reason):
    model = far_from_neutral(model)
    image = torch.randn(2, 4, 6, 6)
    folded = reparameterize(model)
    assert count_norms(folded) == count_norms(model) > 0
    assert len(unfolded_norms(model)) == count_norms(model)
    assert all(reason in found for found in unfolded_norms(folded).values())
    with torch.no_grad():
        assert largest_difference(folded(image), model(image)) < 1e-6


def test_a_block_that_is_used_twice_is_folded_once():
    block = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
    folded = check(far_from_neutral(nn.Sequential(block, block)), torch.randn(1, 4, 5, 5))
    assert folded[0] is folded[1]
    assert count_norms(folded) == 0


def test_group_norms_stay():
    folded = reparameterize(far_from_neutral(nn.Sequential(nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4))))
    assert [type(layer) for layer in folded] == [nn.Conv2d, nn.GroupNorm]
    assert unfolded_norms(folded) == {}


def test_a_network_in_training_mode_is_refused():
    line = "network HRNet: found training mode, expected evaluation mode, in which batch norms are fixed. "
    network = nets.HRNet(ZOO["w18_small_v1"])
    with pytest.raises(ConfigError, match=re.escape(line + "Call model.eval() first") + "$"):
        reparameterize(network)
    assert network.training
