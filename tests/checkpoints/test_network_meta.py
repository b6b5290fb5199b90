"""A checkpoint tells its network."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.archs import LITE_ZOO, ZOO
from hrnet_plugin.checkpoints.contents import read_contents
from hrnet_plugin.checkpoints.network_meta import describe_network, described_spec

SPECS = (ZOO["w18"].with_choices(upsample_mode="bilinear"), LITE_ZOO["litehrnet_18"])


@pytest.mark.parametrize("spec", SPECS, ids=["HRNet", "LiteHRNet"])
def test_the_description_travels_in_a_checkpoint(tmp_path, spec):
    torch.save({"meta": describe_network(spec), "state_dict": {"a": torch.ones(1)}}, tmp_path / "a.pth")
    assert described_spec(read_contents(tmp_path / "a.pth").meta) == spec


@pytest.mark.parametrize("meta", [{}, {"hrnet_plugin": 3}, {"hrnet_plugin": {"spec": {"network": "HRNet9"}}}])
def test_no_description_is_none(meta):
    assert described_spec(meta) is None
