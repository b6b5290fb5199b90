"""What is in the store is checked before it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.errors import CheckpointError
from hrnet_plugin.published import store as store_module
from hrnet_plugin.published.store import find_stored, stored_path, weights_dir

URL = "https://weights.example/zoo/net-1.pth"


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("HRNET_WEIGHTS", raising=False)
    assert weights_dir() == tmp_path / "hrnet_plugin" / "weights"
    monkeypatch.setenv("HRNET_WEIGHTS", "~/weights")
    assert weights_dir() == Path.home() / "weights"


def test_what_is_not_there_is_none(store, source_of):
    assert find_stored(source_of(URL, b"")) is None


def test_a_file_without_a_published_hash_is_taken(store, source_of):
    store.mkdir()
    (store / "net-1.pth").write_bytes(b"anything")
    assert find_stored(source_of(URL, None)) == store / "net-1.pth"


def test_a_file_is_hashed_once_and_again_when_it_changes(store, source_of, monkeypatch):
    source = source_of(URL, b"right")
    path = stored_path(source)
    store.mkdir()
    path.write_bytes(b"right")
    assert find_stored(source) == path
    with monkeypatch.context() as patch:
        patch.setattr(store_module, "file_sha256", lambda path: pytest.fail("hashed again"))
        assert find_stored(source) == path
    path.write_bytes(b"wrong, and of another length")
    with pytest.raises(CheckpointError, match="Move the file away, then run: hrnet zoo fetch net"):
        find_stored(source)
    assert path.read_bytes() == b"wrong, and of another length"


def test_a_file_that_cannot_be_read_is_told(store, source_of, monkeypatch):
    store.mkdir()
    (store / "net-1.pth").write_bytes(b"x")

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store_module, "file_sha256", refuse)
    with pytest.raises(CheckpointError, match="found permission denied, expected a file that can be read"):
        find_stored(source_of(URL, b"x"))
