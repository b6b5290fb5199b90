"""MMPose 0.x: its heads have other names, and two of them other signs and orders of channels."""

from __future__ import annotations

import torch

from .rules import Change, Format, Rename

_HEAD = "keypoint_head"
#: Displacements pointed from the person to the keypoint, in 1.x from the keypoint to the person.
_OPPOSITE = Change(torch.neg, torch.neg)
#: The heatmap of the person's centre came before those of the keypoints, in 1.x it comes after them.
_CENTRE_LAST = Change(lambda value: torch.roll(value, -1, 0), lambda value: torch.roll(value, 1, 0))

_DEKR = (
    Rename(f"{_HEAD}.offset_conv_layers.3.*", "head.displacement_conv_layers.3.*", _OPPOSITE),
    Rename(f"{_HEAD}.offset_conv_layers.*", "head.displacement_conv_layers.*"),
    Rename(f"{_HEAD}.heatmap_conv_layers.2.*", "head.heatmap_conv_layers.2.*", _CENTRE_LAST),
    Rename("rescore_net.*", "head.rescore_net.*"),
)
_CID = (
    Rename(f"{_HEAD}.keypoint_center_conv.*", "head.iia_module.keypoint_root_conv.*"),
    Rename(f"{_HEAD}.conv_down.*", "head.gfd_module.conv_down.*"),
    Rename(f"{_HEAD}.c_attn.*", "head.gfd_module.channel_attention.*"),
    Rename(f"{_HEAD}.s_attn.*", "head.gfd_module.spatial_attention.*"),
    Rename(f"{_HEAD}.fuse_attn.*", "head.gfd_module.fuse_attention.*"),
    Rename(f"{_HEAD}.heatmap_conv.*", "head.gfd_module.heatmap_conv.*"),
)
#: One convolution, norm and ReLU before the last convolution, as in the published face and hand networks.
_ROW = (
    Rename(f"{_HEAD}.final_layer.0.*", "head.conv_layers.0.*"),
    Rename(f"{_HEAD}.final_layer.1.*", "head.conv_layers.1.*"),
)
_PLAIN = (Rename("backbone.*", "backbone.*"), Rename("neck.*", "neck.*"), Rename(f"{_HEAD}.*", "head.*"))
_OPTIONS = {
    "choices": {"upsample_mode": "nearest"},
    "networks": ("HRNet", "LiteHRNet"),
    "container": "state_dict",
}
_REFUSED = ("neck.0.*", "head.fc.*")

MMPOSE_OLD_ROW = Format(
    name="mmpose-0.x-row",
    title="MMPose 0.x, a head of two convolutions (face, hand)",
    rules=(*_ROW, Rename(f"{_HEAD}.final_layer.3.*", "head.final_layer.*"), *_PLAIN),
    signs=("backbone.stage#.#.*", f"{_HEAD}.final_layer.0.weight", f"{_HEAD}.final_layer.3.weight"),
    refused=_REFUSED,
    **_OPTIONS,
)
MMPOSE_OLD = Format(
    name="mmpose-0.x",
    title="MMPose 0.x",
    rules=(*_DEKR, *_CID, *_PLAIN),
    signs=("backbone.stage#.#.*", f"{_HEAD}.*"),
    refused=(*_REFUSED, "head.conv_layers.*"),
    **_OPTIONS,
)
