"""Checkpoints whose pickle was written by hand: nothing in them runs, and nothing fills the memory."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from bounds import outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from mmengine.logging.history_buffer import HistoryBuffer
from pickle_programs import (
    ALLOWED,
    ARGUMENTS,
    FORBIDDEN,
    VALUES,
    call,
    doubled,
    name,
    number,
    program,
    tensor,
    text,
    tuple_of,
    write_zip,
)

from hrnet_plugin.checkpoints.contents import Contents, read_contents
from hrnet_plugin.errors import CheckpointError

#: What Python tells of before it does it. Imports count, too: a file may not choose a module.
_ACTS = (
    "exec", "compile", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pty.", "code.", "marshal.",
    "pickle.find_class", "webbrowser.", "tempfile.", "glob.", "urllib.", "builtins.input",
)  # fmt: skip
_HARMLESS = ("os.listdir", "os.scandir")
_SEEN: list[str] | None = None
Watch = Callable[[list[str]], contextlib.AbstractContextManager[None]]


def _notice(event: str, arguments: tuple) -> None:
    if _SEEN is None:
        return
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes or (event.startswith(_ACTS) and event not in _HARMLESS):
        _SEEN.append(f"{event} {arguments!r:.80}")


@pytest.fixture(scope="module")
def acts(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """`with acts(seen)`: into the list goes all that the process does meanwhile, besides reading and computing."""
    sys.addaudithook(_notice)
    good = tmp_path_factory.mktemp("good") / "good.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}, "history": HistoryBuffer([1.0], [1]), "a": np.ones(2)}, good)
    for path in (good, write_zip(good.with_name("by_hand.pth"), program(b"N"))):
        read_contents(path)  # what is imported once is imported here

    @contextlib.contextmanager
    def watch(seen: list[str]) -> Iterator[None]:
        global _SEEN
        _SEEN = seen
        try:
            yield
        finally:
            _SEEN = None

    return watch


def _read(path: Path, acts: Watch) -> Contents | CheckpointError:
    seen: list[str] = []

    def read() -> Contents:
        with acts(seen):
            return read_contents(path)

    found = outcome(read)
    if seen:  # torch imports parts of its own when they are first needed; they are there the second time
        assert seen[0].startswith("import ('torch."), seen
        seen.clear()
        found = outcome(read)
    assert not seen
    assert isinstance(found, (Contents, CheckpointError))
    assert os.listdir(path.parent) == [path.name]
    return found


@tries(150, 30000)
@given(value=VALUES)
def test_a_program_is_read_or_refused_and_runs_nothing(folder, acts, value):
    _read(write_zip(folder / "program.pth", program(value)), acts)


@tries(60, 10000)
@given(
    full=st.sampled_from(FORBIDDEN), arguments=st.lists(st.sampled_from(ARGUMENTS), max_size=2), how=st.integers(0, 2)
)
def test_a_call_of_anything_is_refused_by_name(folder, acts, full, arguments, how):
    given_to_it = tuple_of(*map(text, arguments))
    value = (name(full) + given_to_it + b"R", name(full) + given_to_it + b"\x81", name(full))[how]
    found = _read(write_zip(folder / "call.pth", program(value)), acts)
    assert "found a request for" in str(found)
    assert "nothing in it ran" in str(found)


def test_the_watch_sees_what_unsafe_reading_does(folder, acts):
    import pickle

    seen: list[str] = []
    with acts(seen):
        pickle.loads(b"\x80\x02" + call("os.mkdir", text(str(folder / "made"))) + b".")
    assert any(event.startswith("os.mkdir") for event in seen)


#: What a few hundred bytes can ask for.
BOMBS = {
    "a tensor of 10^12 numbers on one": tensor(1, (10**12,), (0,)),
    "a storage of 10^12 numbers": tensor(10**12, (10**12,), (1,)),
    "a storage that is longer than it is": tensor(10**6, (10**6,), (1,)),
    "an array of bytes": call("builtins.bytearray", number(10**11)),
    "a text that doubles": None,
    "a set of a large tensor": call("builtins.set", tensor(1, (10**12,), (0,))),
    "a counter of a large tensor": call("collections.Counter", tensor(1, (10**12,), (0,))),
    "a shape of a large tensor": call("torch.Size", tensor(1, (10**12,), (0,))),
    "an old tensor of any size": call("torch.FloatTensor", number(10**11)),
    "a tensor on no device": call(
        "torch._utils._rebuild_meta_tensor_no_storage",
        name("torch.float32"), tuple_of(number(10**12)), tuple_of(number(1)), b"\x89",
    ),
    "lists in lists": b"]" * 10**5 + b"a" * (10**5 - 1),
    "tuples in tuples": b")" + b"\x85" * 10**6,
    "a key of tuples in tuples": b"})" + b"\x85" * 10**6 + b"Ns",
    "a key of doubled tuples": b"}" + doubled(60) + b"Ns",
    "doubled lists": doubled(60, b"]", lambda one: b"](" + one + one + b"e"),
    "a list in itself": b"]q\x00h\x00a",
    "a dict whose methods are hidden": call("collections.OrderedDict") + b"}" + text("items") + number(5) + b"sb",
}  # fmt: skip


def _doubling_text() -> bytes:
    value = call("_codecs.encode", text("a" * 1000), text("latin1"))
    for _ in range(40):
        value = call("_codecs.encode", value, text("hex"))
    return value


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_few_bytes_fill_no_memory(folder, acts, bomb):
    value = BOMBS[bomb] or _doubling_text()
    found = _read(write_zip(folder / "bomb.pth", program(value)), acts)
    if "hidden" not in bomb:
        assert isinstance(found, CheckpointError), found
    else:
        assert list(found.meta.items()) == []


@pytest.mark.parametrize("numbers", [10**7, 10**9])
def test_a_zip_that_unpacks_to_much_is_not_unpacked(folder, acts, numbers):
    """100 MB and 1 GB of zeros in a file of a hundredth of it."""
    path = folder / "zeros.pth"
    if numbers > 10**8:
        _claim_more(write_zip(path, program(b"N"), bytes(10**6), packed=True))
    else:
        write_zip(path, program(tensor(numbers, (numbers,), (1,))), bytes(4 * numbers * 3), packed=True)
    assert "parts that unpack to" in str(_read(path, acts))


def _claim_more(path: Path) -> None:
    """A list of parts in which one is said to be of 4 GB."""
    data = bytearray(path.read_bytes())
    for place in range(len(data)):
        if data.startswith(b"PK\x01\x02", place) and data[place + 46 :].startswith(b"archive/data/0"):
            data[place + 24 : place + 28] = b"\xf0\xff\xff\xff"
    path.write_bytes(data)


@pytest.mark.parametrize("full", ["builtins.bytearray", "collections.Counter", "torch.Size", "builtins.set"])
def test_what_trainings_save_is_read(folder, acts, full):
    """The same names with what stands in the file; of `bytearray` and `set` as Python 2 and 3 write them."""
    content = {"builtins.bytearray": (text("ab"), text("latin-1")), "torch.Size": (tuple_of(number(2)),)}
    value = call(full, *content.get(full, (b"](" + number(2) + b"e",)))
    found = _read(write_zip(folder / "good.pth", program(value)), acts)
    assert isinstance(found, Contents), found
    assert full in ALLOWED
