"""Weights are found wherever a checkpoint keeps them."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.checkpoints.contents import contents_of, read_contents
from hrnet_plugin.errors import CheckpointError

WEIGHTS = {"conv1.weight": torch.ones(2), "bn1.bias": torch.zeros(2)}


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "module.model.", "_orig_mod.module."])
@pytest.mark.parametrize("container", ["", "state_dict", "model", "net"])
def test_weights_are_found_without_the_prefixes_of_wrappers(container, prefix):
    weights = {prefix + key: value for key, value in WEIGHTS.items()}
    found = contents_of({container: weights, "optimizer": {}, "meta": {"epoch": 3}} if container else weights, "a.pth")
    assert dict(found.weights) == WEIGHTS
    assert (found.container, found.prefix) == (container, prefix)
    assert found.others == (("optimizer",) if container else ())
    assert found.meta == ({"epoch": 3} if container else {})


def test_a_prefix_that_one_key_lacks_is_part_of_the_names():
    found = contents_of({"model.a": torch.ones(1), "loss.b": torch.ones(1)}, "a.pth")
    assert (list(found.weights), found.prefix) == (["model.a", "loss.b"], "")


@pytest.mark.parametrize("wrong", [[1, 2], {}, {"state_dict": {}}, {"epoch": 3}])
def test_a_file_without_weights_is_refused(wrong):
    with pytest.raises(CheckpointError, match=r"checkpoint a\.pth: found a .* expected weights by key"):
        contents_of(wrong, "a.pth")


def test_it_reads_files(tmp_path):
    torch.save({"state_dict": WEIGHTS}, tmp_path / "a.pth")
    assert read_contents(tmp_path / "a.pth").container == "state_dict"
