"""Weights arrive whole and right, or not at all; what has arrived is not asked for twice."""

from __future__ import annotations

import errno
import json
import os
import threading
from pathlib import Path

import pytest

from hrnet_plugin.errors import CheckpointError, ConfigError
from hrnet_plugin.published.download import fetch, mirrors_named
from hrnet_plugin.published.partial import Partial
from hrnet_plugin.published.transfer import Patience

NAME = "/zoo/net-1.pth"
FILE = "net-1.pth"
CONTENT = bytes(range(256)) * 400
BAD = CONTENT[:-1] + b"!"
#: Short waits: the servers below are silent on purpose.
QUICK = Patience(connect=2, silence=0.15, window=0.05)


def left_in(folder: Path) -> set[str]:
    """The names of all files there, less the lock."""
    return {path.name for path in folder.iterdir()} - {f".{FILE}.lock"}


def begun(store: Path, content: bytes, **note: object) -> Path:
    """A partial file from an earlier fetch."""
    store.mkdir(exist_ok=True)
    partial = store / f".{FILE}.partial"
    partial.write_bytes(content)
    (store / f".{FILE}.partial.json").write_text(json.dumps(note))
    return partial


def test_a_good_file_takes_its_place(server, page, store, source_of, told):
    server.pages[NAME] = page(CONTENT)
    source = source_of(server.url(NAME), CONTENT)
    assert fetch(source, listener=told) == store / FILE
    assert (store / FILE).read_bytes() == CONTENT
    assert left_in(store) == {FILE}
    assert told.begun == [(source.url, 0, len(CONTENT))]
    assert told.count == len(CONTENT)


def test_a_good_file_at_hand_is_not_asked_for(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT)
    source = source_of(server.url(NAME), CONTENT)
    assert fetch(source) == fetch(source)
    assert len(server.requests) == 1


def test_a_wrong_file_at_hand_is_refused_and_stays(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT)
    store.mkdir()
    (store / FILE).write_bytes(BAD)
    with pytest.raises(CheckpointError, match=r"net-1\.pth: found SHA-256 \w{16}\.\.\., expected \w{16}\.\.\. as publ"):
        fetch(source_of(server.url(NAME), CONTENT))
    assert (store / FILE).read_bytes() == BAD
    assert server.requests == []


def test_another_folder_can_be_named(server, page, store, source_of, tmp_path):
    server.pages[NAME] = page(CONTENT)
    assert (
        fetch(source_of(server.url(NAME), CONTENT), tmp_path / "here" / "there") == tmp_path / "here" / "there" / FILE
    )
    assert not store.exists()


def test_eight_digits_of_the_hash_are_checked(server, page, store, source_of):
    from dataclasses import replace

    server.pages[NAME] = page(CONTENT)
    source = source_of(server.url(NAME), CONTENT)
    assert fetch(replace(source, sha256=source.sha256[:8])).is_file()
    (store / FILE).unlink()
    with pytest.raises(CheckpointError, match=r"sends a file with SHA-256 \w{16}\.\.\., not 00000000"):
        fetch(replace(source, sha256="00000000"))


def test_a_wrong_hash_leaves_nothing(server, page, store, source_of):
    server.pages[NAME] = page(BAD)
    with pytest.raises(
        CheckpointError, match=r"net-1\.pth could not be fetched: found http.*: sends a file with SHA-256"
    ):
        fetch(source_of(server.url(NAME), CONTENT))
    assert left_in(store) == set()
    assert len(server.requests) == 1


def test_a_cut_connection_is_continued_at_once(server, page, store, source_of, told):
    server.pages[NAME] = page(CONTENT, cuts=[1000, 2000])
    fetch(source_of(server.url(NAME), CONTENT), listener=told)
    assert server.asked == [(NAME, None), (NAME, "bytes=1000-"), (NAME, "bytes=3000-")]
    assert sum(request.sent for request in server.requests) == len(CONTENT) == told.count
    assert (store / FILE).read_bytes() == CONTENT


def test_a_download_that_stopped_is_continued_by_the_next(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT, cuts=[5000, 0], etag='"one"')
    source = source_of(server.url(NAME), CONTENT)
    with pytest.raises(CheckpointError, match=r"connection cut after 5000 of 102400 bytes"):
        fetch(source)
    assert left_in(store) == {f".{FILE}.partial", f".{FILE}.partial.json"}
    fetch(source)
    assert server.requests[-1].range == "bytes=5000-"
    assert server.requests[-1].if_range == '"one"'
    assert sum(request.sent for request in server.requests) == len(CONTENT)
    assert left_in(store) == {FILE}


def test_a_server_that_cuts_without_sending_is_not_asked_for_ever(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT, cuts=[10, 10, 10, 10, 10, 10])
    with pytest.raises(CheckpointError, match="connection cut after 50 of"):
        fetch(source_of(server.url(NAME), CONTENT))
    assert len(server.requests) == 5


def test_a_server_without_ranges_starts_anew(server, page, store, source_of):
    begun(store, CONTENT[:5000])
    server.pages[NAME] = page(CONTENT, ranges=False)
    fetch(source_of(server.url(NAME), CONTENT))
    assert server.asked == [(NAME, "bytes=5000-")]
    assert (store / FILE).read_bytes() == CONTENT


def test_a_version_that_changed_starts_anew(server, page, store, source_of):
    begun(store, BAD[:5000], url=server.url(NAME), version='"old"', total=len(BAD))
    server.pages[NAME] = page(CONTENT, etag='"new"')
    fetch(source_of(server.url(NAME), None))
    assert server.requests[0].if_range == '"old"'
    assert (store / FILE).read_bytes() == CONTENT


def test_a_length_that_changed_starts_anew(server, page, store, source_of):
    begun(store, CONTENT[:5000], url="http://elsewhere/net.pth", version=None, total=6000)
    server.pages[NAME] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT))
    assert server.asked == [(NAME, "bytes=5000-"), (NAME, None)]
    assert (store / FILE).read_bytes() == CONTENT


def test_what_another_server_sent_wrongly_is_fetched_anew(server, page, store, source_of):
    begun(store, b"?" * 5000)
    server.pages[NAME] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT))
    assert server.asked == [(NAME, "bytes=5000-"), (NAME, None)]
    assert (store / FILE).read_bytes() == CONTENT


def test_without_a_hash_only_the_same_version_is_continued(server, page, store, source_of):
    begun(store, CONTENT[:5000], url="http://elsewhere/net.pth", version='"one"', total=len(CONTENT))
    server.pages[NAME] = page(CONTENT, etag='"one"')
    fetch(source_of(server.url(NAME), None))
    assert server.asked == [(NAME, None)]
    assert (store / FILE).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("content", "requests"), [(CONTENT, 1), (CONTENT + b"more", 2), (BAD, 2)], ids=["whole", "too long", "wrong"]
)
def test_nothing_left_to_ask_for(server, page, store, source_of, content, requests):
    begun(store, content)
    server.pages[NAME] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT))
    assert len(server.requests) == requests
    assert (store / FILE).read_bytes() == CONTENT


def test_a_note_that_was_written_by_half_is_ignored(server, page, store, source_of):
    begun(store, CONTENT[:5000])
    (store / f".{FILE}.partial.json").write_text('{"url": "ht')
    server.pages[NAME] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT))
    assert server.asked == [(NAME, "bytes=5000-")]


def test_mirrors_are_asked_in_their_order_and_the_published_url_last(server, page, store, source_of):
    server.pages["/b/net-1.pth"] = page(BAD)
    server.pages[NAME] = page(CONTENT)
    mirrors = [server.url("/a"), server.url("/b/"), server.url("/a")]
    fetch(source_of(server.url(NAME), CONTENT), mirrors=mirrors)
    assert server.asked == [("/a/net-1.pth", None), ("/b/net-1.pth", None), (NAME, None)]
    assert (store / FILE).read_bytes() == CONTENT


def test_the_first_mirror_that_has_it_is_the_last_one_asked(server, page, store, source_of):
    server.pages["/a/net-1.pth"] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT), mirrors=[server.url("/a"), server.url("/b")])
    assert server.asked == [("/a/net-1.pth", None)]


def test_a_silent_server_is_left_for_the_next_which_continues(server, page, store, source_of, told):
    server.pages["/a/net-1.pth"] = page(CONTENT, stalls_after=7000)
    server.pages[NAME] = page(CONTENT)
    fetch(source_of(server.url(NAME), CONTENT), mirrors=[server.url("/a")], listener=told, patience=QUICK)
    assert told.faults == ["silent for 0.15 s"]
    assert server.asked == [("/a/net-1.pth", None), (NAME, "bytes=7000-")]
    assert (store / FILE).read_bytes() == CONTENT


def test_a_server_that_drips_is_left(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT, drips=True)
    with pytest.raises(CheckpointError, match=r"too slow \(\d bytes in 0\.05 s\)"):
        fetch(source_of(server.url(NAME), CONTENT), patience=QUICK)
    assert f".{FILE}.partial" in left_in(store)


def test_redirects_are_followed(server, page, store, source_of):
    server.pages[NAME] = page(location="/elsewhere?key=1")
    server.pages["/elsewhere?key=1"] = page(CONTENT)
    assert fetch(source_of(server.url(NAME), CONTENT)) == store / FILE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 404}, "404 Not Found"),
        ({"status": 503}, "503 Service Unavailable"),
        ({"location": NAME}, "redirects in a circle"),
        ({"location": "file:///etc/hostname"}, "no connection (No connection adapters were found"),
        ({"headers": {"Content-Type": "text/html"}}, "sends a web page"),
        ({"headers": {"Content-Encoding": "gzip"}}, "sends it compressed"),
        ({"headers": {"Content-Length": "99999999999"}}, "sends 99999999999 bytes, more than any network has"),
        ({"content": b""}, "sends an empty file"),
        ({"content": CONTENT[:10], "headers": {"Content-Length": "20"}}, "connection cut after 10 of 20 bytes"),
    ],
)
def test_a_server_that_is_no_good_is_told_with_file_folder_and_url(server, page, store, source_of, answer, reason):
    server.pages[NAME] = page(**{"content": CONTENT} | answer)
    with pytest.raises(CheckpointError) as caught:
        fetch(source_of(server.url(NAME), CONTENT))
    line = str(caught.value)
    assert line.startswith(f"weights net: {FILE} could not be fetched: found {server.url(NAME)}: {reason}")
    assert f"expected it at {store / FILE}. Put the file there by hand, or name a mirror" in line
    assert "\n" not in line
    assert FILE not in left_in(store)


def test_offline_every_url_is_named_with_its_reason(store, source_of):
    urls = ["http://127.0.0.1:9/mirror", "http://nowhere.invalid/zoo/net-1.pth"]
    with pytest.raises(CheckpointError) as caught:
        fetch(source_of(urls[1], CONTENT), mirrors=[urls[0]], patience=QUICK)
    first, second = str(caught.value).partition("; ")[::2]
    assert f"{urls[0]}/{FILE}: no connection (Connection refused)" in first
    assert f"{urls[1]}: no connection (" in second
    assert str(store / FILE) in second


def test_without_length_and_hash_nobody_knows_that_it_is_whole(server, page, store, source_of):
    server.pages[NAME] = page(CONTENT, lengths=False)
    with pytest.raises(CheckpointError, match="tells no length, and no hash was published"):
        fetch(source_of(server.url(NAME), None))
    assert fetch(source_of(server.url(NAME), CONTENT)).read_bytes() == CONTENT


def test_two_fetches_of_one_file_ask_once(server, page, store, source_of, told):
    server.pages[NAME] = page(CONTENT, held=threading.Event())
    source = source_of(server.url(NAME), CONTENT)
    found = []
    first = threading.Thread(target=lambda: found.append(fetch(source)))
    first.start()
    while not server.requests:
        first.join(0.01)
    second = threading.Thread(target=lambda: found.append(fetch(source, listener=told)))
    second.start()
    assert told.has_waited.wait(20)
    server.pages[NAME].held.set()
    for thread in (first, second):
        thread.join(20)
    assert found == [store / FILE, store / FILE]
    assert len(server.requests) == 1


class Crowded:
    """A file on a disk that has room for 3000 bytes more."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> Crowded:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, piece: bytes) -> None:
        """Writes as much as there is room for."""
        self.path.write_bytes(piece[:3000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_in_one_line_and_the_rest_is_fetched_later(server, page, store, source_of, monkeypatch):
    server.pages["/a/net-1.pth"] = server.pages[NAME] = page(CONTENT)
    source = source_of(server.url(NAME), CONTENT)
    with monkeypatch.context() as patch:
        patch.setattr(Partial, "open", lambda self: Crowded(self.path))
        with pytest.raises(CheckpointError) as caught:
            fetch(source, mirrors=[server.url("/a")])
    assert str(caught.value) == (
        f"weights {store / FILE}: found no room left in {store}. Make room or name another folder, and run it again: "
        "it goes on where it stopped"
    )
    assert left_in(store) == {f".{FILE}.partial", f".{FILE}.partial.json"}
    fetch(source)
    assert server.asked == [("/a/net-1.pth", None), (NAME, "bytes=3000-")]
    assert left_in(store) == {FILE}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_a_full_disk_that_shows_when_the_file_is_closed(server, page, store, source_of, monkeypatch):
    server.pages[NAME] = page(CONTENT[:100])
    monkeypatch.setattr(Partial, "open", lambda self: open("/dev/full", "ab"))  # noqa: SIM115
    with pytest.raises(CheckpointError, match="found no room left in"):
        fetch(source_of(server.url(NAME), CONTENT[:100]))
    assert not (store / FILE).exists()


@pytest.mark.parametrize("place", ["below a file", "a folder of its name"])
def test_a_place_that_cannot_be_written_is_told(server, page, store, source_of, place):
    server.pages[NAME] = page(CONTENT)
    if place == "below a file":
        store.write_text("a file")
    else:
        (store / FILE).mkdir(parents=True)
    with pytest.raises(
        CheckpointError, match=r"net-1\.pth: found (not a|is a|file exists)[^.]*, expected a folder that"
    ):
        fetch(source_of(server.url(NAME), CONTENT))


def test_what_cannot_be_downloaded_is_told(store, source_of):
    with pytest.raises(CheckpointError, match=r"found nothing at .*net-1\.pth\. Put the file there by hand"):
        fetch(source_of("s3://bucket/net-1.pth", CONTENT))


def test_mirrors_stand_on_the_command_line_and_in_the_environment(store, monkeypatch):
    monkeypatch.setenv("HRNET_MIRRORS", "https://c/x, http://d\nhttps://a")
    assert mirrors_named("https://a", "https://b") == ("https://a", "https://b", "https://c/x", "http://d")
    for wrong in ("file:///etc", "host/folder", "https://"):
        with pytest.raises(ConfigError, match="expected a base URL such as"):
            mirrors_named(wrong)


def test_a_protected_address_must_not_redirect_to_an_unprotected_one():
    from types import SimpleNamespace

    from hrnet_plugin.published.transfer import SourceFault, _read_head

    with pytest.raises(SourceFault, match="redirects to an unprotected address, http://b"):
        _read_head(SimpleNamespace(url="http://b"), "https://a")
