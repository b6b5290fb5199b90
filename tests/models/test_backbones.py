"""The registered backbone: found from every framework, its whole surface reaches every layer."""

from __future__ import annotations

import copy
import os
import subprocess
import sys

import pytest
import torch
from mmengine.registry import DefaultScope
from torch import nn

import hrnet_plugin
from hrnet_plugin import HRNet
from hrnet_plugin.archs import ZOO, HRNetSpec
from hrnet_plugin.errors import ConfigError, SpecError

SMALL = {"type": "hrnet_plugin.HRNet", "arch": "w18_small_v1"}


def registry(framework: str):
    """The model registry of a framework."""
    module = __import__(f"{framework}.registry", fromlist=["MODELS"])
    return module.MODELS


@pytest.mark.parametrize("framework", ["mmengine", "mmpose", "mmseg", "mmdet", "mmpretrain"])
def test_every_frameworks_registry_finds_it_by_name(framework):
    net = registry(framework).build(dict(SMALL))
    assert type(net) is HRNet
    assert net.spec == ZOO["w18_small_v1"]


ALONE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

only = sys.argv[1]
needed = {only, "mmdet"} if only == "mmpose" else {only}  # mmpose's own heads import mmdet
hidden = {"mmpose", "mmseg", "mmdet", "mmpretrain", "timm"} - needed
sys.meta_path.insert(0, Hidden())
import hrnet_plugin
MODELS = __import__(f"{only}.registry", fromlist=["MODELS"]).MODELS
net = MODELS.build(dict(type="hrnet_plugin.HRNet", arch="w18_small_v1"))
assert isinstance(net, hrnet_plugin.HRNet)
assert not hidden & set(sys.modules)
if only != "mmengine":
    assert MODELS.get("HRNet").__module__.startswith(only)
print("built")
"""


@pytest.mark.parametrize("framework", ["mmengine", "mmpose", "mmseg", "mmdet", "mmpretrain"])
def test_only_the_framework_of_the_config_needs_to_be_installed(framework, project_root):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ALONE, framework],
        env={**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.endswith("built\n"), done.stderr[-2000:]


def test_the_frameworks_own_hrnet_is_untouched():
    from mmpose.registry import MODELS

    assert MODELS.get("HRNet").__module__.startswith("mmpose.")
    assert MODELS.get("hrnet_plugin.HRNet") is HRNet


def test_the_class_itself_is_a_type():
    assert type(registry("mmpose").build({"type": HRNet, "arch": "w18_small_v1"})) is HRNet


def test_the_type_alone_is_w32():
    assert HRNet().spec == ZOO["w32"]


def test_an_unknown_argument_is_not_swallowed():
    with pytest.raises(TypeError, match="arhc"):
        registry("mmpose").build({"type": "hrnet_plugin.HRNet", "arhc": "w32"})


@pytest.mark.parametrize(
    ("scope", "multiscale", "mode", "norm_eval"),
    [
        ("mmpose", False, "nearest", False),
        ("mmseg", True, "bilinear", False),
        ("mmdet", True, "nearest", True),
        ("mmpretrain", True, "nearest", False),
    ],
)
def test_extra_means_what_it_means_in_the_framework_of_the_config(extra_of, scope, multiscale, mode, norm_eval):
    with DefaultScope.overwrite_default_scope(scope):
        net = HRNet(extra=extra_of("w18_small_v1"))
        named = HRNet("w18_small_v1")
    assert (net.spec.multiscale_output, net.spec.upsample_mode, net.norm_eval) == (multiscale, mode, norm_eval)
    assert named.spec == ZOO["w18_small_v1"]  # a preset by name is the same everywhere


def test_an_argument_wins_over_extra_and_the_framework(extra_of):
    with DefaultScope.overwrite_default_scope("mmpose"):
        net = HRNet(extra=extra_of("w18_small_v1"), multiscale_output=True, upsample_mode="bilinear", norm_eval=True)
    assert net.spec == ZOO["w18_small_v1"].with_choices(upsample_mode="bilinear")
    assert net.norm_eval


def test_arguments_are_left_as_they_were(extra_of):
    config = {"extra": extra_of("w18_small_v1"), "norm_cfg": {"type": "BN", "requires_grad": False}}
    before = copy.deepcopy(config)
    HRNet(**config).init_weights()
    assert config == before


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"norm_cfg": {"type": "GN", "num_groups": 2}}, nn.GroupNorm),
        ({"norm_cfg": {"type": "SyncBN"}}, nn.SyncBatchNorm),
        ({"norm_cfg": {"type": "SyncBN", "_scope_": "mmseg"}}, nn.SyncBatchNorm),
    ],
)
def test_norm_cfg_reaches_every_norm_stem_and_stage_1_included(config, kind):
    net = HRNet("w18_small_v1", **config)
    plain = HRNet("w18_small_v1")
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._NormBase | nn.GroupNorm)]
    assert len(norms) == sum(isinstance(m, nn.BatchNorm2d) for m in plain.modules())
    assert all(isinstance(norm, kind) for norm in norms)
    assert any(isinstance(m, kind) for m in net.layer1.modules())


def test_requires_grad_of_norm_cfg_reaches_every_norm():
    net = HRNet("w18_small_v1", norm_cfg={"type": "BN", "requires_grad": False})
    assert {p.requires_grad for m in net.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()} == {False}


def test_conv_cfg_reaches_every_convolution():
    from mmengine.registry import MODELS

    class MarkedConv(nn.Conv2d):
        """A convolution that can be told apart."""

    MODELS.register_module(name="MarkedConv", module=MarkedConv, force=True)
    net = HRNet("w18_small_v1", conv_cfg={"type": "MarkedConv"}, fuse_method="concat")
    convs = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert len(convs) > 50
    assert all(type(conv) is MarkedConv for conv in convs)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"norm_cfg": {"type": "BNN"}}, "norm_cfg.type: found 'BNN', expected a registered layer"),
        ({"norm_cfg": {"type": "GN"}}, "norm_cfg.num_groups: found nothing"),
        ({"norm_cfg": "BN"}, "norm_cfg: found 'BN', expected a dict with a type"),
        ({"conv_cfg": {"type": "Konv"}}, "conv_cfg.type: found 'Konv', expected a registered layer"),
    ],
)
def test_a_layer_that_nobody_knows_is_refused_in_one_line(layers, message):
    with pytest.raises(ConfigError) as error:
        HRNet("w18_small_v1", **layers)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_in_channels_reaches_the_stem():
    assert HRNet("w18_small_v1", in_channels=5)(torch.rand(1, 5, 64, 64))[0].shape[1] == 16
    with pytest.raises(SpecError, match="in_channels: found 0"):
        HRNet(in_channels=0)


@pytest.mark.parametrize("method", ["SUM", "AVG", "CONCAT"])
def test_fuse_methods_of_the_original(method):
    net = HRNet("w18_small_v1", fuse_method=method)
    expected = {"SUM": "sum", "AVG": "mean", "CONCAT": "concat"}[method]
    fuses = [fuse for stage in (net.stage2, net.stage3, net.stage4) for module in stage for fuse in module.fuse_layers]
    assert len(fuses) == 2 + 3 + 4
    assert {fuse.method for fuse in fuses} == {expected}


def test_upsampling_reaches_every_fuse_layer():
    net = HRNet("w18_small_v1", upsample_mode="bilinear", align_corners=True)
    paths = [m for m in net.modules() if type(m).__name__ == "UpsamplePath"]
    assert len(paths) == 1 + 3 + 6
    assert {(path.mode, path.align_corners) for path in paths} == {("bilinear", True)}


def test_a_spec_is_an_arch_too():
    spec = HRNetSpec.of_width(12, num_modules=(1, 1, 1), num_blocks=1)
    assert HRNet(spec)(torch.rand(1, 3, 64, 64))[2].shape == (1, 48, 4, 4)


def test_mmseg_style_first_argument_is_extra(extra_of):
    assert HRNet(extra_of("w18")).spec == ZOO["w18"]


def test_both_descriptions_are_refused(extra_of):
    with pytest.raises(SpecError, match="found both arch and extra"):
        HRNet("w18", extra_of("w18"))


def test_both_ways_to_name_weights_are_refused():
    with pytest.raises(ConfigError, match="found both pretrained and init_cfg"):
        HRNet("w18_small_v1", pretrained="a.pth", init_cfg={"type": "Kaiming"})


def test_an_init_cfg_that_is_no_dict_is_refused_in_one_line():
    with pytest.raises(ConfigError, match=r"backbone\.init_cfg: found '\[', expected dicts with a type"):
        HRNet("w18_small_v1", init_cfg="[{'type': 'Kaiming'}]")


def test_default_initialisation_is_kaiming_with_norms_at_one():
    net = HRNet("w18_small_v1")
    net.init_weights()
    weight = net.stage4[0].branches[0][0].conv1.weight
    assert weight.std().item() == pytest.approx((2 / (16 * 9)) ** 0.5, rel=0.1)  # fan out, gain of a ReLU
    assert all((m.weight == 1).all() for m in net.modules() if isinstance(m, nn.BatchNorm2d))


def test_extra_in_mmpose_is_initialised_as_mmpose_does(extra_of):
    with DefaultScope.overwrite_default_scope("mmpose"):
        net = HRNet(extra=extra_of("w18_small_v1"))
    net.init_weights()
    assert net.conv2.weight.std().item() == pytest.approx(0.001, rel=0.1)


def test_zero_init_residual_lets_every_block_begin_as_an_identity():
    net = HRNet("w18_small_v1", zero_init_residual=True)
    net.init_weights()
    assert {float(p) for block in net.residual_blocks() for p in block.last_norm.weight} == {0.0}
    block = net.stage2[0].branches[0][0].eval()
    x = torch.rand(1, 16, 8, 8)
    assert torch.equal(block(x), x)


def test_zero_init_residual_leaves_pretrained_weights_alone(tmp_path):
    donor = HRNet("w18_small_v1")
    torch.save({"state_dict": donor.state_dict()}, tmp_path / "weights.pth")
    net = HRNet("w18_small_v1", zero_init_residual=True, pretrained=str(tmp_path / "weights.pth"))
    net.init_weights()
    for name, value in donor.state_dict().items():
        assert torch.equal(net.state_dict()[name], value), name


def test_the_package_offers_its_public_names_and_no_others():
    offered = {"BasicBlock", "Bottleneck", "HRNet", "HRNetSpec", "HighResolutionModule", "__version__"}
    offered |= {"HRFPN", "HRFuseScales", "HRNetV2Neck", "LiteHRNet", "LiteHRNetSpec", "capture_features", "load"}
    assert set(hrnet_plugin.__all__) == offered
    assert all(getattr(hrnet_plugin, name) is not None for name in offered)
    with pytest.raises(AttributeError, match="no attribute 'HRNett'"):
        hrnet_plugin.HRNett  # noqa: B018
