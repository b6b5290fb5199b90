"""What a format cannot hold is refused in one line."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from hrnet_plugin.archs import ZOO, HRNetSpec, find_lite_arch
from hrnet_plugin.checkpoints.contents import Contents, contents_of
from hrnet_plugin.checkpoints.conversion.convert import convert
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.errors import CheckpointError, ConfigError


def contents(weights: Mapping[str, Tensor], spec: HRNetSpec | None = None) -> Contents:
    return contents_of({"state_dict": dict(weights), "meta": describe_network(spec) if spec else {}}, "a.pth")


def of_network(spec: HRNetSpec) -> Contents:
    from hrnet_plugin.nets import HRNet

    with torch.device("meta"):
        return contents({f"backbone.{key}": value for key, value in HRNet(spec).state_dict().items()}, spec)


HEATMAPS = {"head.final_layer.weight": torch.ones(5, 16, 1, 1), "head.final_layer.bias": torch.ones(5)}
SMALL = ZOO["w18_small_v1"]


@pytest.mark.parametrize(
    ("network", "to", "said"),
    [
        (HEATMAPS, "timm", r"head\.final_layer\.weight, head\.final_layer\.bias, exp"),
        (HEATMAPS, "mmseg", r"head\.final_layer.* --backbone-only converts"),
        (HEATMAPS, "mmpose-0.x-row", r"found another head, expected keypoint_head"),
        ((SMALL.with_choices(upsample_mode="bilinear")), "pose", "upsample_mode='bilinear'"),
        ((HRNetSpec.of_width(16, num_modules=(1, 1, 1))), "timm", "found 3 stages, expected 4"),
        ((SMALL.with_choices(fuse_method="concat")), "cls", "fuse_method='concat'"),
    ],
    ids=["head", "framework", "row", "bilinear", "stages", "concat"],
)
def test_a_format_that_cannot_hold_the_network(pose_weights, network, to, said):
    checkpoint = of_network(network) if isinstance(network, HRNetSpec) else contents(pose_weights(network))
    with pytest.raises(CheckpointError, match=rf"format {to} cannot hold the network: .*{said}") as caught:
        convert(checkpoint, to)
    assert "\n" not in str(caught.value)


def test_a_lite_network_goes_to_no_format_of_hrnets():
    from hrnet_plugin.nets import LiteHRNet

    with torch.device("meta"):
        net = LiteHRNet(find_lite_arch("litehrnet_18")).state_dict()
    with pytest.raises(CheckpointError, match="cannot hold the network: found a LiteHRNet, expected HRNet"):
        convert(contents(net), "timm", backbone_only=True)


def test_a_backbone_alone_goes_where_its_head_cannot(pose_weights):
    conversion = convert(contents(pose_weights(HEATMAPS)), "mmseg", backbone_only=True)
    assert conversion.report.counts()["dropped"] == 2
    assert conversion.report.unaccounted == []
    assert len(conversion.weights) == len(pose_weights({}))
    other = convert(of_network(SMALL.with_choices(upsample_mode="bilinear")), "timm", backbone_only=True)
    assert "outputs differ" in other.report.notes[-1]


def segmentation(backbone: str = "backbone.", conv: str = "decode_head.convs.0.conv", **names: str) -> Contents:
    """A network of MMSegmentation, or one under other names, whose metadata say nothing."""
    bn, last = names.get("bn", "decode_head.convs.0.bn"), names.get("last", "decode_head.conv_seg")
    shapes = {f"{conv}.weight": (5, 240, 1, 1), f"{last}.weight": (3, 5, 1, 1), f"{last}.bias": (3,)}
    shapes |= {f"{bn}.{part}": (5,) for part in ("weight", "bias", "running_mean", "running_var")}
    net = {backbone + key.removeprefix("backbone."): value for key, value in of_network(SMALL).weights.items()}
    return contents({**net, **{key: torch.ones(shape) for key, shape in shapes.items()}})


def test_what_a_framework_usually_has_is_told_too():
    checkpoint = segmentation()
    alone = convert(checkpoint, "timm", backbone_only=True)
    assert alone.report.notes == ("upsample_mode='bilinear' in the source and 'nearest' in timm: outputs differ",)
    (note,) = convert(checkpoint, "seg").report.notes
    assert note.startswith("nothing in the source tells align_corners, which is by default False in seg")
    assert convert(checkpoint, "seg", align_corners=False).report.notes == ()
    (note,) = convert(checkpoint, "seg", align_corners=True).report.notes
    assert note.startswith("align_corners=True in the source and by default False in seg")


def test_a_bias_of_a_head_is_left_out_with_it():
    theirs = segmentation("", "last_layer.0", bn="last_layer.1", last="last_layer.3")
    checkpoint = contents({**theirs.weights, "last_layer.0.bias": torch.ones(5)})
    whole = convert(checkpoint).report
    assert (whole.source, whole.counts()["folded"], whole.unaccounted) == ("seg", 1, [])
    alone = convert(checkpoint, "backbone", backbone_only=True).report.counts()
    assert (alone["folded"], alone["dropped"]) == (0, 8)


def test_the_line_is_short_for_a_format_of_many_keys():
    with pytest.raises(CheckpointError, match="format ocr cannot hold the network") as caught:
        convert(segmentation(), "ocr")
    assert len(str(caught.value)) < 420


def test_formats_that_are_not_known(pose_weights):
    with pytest.raises(ConfigError, match=r"format: found 'tim', expected a known format\. Did you mean 'timm'"):
        convert(contents(pose_weights({})), "tim")
