from __future__ import annotations

import pytest
import torch

from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.exporting.torch_export import load, read_description, write
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.errors import CheckpointError


@pytest.mark.parametrize("name", ["pose", "segmentation"])
def test_free_batch_and_size_give_the_network_s_numbers(tmp_path, request, name, description, difference):
    network = request.getfixturevalue(name)
    shape = InputShape((96, 128), dynamic_batch=True, dynamic_size=True)
    path = write(optimised(network, "torch"), tmp_path / "x.pt2", description, shape)
    assert read_description(path) == description
    program, described = load(path)
    assert described == description
    for nchw in ((1, 3, 160, 96), (3, 3, 64, 224)):
        images = torch.randn(nchw)
        with torch.no_grad():
            assert difference(program.module()(images), network(images)) < 1e-5


def test_the_image_that_it_was_traced_with_stays_out(tmp_path, pose, description):
    small, large = (
        write(pose, tmp_path / f"{side}.pt2", description, InputShape((side, side))).stat().st_size
        for side in (64, 512)
    )
    assert abs(small - large) < 20_000


def test_other_files_are_told_from_exports(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "x.pt2")
    with pytest.raises(CheckpointError, match=r"found no archive of torch.export, expected a .pt2 file"):
        load(tmp_path / "x.pt2")
