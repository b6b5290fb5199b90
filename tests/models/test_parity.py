"""With the same weights our outputs equal the frameworks' to the last bit, and weights load both ways.

The networks compared with are those of the installed mmpose, mmseg, mmdet and mmpretrain, not stored numbers.
"""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin import HRNet

ARCHS = ("w18_small_v2", "w18", "w32", "w48")
#: Upsampling of each framework, and the image sizes (height, width) that it can run.
FRAMEWORKS = {
    "mmpose": ("nearest", ((64, 64), (128, 96))),
    "mmseg": ("bilinear", ((64, 96), (65, 97), (33, 33))),
    "mmdet": ("nearest", ((64, 96),)),
    "mmpretrain": ("nearest", ((64, 96),)),
}


def randomise(net: torch.nn.Module) -> torch.nn.Module:
    """Gives every parameter and statistic a value that shows: fresh norms are ones and zeros."""
    generator = torch.Generator().manual_seed(0)
    for tensor in net.state_dict().values():
        if tensor.dtype.is_floating_point:
            scale = 0.5 / tensor[0].numel() ** 0.5 if tensor.ndim > 1 else 0.5
            tensor.copy_(torch.rand(tensor.shape, generator=generator).sub(0.5).mul(2 * scale).add(tensor.ndim == 1))
    return net


@pytest.fixture(scope="module", params=[(framework, arch) for framework in FRAMEWORKS for arch in ARCHS], ids="-".join)
def pair(request, upstream):
    """The framework's network, ours with its weights, and the framework's name."""
    framework, arch = request.param
    theirs = randomise(upstream(framework, arch))
    ours = HRNet(arch, upsample_mode=FRAMEWORKS[framework][0])
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours, framework


def largest_difference(ours, theirs) -> float:
    """Over all outputs; the number of outputs must agree, and they must hold more than one value."""
    assert len(ours) == len(theirs)
    assert all(out.unique().numel() > 10 for out in theirs)
    return max((one - other).abs().max().item() for one, other in zip(ours, theirs, strict=True))


def test_state_dicts_have_the_same_keys_in_the_same_order(pair):
    theirs, ours, _ = pair
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_outputs_are_equal_to_the_last_bit(pair, training):
    theirs, ours, framework = pair
    for size in FRAMEWORKS[framework][1]:
        image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
        theirs.train(training)
        ours.train(training)
        with torch.no_grad():
            assert largest_difference(ours(image), theirs(image)) == 0.0
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


@pytest.mark.parametrize("framework", ["mmpose", "mmseg"])
def test_gradients_are_equal_to_the_last_bit(upstream, framework):
    theirs = randomise(upstream(framework, "w18_small_v2"))
    ours = HRNet("w18_small_v2", upsample_mode=FRAMEWORKS[framework][0])
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 64, 64)
    for net in (theirs, ours):
        sum(out.square().mean() for out in net(image)).backward()
    theirs_by_name = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        assert torch.equal(parameter.grad, theirs_by_name[name].grad), name


def test_single_scale_equals_mmposes_default(upstream):
    theirs = randomise(upstream("mmpose", "w18", multiscale_output=False))
    ours = HRNet("w18", multiscale_output=False).eval()
    theirs.eval()  # returns nothing
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert largest_difference(ours(image), theirs(image)) == 0.0


@pytest.mark.parametrize("norm", [{"type": "GN", "num_groups": 2}, {"type": "SyncBN"}], ids=["gn", "syncbn"])
def test_other_norms_have_the_same_keys_and_outputs(upstream, norm):
    theirs = randomise(upstream("mmpose", "w18_small_v2", norm_cfg=dict(norm)))
    ours = HRNet("w18_small_v2", norm_cfg=norm).eval()
    theirs.eval()  # returns nothing
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert largest_difference(ours(image), theirs(image)) == 0.0


def test_equals_timm_with_the_same_weights():
    import timm

    theirs = timm.create_model("hrnet_w18", features_only=True, out_indices=(1, 2, 3, 4), feature_location="")
    ours = HRNet("w18")
    randomise(ours)
    keys = theirs.load_state_dict(ours.state_dict(), strict=False)
    assert not keys.missing_keys
    image = torch.rand(1, 3, 64, 64)
    theirs.eval()
    ours.eval()
    with torch.no_grad():
        assert largest_difference(ours(image), tuple(theirs(image))) == 0.0
