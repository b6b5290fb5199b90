"""strict_names: what our reading refuses, everybody else's still takes."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from pathlib import Path

import pytest
import torch

from hrnet_plugin.compat.checkpoint_reading import read_checkpoint
from hrnet_plugin.compat.strict_names import narrow
from hrnet_plugin.errors import CheckpointError


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """A checkpoint with a tensor that torch's own list allows and ours does not."""
    path = tmp_path / "sparse.pth"
    torch.save({"w": torch.eye(2).to_sparse()}, path)
    return path


def test_the_narrow_list_is_that_of_our_reading_alone(sparse):
    with pytest.raises(CheckpointError, match=r"found a request for torch\.\S*sparse"):
        read_checkpoint(sparse)
    assert torch.load(sparse, weights_only=True)["w"].is_sparse


def test_another_thread_is_not_narrowed(sparse):
    found = []
    with narrow():
        other = threading.Thread(target=lambda: found.append(torch.load(sparse, weights_only=True)))
        other.start()
        other.join()
    assert found[0]["w"].is_sparse


def test_what_trainings_keep_comes_back(tmp_path):
    tensor = torch.arange(6.0).reshape(2, 3)
    kept = {
        "view": tensor[:, 1:],
        "parameter": torch.nn.Parameter(tensor.clone()),
        "half": tensor.to(torch.bfloat16),
        "eight": tensor.to(torch.float8_e4m3fn),
        "conjugate": torch.tensor([1 + 2j]).conj(),
        "expanded": torch.ones(1).expand(8),
        "ordered": OrderedDict(a=1),
        "counted": Counter("aab"),
        "set": {1, 2},
        "bytes": b"\x00\xff",
        "array": bytearray(b"ab"),
        "shape": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "nested": [(1, ("a", (2.5, None)))] * 2,
    }
    tensor.note = "an attribute"  # kept by torch, left out by us
    kept["with an attribute"] = tensor
    for is_new in (True, False):
        if not is_new:  # torch's older form has no such numbers
            del kept["eight"]
        torch.save(kept, tmp_path / "kept.pth", _use_new_zipfile_serialization=is_new)
        found = read_checkpoint(tmp_path / "kept.pth")
        assert list(found) == list(kept)
        for name, value in kept.items():
            if isinstance(value, torch.Tensor):
                assert found[name].dtype == value.dtype
                assert torch.equal(found[name].to(torch.complex64), value.detach().to(torch.complex64))
            else:
                assert (type(found[name]), found[name]) == (type(value), value)


def test_the_versions_of_modules_stay_beside_weights(tmp_path):
    """torch keeps them as an attribute of the dict; any other one is left out, since it may hide a method."""
    weights = torch.nn.BatchNorm2d(2).state_dict()
    weights.note = 5
    torch.save({"state_dict": weights}, tmp_path / "kept.pth")
    found = read_checkpoint(tmp_path / "kept.pth")["state_dict"]
    assert found._metadata[""]["version"] == 2
    assert (list(vars(found)), set(found)) == (["_metadata"], set(weights))


def test_a_compressed_checkpoint_is_read(tmp_path):
    import zipfile

    torch.save({"w": torch.zeros(1000)}, tmp_path / "plain.pth")
    with zipfile.ZipFile(tmp_path / "plain.pth") as plain, zipfile.ZipFile(tmp_path / "packed.pth", "w", 8) as packed:
        for part in plain.namelist():
            packed.writestr(part, plain.read(part))
    assert (tmp_path / "packed.pth").stat().st_size < (tmp_path / "plain.pth").stat().st_size
    assert read_checkpoint(tmp_path / "packed.pth")["w"].tolist() == [0.0] * 1000
