"""What a checkpoint says of its network: keys and shapes alone do not tell nearest from bilinear upsampling."""

from __future__ import annotations

from collections.abc import Mapping

from ..archs import HRNetSpec, LiteHRNetSpec
from ..archs.plain_spec import spec_from_plain, spec_to_plain
from ..errors import SpecError
from ..version import __version__

#: The entry of a checkpoint's `meta` that is ours.
OWN = "hrnet_plugin"


def describe_network(spec: HRNetSpec | LiteHRNetSpec) -> dict:
    """The entry for a checkpoint's `meta` that describes its backbone, in plain values."""
    return {OWN: {"version": __version__, "spec": spec_to_plain(spec)}}


def described_spec(meta: Mapping) -> HRNetSpec | LiteHRNetSpec | None:
    """The backbone that a checkpoint's `meta` describes; None where it describes none that can be read."""
    own = meta.get(OWN)
    if not isinstance(own, Mapping) or "spec" not in own:
        return None
    try:
        return spec_from_plain(own["spec"])
    except SpecError:  # written by a version to come: as good as nothing
        return None
