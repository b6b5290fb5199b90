"""The published HRNets, a row each."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import SpecError, nearest
from .spec import HRNetSpec

#: The small networks are those of the authors' classification repository ("HRNet-W18-C-Small-v1" and "-v2");
#: OpenMMLab calls the second one `hr18s`.
ZOO: Mapping[str, HRNetSpec] = {
    "w18_small_v1": HRNetSpec.of_width(16, num_modules=(1, 1, 1, 1), num_blocks=(1, 2, 2, 2), stage1_width=32),
    "w18_small_v2": HRNetSpec.of_width(18, num_modules=(1, 1, 3, 2), num_blocks=2),
    "w18": HRNetSpec.of_width(18),
    "w30": HRNetSpec.of_width(30),
    "w32": HRNetSpec.of_width(32),
    "w40": HRNetSpec.of_width(40),
    "w44": HRNetSpec.of_width(44),
    "w48": HRNetSpec.of_width(48),
    "w60": HRNetSpec.of_width(60),
    "w64": HRNetSpec.of_width(64),
}


def find_arch(name: str) -> HRNetSpec:
    """The description of the preset `name`.

    Raises:
        SpecError: where there is none of that name; suggests the nearest.
    """
    try:
        return ZOO[name]
    except (KeyError, TypeError):
        raise SpecError("arch", found=repr(name), expected="a preset of the zoo", do=nearest(name, ZOO)) from None
