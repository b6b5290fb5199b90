"""Descriptions survive being written down as plain values."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.archs import LITE_ZOO, ZOO
from hrnet_plugin.archs.plain_spec import spec_from_plain, spec_to_plain
from hrnet_plugin.errors import SpecError

SPECS = {**ZOO, **LITE_ZOO, "other": ZOO["w18"].with_choices(upsample_mode="bilinear", align_corners=True)}


@pytest.mark.parametrize("name", SPECS)
def test_a_description_comes_back_through_json(name):
    assert spec_from_plain(json.loads(json.dumps(spec_to_plain(SPECS[name])))) == SPECS[name]


@pytest.mark.parametrize(
    "wrong", [None, {}, {"network": "VGG"}, {"network": "HRNet"}, {"network": "HRNet", "stages": 3}]
)
def test_another_form_is_refused(wrong):
    with pytest.raises(SpecError):
        spec_from_plain(wrong)


def test_a_wrong_value_is_refused_as_anywhere():
    written = spec_to_plain(ZOO["w32"]) | {"upsample_mode": "cubic"}
    with pytest.raises(SpecError, match="upsample_mode: found 'cubic'"):
        spec_from_plain(written)
