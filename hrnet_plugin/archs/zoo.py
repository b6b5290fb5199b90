"""The published HRNets and Lite-HRNets, a row each."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import SpecError, nearest
from .lite import LiteHRNetSpec
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


#: arXiv:2104.06403, tables 1 and 3. The two naive ones are the authors' "naive" and "wider naive" Lite-HRNet-18.
LITE_ZOO: Mapping[str, LiteHRNetSpec] = {
    "litehrnet_18": LiteHRNetSpec.of_width(40),
    "litehrnet_30": LiteHRNetSpec.of_width(40, num_modules=(3, 8, 3)),
    "litehrnet_naive": LiteHRNetSpec.of_width(30, module_type="NAIVE"),
    "litehrnet_wider_naive": LiteHRNetSpec.of_width(40, module_type="NAIVE"),
}


def find_arch(name: str) -> HRNetSpec:
    """The description of the HRNet preset `name`.

    Raises:
        SpecError: where there is none of that name; suggests the nearest, or the class that has it.
    """
    return _find(name, "HRNet", ZOO, "LiteHRNet", LITE_ZOO)


def find_lite_arch(name: str) -> LiteHRNetSpec:
    """The description of the Lite-HRNet preset `name`.

    Raises:
        SpecError: where there is none of that name; suggests the nearest, or the class that has it.
    """
    return _find(name, "LiteHRNet", LITE_ZOO, "HRNet", ZOO)


def _find(name: object, kind: str, zoo: Mapping, other_kind: str, other_zoo: Mapping) -> HRNetSpec | LiteHRNetSpec:
    if isinstance(name, str) and name in zoo:
        return zoo[name]
    if isinstance(name, HRNetSpec | LiteHRNetSpec):
        found, do = f"a {type(name).__name__}", f"Use type='hrnet_plugin.{other_kind}' for it"
    elif isinstance(name, str) and name in other_zoo:
        found, do = repr(name), f"Use type='hrnet_plugin.{other_kind}' for it"
    else:
        found, do = repr(name), nearest(name, zoo)
    raise SpecError("arch", found=found, expected=f"a preset of {kind}", do=do)
