"""Networks that have the same keys and give other outputs: how their scales are joined stands in no tensor."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from ... import nets
from ...archs import HRNetSpec, LiteHRNetSpec
from ...archs.spec import Fusion
from ..network_meta import described_spec
from .config_text import fusion_in_meta


def spec_of_network(network: nn.Module) -> HRNetSpec | LiteHRNetSpec | None:
    """The description of the first HRNet or Lite-HRNet of ours in a network; None where it has none."""
    backbones = (module for module in network.modules() if isinstance(module, nets.HRNet | nets.LiteHRNet))
    return next((backbone.spec for backbone in backbones), None)


def other_outputs(meta: Mapping, network: nn.Module) -> str | None:
    """What differs where a checkpoint was trained as a network with the same keys and other outputs.

    Args:
        meta: Of the checkpoint: our own description decides, else what OpenMMLab's tools have written.
        network: The one that is to be loaded.

    Returns:
        One line; None where nothing differs, or nothing is known.
    """
    own = spec_of_network(network)
    if not isinstance(own, HRNetSpec):
        return None
    said = described_spec(meta)
    claim = (said.fusion, "its metadata") if isinstance(said, HRNetSpec) else fusion_in_meta(meta)
    if claim is None or claim[0] == own.fusion:
        return None
    theirs, source = claim
    return (
        f"same keys, other outputs: by {source} the weights are of a network with {_words(theirs, own.fusion)}, "
        f"this one has {_words(own.fusion, theirs)}"
    )


def _words(fusion: Fusion, other: Fusion) -> str:
    """Those of its choices in which a network differs from another."""
    words = []
    if fusion.method != other.method:
        words.append(f"fuse_method='{fusion.method}'")
    if fusion.upsample_mode != other.upsample_mode:
        words.append(f"upsample_mode='{fusion.upsample_mode}'")
    if fusion.align_corners != other.align_corners:
        words.append(f"align_corners={fusion.align_corners}")
    return ", ".join(words)
