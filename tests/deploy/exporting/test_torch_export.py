from __future__ import annotations

import zipfile

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


@pytest.mark.parametrize(
    ("added", "line"),
    [
        ("x/data/weights/model.pt", "data/weights/model.pt, which runs code when it is read"),
        ("x/data/constants/opaque_0", "data/constants/opaque_0, which runs code"),
        ("x/data/aotinductor/model/a.so", "data/aotinductor/model/a.so, which runs code"),
        ("x/data/weights/Model_Weights_Config.json", "several archives in one"),
        ("version", "several archives in one"),
        ("serialized_state_dict.pt", "several archives in one"),
    ],
)
def test_an_archive_that_holds_more_than_tensors_is_refused(added, line, tmp_path, pose, description):
    path = write(pose, tmp_path / "x.pt2", description, InputShape((64, 64)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(added, b"anything")
    for read in (load, read_description):
        with pytest.raises(CheckpointError, match=line):
            read(path)
