"""safetensors_files: every loader takes such files as the checkpoints they stand for, and a broken one is told."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint
from safetensors.torch import save_file

from hrnet_plugin.compat.checkpoint_reading import download_checkpoint, read_checkpoint
from hrnet_plugin.compat.safetensors_files import check_safetensors, is_safetensors, plain_meta, safetensors_bytes
from hrnet_plugin.errors import CheckpointError, MissingDependency

WEIGHTS = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "bias": torch.tensor([1.5, -2.0]),
    "half": torch.tensor([0.1], dtype=torch.float16),
    "steps": torch.tensor(7),
}
META = {
    "classes": ("ground", "person"),
    "palette": [(1, 2, 3), [4, 5, 6]],
    "names": {0: "nose", 1: "eye"},
    "scale": 0.5,
    "none": None,
    "é": True,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors_bytes(WEIGHTS, META))
    return path


def test_tensors_and_meta_come_back(file):
    read = read_checkpoint(file)
    assert set(read) == {"state_dict", "meta"}
    assert read["meta"] == META
    assert read["state_dict"].keys() == WEIGHTS.keys()
    for key, tensor in WEIGHTS.items():
        assert read["state_dict"][key].dtype == tensor.dtype
        assert torch.equal(read["state_dict"][key], tensor)


def test_a_file_counts_by_its_content_under_any_name(file, tmp_path):
    other = file.rename(tmp_path / "weights.pth")
    assert is_safetensors(other)
    assert torch.equal(read_checkpoint(other)["state_dict"]["bias"], WEIGHTS["bias"])
    for name, legacy in (("b.pth", False), ("c.pth", True)):
        torch.save({"state_dict": WEIGHTS}, tmp_path / name, _use_new_zipfile_serialization=not legacy)
        assert not is_safetensors(tmp_path / name)


def test_mmengines_loaders_take_it(file):
    network = torch.nn.Linear(3, 2)
    loaded = load_checkpoint(network, str(file))
    assert loaded["meta"]["classes"] == ("ground", "person")
    assert torch.equal(network.weight, WEIGHTS["weight"])
    assert torch.equal(network.bias, WEIGHTS["bias"])
    # As `Pretrained` and the runner ask for it.
    assert CheckpointLoader.load_checkpoint(str(file), map_location="cpu")["meta"] == META


@pytest.mark.parametrize("place", ["cpu", torch.device("cpu"), None, {"cuda:0": "cpu"}, lambda storage, _: storage])
def test_every_kind_of_place_is_understood(file, place):
    assert read_checkpoint(file, place)["state_dict"]["steps"].device.type == "cpu"


def test_changing_what_was_read_leaves_the_file(file):
    before = file.read_bytes()
    for tensor in read_checkpoint(file)["state_dict"].values():
        tensor.add_(1)
    assert file.read_bytes() == before


def test_files_of_others_are_read_with_their_text(tmp_path):
    for number, text in enumerate(("a remark", "[1, 2]", '{"__items__": 3}')):
        path = tmp_path / f"{number}.safetensors"
        save_file(WEIGHTS, path, metadata={"format": "pt", "meta": text})
        assert read_checkpoint(path)["meta"] == {"format": "pt", "meta": text}
    save_file(WEIGHTS, tmp_path / "bare.safetensors")
    assert read_checkpoint(tmp_path / "bare.safetensors")["meta"] == {}


def test_same_content_gives_the_same_bytes():
    shuffled = {key: WEIGHTS[key].clone() for key in reversed(WEIGHTS)}
    assert safetensors_bytes(shuffled, dict(META)) == safetensors_bytes(WEIGHTS, META)


def test_meta_becomes_plain_values():
    given = {"array": np.ones((1, 2), np.uint8), "number": np.float32(0.5), "set": {"b", "a"}, "shape": torch.Size([2])}
    assert plain_meta(given) == {"array": [[1, 1]], "number": 0.5, "set": ["a", "b"], "shape": (2,)}
    assert plain_meta({"kind": torch.float16}) == {"kind": "torch.float16"}


def header_of(length: int, text: bytes) -> bytes:
    return struct.pack("<Q", length) + text


BROKEN = {
    "empty": b"",
    "three bytes": b"\x10\0\0",
    "huge header": header_of(2**62, b'{"a":1}'),
    "no json": header_of(4, b"abcd"),
    "data beyond the end": header_of(
        58, json.dumps({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()[:58].ljust(58)
    ),
    "a letter": b"Dear reader, this is no checkpoint.\n",
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("read", [read_checkpoint, check_safetensors])
def test_a_broken_file_is_told_in_one_line(tmp_path, content, read):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.safetensors: found .*, expected a whole \.safetensors") as caught:
        read(tmp_path / "a.safetensors")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_told(file, share):
    check_safetensors(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match="truncated or no safetensors"):
        check_safetensors(file)


def test_without_the_package_the_command_is_told(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    for read in (read_checkpoint, check_safetensors):
        with pytest.raises(MissingDependency, match="pip install safetensors"):
            read(file)
    with pytest.raises(MissingDependency, match="pip install safetensors"):
        safetensors_bytes(WEIGHTS, {})


def test_a_url_is_fetched_once_and_read_safely(file, tmp_path, monkeypatch):
    fetched = []

    def fetch(url: str, path: str, progress: bool) -> None:
        fetched.append(url)
        Path(path).write_bytes(file.read_bytes())

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    url = "https://example.org/a/weights.safetensors?download=true"
    for _ in range(2):
        read = download_checkpoint(url, model_dir=str(tmp_path / "cache"))
        assert torch.equal(read["state_dict"]["bias"], WEIGHTS["bias"])
    assert fetched == [url]
    assert (tmp_path / "cache" / "weights.safetensors").is_file()
