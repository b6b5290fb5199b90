"""allow_list, saved_values and checkpoint_reading: what may be in a checkpoint, and what is said of the rest."""

from __future__ import annotations

import argparse
import builtins
import functools
import io
import os
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer

from hrnet_plugin.compat.checkpoint_reading import download_checkpoint, read_checkpoint
from hrnet_plugin.errors import CheckpointError


def test_mmengines_own_checkpoint_loads(unfixed, fixed):
    assert unfixed["checkpoint_round_trip"]["error"].startswith("UnpicklingError: Weights only load failed")
    assert fixed["checkpoint_round_trip"]["error"] is None
    assert fixed["checkpoint_round_trip"]["result"] == [
        ["HistoryBuffer", [3.0, 1.0, 2.0], [4, 4, 4]],
        [1.0, 3.0, 2.0, 0.5],
        ["ndarray", "float32", [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]],
        ["float32", 0.5],
    ]


def test_a_download_is_as_safe_as_a_file(unfixed, fixed):
    assert unfixed["download"]["result"] is True
    error = fixed["download"]["error"]
    assert error.startswith("CheckpointError: checkpoint https://example.invalid/evil.pth: found a request for ")
    assert "mkdir" in error


def test_resuming_runs_no_text_of_the_checkpoint(unfixed, fixed):
    assert (unfixed["resume_text"]["result"], unfixed["resume_text"]["error"]) == (True, None)
    assert (fixed["resume_text"]["result"], fixed["resume_text"]["error"]) == (False, None)


def test_a_malicious_file_is_refused_in_one_line(unfixed, fixed):
    # torch refuses it as well, and then explains how to load it unsafely.
    assert "weights_only" in unfixed["malicious_checkpoint"]["error"]
    assert fixed["malicious_checkpoint"]["error"] == (
        f"CheckpointError: checkpoint evil.pth: found a request for {os.mkdir.__module__}.mkdir, expected tensors, "
        "numbers and mmengine's log history. It was refused and nothing in it ran"
    )


class Call:
    """Pickles as a call: `function(*arguments)`, then the state is set."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def attribute(*names: str) -> Call:
    """getattr along a chain that starts at mmengine's log history."""
    value = HistoryBuffer
    for name in names:
        value = Call(getattr, value, name)
    return value


TOUCH = "__import__('os').mkdir('pwned')"
OBJECTS = Call(np.dtype, "O8", False, True, state=(3, "|", None, None, None, -1, -1, 0))
RECONSTRUCT = np.zeros(1).__reduce__()[0]

ATTACKS = {
    "os.system": (Call(os.system, "mkdir pwned"), "posix.system"),
    "os.mkdir": (Call(os.mkdir, "pwned"), "posix.mkdir"),
    "eval": (Call(eval, TOUCH), "builtins.eval"),
    "exec": (Call(exec, TOUCH), "builtins.exec"),
    "import": (Call(builtins.__import__, "os"), "builtins.__import__"),
    "pickle in pickle": (Call(pickle.loads, pickle.dumps(Call(os.mkdir, "pwned"))), "pickle.loads"),
    "getattr of the history's globals": (attribute("mean", "__globals__"), "builtins.getattr"),
    "getattr of the history's class": (attribute("__init__"), "builtins.getattr"),
    "getattr of registering": (attribute("register_statistics"), "builtins.getattr"),
    "getattr of a number": (Call(getattr, 1, "real"), "builtins.getattr"),
    "setattr": (Call(setattr, HistoryBuffer, "mean", 1), "builtins.setattr"),
    "bytes of any size": (Call(bytes, 2**40), "builtins.bytes"),
    "numpy.load": (Call(np.load, "pwned"), "numpy.load"),
    "numpy objects as numbers": (OBJECTS, "numpy.dtype"),
    "numpy array of objects": (np.array([print], dtype=object), "numpy.dtype"),
    "numpy array of pointers": (
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (1,), OBJECTS, False, b"\x41" * 8)),
        "numpy.dtype",
    ),
    "numpy array larger than its data": (
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (2**40,), np.dtype("f8"), False, b"\x41" * 8)),
        "numpy.ndarray",
    ),
    "numpy array of negative size": (
        Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (-1, -1), np.dtype("f8"), False, b"\x41" * 8)),
        "numpy.ndarray",
    ),
    "numpy reconstructing something else": (
        Call(RECONSTRUCT, HistoryBuffer, (0,), b"b"),
        "numpy.core.multiarray._reconstruct",
    ),
    "numpy dtype with fields": (np.zeros(1, dtype=[("field", "f8")]), "numpy.dtype"),
    "numpy text": (np.array(["text"]), "numpy.dtype"),
    "options that stand in no file": (Call(argparse.Namespace, [1]), "argparse.Namespace"),
    "options that are no dict": (Call(argparse.Namespace, state=[("lr", 1)]), "argparse.Namespace"),
    "options without names": (Call(argparse.Namespace, state={1: 2}), "argparse.Namespace"),
    "numpy scalar of objects": (Call(np.float64(1).__reduce__()[0], np.dtype("f8"), b"short"), "scalar"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ATTACKS)
def test_a_forbidden_name_is_refused_and_nothing_runs(folder, name):
    payload, forbidden = ATTACKS[name]
    torch.save({"state_dict": {"weight": torch.zeros(1)}, "payload": payload}, "attack.pth")
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint("attack.pth")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("checkpoint attack.pth: found a request for ")
    assert forbidden.replace("posix", os.mkdir.__module__) in message
    assert sorted(os.listdir(folder)) == ["attack.pth"]


def test_the_attacks_are_real(folder):
    """Unsafe loading runs them: the refusals above are not refusals of nothing."""
    for name in ("os.system", "os.mkdir", "eval", "exec", "pickle in pickle"):
        buffer = io.BytesIO()
        torch.save(ATTACKS[name][0], buffer)
        torch.load(io.BytesIO(buffer.getvalue()), weights_only=False)
        (folder / "pwned").rmdir()
    assert isinstance(pickle.loads(pickle.dumps(attribute("mean", "__globals__"), protocol=2)), dict)
    assert not pickle.loads(pickle.dumps(OBJECTS, protocol=2)).hasobject


def test_a_log_history_cannot_change_its_class(folder):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    poisoned = {**history.__getstate__(), "statistics_methods": {"mean": "gone", "other": "new"}}
    torch.save({"history": Call(HistoryBuffer, state=poisoned)}, "poisoned.pth")
    before = dict(HistoryBuffer._statistics_methods)
    with pytest.raises(CheckpointError):
        read_checkpoint("no_such.pth")
    loaded = read_checkpoint("poisoned.pth")["history"]
    assert HistoryBuffer._statistics_methods == before
    assert (type(loaded), loaded.statistics("mean")) == (HistoryBuffer, 1.5)
    assert set(vars(loaded)) == {"max_length", "_log_history", "_count_history"}


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int32", "int64", "float16", "float32", "float64", ">f4", "c8"]
)
def test_arrays_of_numbers_come_back(folder, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    meta = {
        "c": array,
        "fortran": np.asfortranarray(array),
        "empty": array[:0],
        "nested": [(array, {"scalar": array[1, 2]})],
    }
    torch.save({"meta": meta, "dtype": array.dtype}, "arrays.pth")
    loaded = read_checkpoint("arrays.pth")
    for found, saved in (
        (loaded["meta"]["c"], array),
        (loaded["meta"]["fortran"], array),
        (loaded["meta"]["empty"], array[:0]),
        (loaded["meta"]["nested"][0][0], array),
    ):
        assert type(found) is np.ndarray
        # numpy swaps foreign bytes into the machine's own order.
        assert (found.dtype, found.shape) == (saved.dtype.newbyteorder("="), saved.shape)
        np.testing.assert_array_equal(found, saved)
    scalar = loaded["meta"]["nested"][0][1]["scalar"]
    assert (scalar, scalar.dtype.kind) == (array[1, 2], array.dtype.kind)
    assert loaded["dtype"] == array.dtype


def test_a_plain_torch_load_can_save_again_what_it_read(folder):
    read_checkpoint_allows = {"array": np.arange(3.0), "history": HistoryBuffer([1.0], [1])}
    torch.save(read_checkpoint_allows, "first.pth")
    read_checkpoint("first.pth")
    torch.save(torch.load("first.pth", weights_only=True), "second.pth")
    again = read_checkpoint("second.pth")
    assert again["array"].tolist() == [0.0, 1.0, 2.0]
    assert again["history"].data[0].tolist() == [1.0]
    assert b"hrnet_plugin" not in Path("second.pth").read_bytes()


def test_the_environment_cannot_make_loading_unsafe(folder, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"payload": Call(os.mkdir, "pwned")}, "attack.pth")
    with pytest.raises(CheckpointError, match="found a request for"):
        read_checkpoint("attack.pth")
    assert not Path("pwned").exists()


def test_options_of_a_command_come_back_as_a_dict(folder):
    """timm's CheckpointSaver keeps its options as argparse gave them."""
    options = argparse.Namespace(model="hrnet_w18", lr=0.1, sizes=[(224, 224)], inner=argparse.Namespace(seed=0))
    torch.save({"args": options, "again": [options]}, "timm.pth")
    found = read_checkpoint("timm.pth")
    assert found["args"] == {"model": "hrnet_w18", "lr": 0.1, "sizes": [(224, 224)], "inner": {"seed": 0}}
    assert found["again"] == [found["args"]]
    torch.save(torch.load("timm.pth", weights_only=True), "second.pth")
    assert read_checkpoint("second.pth") == found
    assert b"hrnet_plugin" not in Path("second.pth").read_bytes()


def test_options_that_hold_themselves_are_refused(folder):
    options = argparse.Namespace()
    options.own = options
    torch.save({"args": options}, "endless.pth")
    with pytest.raises(CheckpointError, match="RecursionError"):
        read_checkpoint("endless.pth")


def _traced(path: Path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(1, 1), torch.zeros(1, 1)), path)


def _later(path: Path, *, new: bool = True) -> None:
    weights = {"state_dict": {"weight": torch.zeros(1)}}
    torch.save(weights, path, pickle_protocol=4, _use_new_zipfile_serialization=new)


def _tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            archive.addfile(tarfile.TarInfo(name))


def _truncated(path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:-500])


BROKEN = {
    "missing": (lambda path: None, "found no such file"),
    "folder": (lambda path: path.mkdir(), "found a folder"),
    "empty": (lambda path: path.touch(), "truncated or no checkpoint"),
    "truncated": (_truncated, "truncated or no checkpoint"),
    "text": (lambda path: path.write_text("<html>404 not found</html>"), "truncated or no checkpoint"),
    "image": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8), "truncated or no checkpoint"),
    "traced": (_traced, "found a TorchScript archive, which holds code, .* save the state_dict"),
    "protocol 4": (_later, "found a pickle of protocol 4 or later, .* without pickle_protocol"),
    "protocol 4, torch 1.5": (functools.partial(_later, new=False), "found a pickle of protocol 4 or later"),
    "tar": (_tar, "found torch's first form of files"),
    "list": (lambda path: torch.save([1, 2], path), "found a list, expected a dict"),
    "tensor": (lambda path: torch.save(torch.zeros(2), path), "found a Tensor, expected a dict"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_checkpoint_is_named(folder, kind, recwarn):
    make, words = BROKEN[kind]
    make(folder / "broken.pth")
    recwarn.clear()
    with pytest.raises(CheckpointError, match=words) as caught:
        read_checkpoint(folder / "broken.pth")
    assert str(caught.value).startswith(f"checkpoint {folder / 'broken.pth'}: ")
    assert "\n" not in str(caught.value)
    # A file that an earlier test left open may be closed meanwhile.
    assert [str(one.message) for one in recwarn if not issubclass(one.category, ResourceWarning)] == []


@pytest.mark.parametrize("kind", BROKEN)
def test_mmengine_says_the_same(folder, kind):
    import mmengine.runner.checkpoint as checkpoint

    make, words = BROKEN[kind]
    make(folder / "broken.pth")
    with pytest.raises(CheckpointError, match=words):
        checkpoint.load_checkpoint(torch.nn.Linear(1, 1), "broken.pth")


def test_a_download_that_fails_says_why(folder):
    url = (folder / "no_such.pth").as_uri()
    with pytest.raises(CheckpointError, match=rf"checkpoint {url}: found no answer .*name the local file"):
        download_checkpoint(url, model_dir=str(folder))


def test_a_download_comes_back_as_a_dict(folder):
    torch.save({"state_dict": {"weight": torch.ones(2)}}, "fine.pth")
    loaded = download_checkpoint((folder / "fine.pth").as_uri(), model_dir=str(folder / "cache"), progress=False)
    assert loaded["state_dict"]["weight"].tolist() == [1.0, 1.0]


def test_the_text_of_an_old_config_is_kept(folder):
    torch.save({"state_dict": {}, "meta": {"config": "model = dict()", "epoch": 3}}, "old.pth")
    assert read_checkpoint("old.pth")["meta"] == {"config_text": "model = dict()", "epoch": 3}


def test_tensors_go_where_they_are_asked_to(folder):
    torch.save({"weight": torch.ones(2)}, "weights.pth")
    assert read_checkpoint("weights.pth", map_location="meta")["weight"].device.type == "meta"


def test_a_forbidden_step_is_named(folder):
    # The name is allowed; setting the state of what came of it is not.
    torch.save({"payload": Call(getattr, HistoryBuffer, "min", state={"real": 1})}, "step.pth")
    with pytest.raises(
        CheckpointError, match=r"found a request for a forbidden step \(Can only build .*nothing in it ran"
    ):
        read_checkpoint("step.pth")


def test_content_without_end_is_refused(folder):
    nested: list = []
    nested.append(nested)
    torch.save({"nested": nested}, "endless.pth")
    with pytest.raises(CheckpointError, match="RecursionError"):
        read_checkpoint("endless.pth")
