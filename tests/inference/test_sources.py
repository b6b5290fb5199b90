"""Which files are meant, how they are called, and which are passed over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hrnet_plugin.errors import DataError
from hrnet_plugin.inference.sources import find_sources


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty files; the current folder is theirs."""
    for name in ("in/a.jpg", "in/b.PNG", "in/sub/a.jpg", "in/sub/clip.mp4", "in/notes.txt", "in/.hidden.jpg",
                 "in/.trash/c.jpg", "other/a.jpg", "other/in/d.tif", "odd[1].jpg"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*given: str, out: str = "out") -> list[str]:
    return [source.name for source in find_sources(given, out)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["in"], ["a.jpg", "b.PNG", "sub/a.jpg", "sub/clip.mp4"]),
        (["in/"], ["a.jpg", "b.PNG", "sub/a.jpg", "sub/clip.mp4"]),
        (["in/b.PNG", "in/a.jpg"], ["b.PNG", "a.jpg"]),
        (["in/a.jpg", "in", "./in/a.jpg"], ["a.jpg", "b.PNG", "sub/a.jpg", "sub/clip.mp4"]),
        (["in/*.jpg"], ["a.jpg"]),
        (["in/**/*.jpg"], ["a.jpg", "sub/a.jpg"]),
        (["in/*"], ["a.jpg", "b.PNG", "sub/a.jpg", "sub/clip.mp4"]),
        (["in/s*"], ["sub/a.jpg", "sub/clip.mp4"]),
        (["odd[1].jpg"], ["odd[1].jpg"]),
        (["in/notes.txt"], ["notes.txt"]),  # named by itself: whether it is an image shows when it is read
        (["in/a.jpg", "other/a.jpg"], ["in/a.jpg", "other/a.jpg"]),
        (["in", "other"], ["in/a.jpg", "in/b.PNG", "in/sub/a.jpg", "in/sub/clip.mp4", "other/a.jpg", "other/in/d.tif"]),
        (["in/sub", "in"], ["sub/a.jpg", "sub/clip.mp4", "a.jpg", "b.PNG"]),
        (["in/a.jpg", "other/in/d.tif"], ["in/a.jpg", "other/in/d.tif"]),
    ],
)
def test_names_are_places_below_what_was_given(tree, given, expected):
    assert names(*given) == expected
    assert len(set(expected)) == len(expected)


def test_videos_are_told_by_their_suffix(tree):
    assert [source.is_video for source in find_sources(["in/sub"], "out")] == [False, True]


@pytest.mark.parametrize("out", ["in/results", "in/sub/results"])
def test_results_inside_an_input_folder_are_no_inputs(tree, out):
    before = names("in", out=out)
    for name in ("pictures/a.jpg", "pictures/sub/a.jpg", "masks/a.png", "videos/clip.mp4", "more.jpg"):
        (Path(out) / name).parent.mkdir(parents=True, exist_ok=True)
        (Path(out) / name).touch()
    assert names("in", out=out) == before
    assert names("in/**/*.jpg", out=out) == ["a.jpg", "sub/a.jpg"]


def test_an_input_folder_that_receives_the_results_is_read_all_the_same(tree):
    for name in ("in/pictures/a.jpg", "in/masks/a.png"):
        Path(name).parent.mkdir()
        Path(name).touch()
    Path("in/journal.jsonl").touch()
    assert names("in", out="in") == ["a.jpg", "b.PNG", "sub/a.jpg", "sub/clip.mp4"]
    assert names("in", out=".")[:2] == ["a.jpg", "b.PNG"]
    with pytest.raises(DataError, match=r"input in/pictures/a\.jpg: found a picture that lies among the results"):
        find_sources(["in/pictures/a.jpg"], "in")


@pytest.mark.parametrize("given", ["videos", "videos/c.mp4", "videos/*.mp4", "."])
def test_folders_of_one_s_own_with_the_names_of_results_are_told(given, tree):
    """No run wrote there: they are no results, and results do not go among them."""
    Path("videos").mkdir()
    Path("videos/c.mp4").touch()
    words = r"input .*videos/c\.mp4: found a file of your own in videos/, where the results of --out .* go\. Name anoth"
    with pytest.raises(DataError, match=words):
        find_sources([given], ".")
    assert "c.mp4" in names(given, out="elsewhere")[-1]
    Path("journal.jsonl").touch()
    if given != ".":
        with pytest.raises(
            DataError, match=r"found (a folder without images|nothing of this|a picture that lies among)"
        ):
            find_sources([given], ".")
    else:
        assert not any("c.mp4" in name for name in names(given, out="."))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("gone.jpg", "input gone.jpg: found no such file or folder, expected an image, a video, or a folder"),
        ("in/*.gif", r"input in/\*\.gif: found nothing of this pattern, expected files ending with \.jpg"),
        ("in/*.txt", "found nothing of this pattern"),
        ("empty", r"input empty: found a folder without images, expected files ending with .*\.mp4"),
    ],
)
def test_nothing_is_one_line(tree, given, words):
    Path("empty").mkdir()
    with pytest.raises(DataError, match=words):
        find_sources([given], "out")


def test_a_home_folder_and_a_link(tree, monkeypatch):
    monkeypatch.setenv("HOME", str(tree))
    assert names("~/in")[0] == "a.jpg"
    os.symlink(tree / "in" / "a.jpg", tree / "other" / "link.jpg")
    assert names("other") == ["a.jpg", "in/d.tif", "link.jpg"]
