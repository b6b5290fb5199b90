"""publishing: the same weights give the same file, which holds nothing but them and plain words."""

from __future__ import annotations

import hashlib
import os
import pickletools
import zipfile
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from hrnet_plugin.checkpoints.contents import contents_of
from hrnet_plugin.checkpoints.publishing import FORMS, check_name, kept_meta, pack, write
from hrnet_plugin.compat.checkpoint_reading import read_checkpoint
from hrnet_plugin.errors import CheckpointError, ConfigError

BASE = torch.arange(12.0)
WEIGHTS = {
    "conv1.weight": BASE.view(3, 4),
    "tied.weight": BASE.view(3, 4),
    "turned.weight": BASE.view(3, 4).t(),
    "part.weight": BASE[2:4],
    "half.weight": BASE.half(),
    "brain.weight": BASE.bfloat16(),
    "steps": torch.tensor(3),
    "learnt": torch.nn.Parameter(torch.ones(2)),
}
META = {"dataset_meta": {"classes": ("a", "b"), "names": {0: "a"}, "sigmas": np.array([0.5, 0.25], np.float32)}}


@pytest.mark.parametrize("form", FORMS)
def test_tensors_come_back_as_they_were(form, tmp_path):
    published = write(pack(WEIGHTS, META, "a", form), tmp_path)
    read = read_checkpoint(published.path)
    assert read["state_dict"].keys() == WEIGHTS.keys()
    for key, tensor in WEIGHTS.items():
        assert read["state_dict"][key].dtype == tensor.dtype
        assert torch.equal(read["state_dict"][key], tensor)
        assert not read["state_dict"][key].requires_grad
    assert read["meta"]["dataset_meta"] == {"classes": ("a", "b"), "names": {0: "a"}, "sigmas": [0.5, 0.25]}


@pytest.mark.parametrize("form", FORMS)
def test_versions_of_modules_come_back(form, tmp_path):
    layer = torch.nn.Sequential(torch.nn.BatchNorm2d(2))
    state = layer.state_dict()
    assert state._metadata["0"] == {"version": 2}
    contents = contents_of({"state_dict": state}, "a.pth")
    published = write(pack(contents.weights, {}, "a", form, contents.versions), tmp_path)
    read = read_checkpoint(published.path)
    assert dict(read["state_dict"]._metadata) == dict(state._metadata)
    assert read["meta"] == {}


@pytest.mark.parametrize("form", FORMS)
def test_the_name_holds_the_hash_and_the_hash_is_that_of_the_content(form, tmp_path):
    published = write(pack(WEIGHTS, META, "hrnet", form), tmp_path / "new")
    content = published.path.read_bytes()
    assert published.sha256 == hashlib.sha256(content).hexdigest()
    assert published.path == tmp_path / "new" / f"hrnet-{published.sha256[:8]}{FORMS[form]}"
    assert published.size == len(content)


@pytest.mark.parametrize("form", FORMS)
def test_bytes_depend_on_the_content_alone(form):
    # Elsewhere in memory, texts that are one object here and two there, arrays where there were lists.
    word = "".join(["cl", "ass"])
    same = {key: value.detach().clone() for key, value in WEIGHTS.items()}
    one = pack(WEIGHTS, {"names": [word, word], "values": [0.5]}, "a", form)
    other = pack(same, {"names": ["class", "".join(["clas", "s"])], "values": np.array([0.5])}, "a", form)
    assert bytes(one.content) == bytes(other.content)
    changed = pack({**same, "steps": torch.tensor(4)}, {"names": [word, word], "values": [0.5]}, "a", form)
    assert changed.sha256 != one.sha256


@pytest.fixture
def no_allowed_names() -> Iterator[None]:
    """torch's restricted unpickler as it is without this project."""
    allowed = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(allowed)


def test_a_pth_needs_no_name_to_be_allowed(tmp_path, no_allowed_names):
    path = write(pack(WEIGHTS, META, "a"), tmp_path).path
    assert torch.load(path, weights_only=True).keys() == {"state_dict", "meta"}
    with zipfile.ZipFile(path) as archive:
        operations = list(pickletools.genops(archive.read("archive/data.pkl")))
    named = {argument for operation, argument, _ in operations if operation.name == "GLOBAL"}
    assert {name for name in named if not name.endswith("Storage")} == {
        "torch._utils _rebuild_tensor_v2",
        "collections OrderedDict",
    }


def test_nothing_of_the_training_goes_along(tmp_path):
    checkpoint = {
        "state_dict": {f"module.{key}": value for key, value in WEIGHTS.items()},
        "optimizer": {"state": {}}, "message_hub": {}, "param_schedulers": [], "random_streams": [],
        "ema_state_dict": {"module.module.steps": torch.tensor(9)},
        "meta": {**META, "cfg": "import os", "epoch": 3, "seed": 1, "time": "now"},
    }  # fmt: skip
    before = {key: value.clone() for key, value in WEIGHTS.items()}
    contents = contents_of(checkpoint, "a.pth")
    published = write(pack(contents.weights, {**kept_meta(contents.meta), "own": {"number": 1}}, "a"), tmp_path)
    read = read_checkpoint(published.path)
    assert read.keys() == {"state_dict", "meta"}
    assert read["meta"].keys() == {"dataset_meta", "own"}
    assert read["state_dict"].keys() == WEIGHTS.keys()
    assert all(torch.equal(value, before[key]) for key, value in WEIGHTS.items())
    assert isinstance(META["dataset_meta"]["sigmas"], np.ndarray)


def test_what_mmcv_1_said_of_the_data_set_is_kept():
    assert kept_meta({"CLASSES": ("a",), "PALETTE": [[1, 2, 3]], "epoch": 3}) == {
        "dataset_meta": {"classes": ("a",), "palette": [[1, 2, 3]]}
    }
    assert kept_meta({"CLASSES": None, "epoch": 3}) == {}


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "-a", "a\nb", "."])
def test_a_name_that_is_no_file_name(name):
    with pytest.raises(ConfigError, match="no file name"):
        check_name(name)


def test_an_unknown_form():
    with pytest.raises(ConfigError, match="found 'onnx', expected pth or safetensors"):
        pack(WEIGHTS, {}, "a", "onnx")


def test_another_file_is_not_overwritten(tmp_path):
    package = pack(WEIGHTS, {}, "a")
    first = write(package, tmp_path)
    stamp = first.path.stat().st_mtime_ns
    assert write(package, tmp_path) == first
    assert first.path.stat().st_mtime_ns == stamp
    first.path.write_text("mine")
    with pytest.raises(CheckpointError, match="found another file of that name"):
        write(package, tmp_path)
    assert first.path.read_text() == "mine"


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CheckpointError, match=r"found 'No space left on device', expected .* MiB free") as caught:
        write(pack(WEIGHTS, {}, "a"), tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
