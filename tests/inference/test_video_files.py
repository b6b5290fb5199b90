"""Videos are read and written a frame at a time; those that are none are one line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from hrnet_plugin.errors import ConfigError, DataError, MissingDependency
from hrnet_plugin.inference import video_files
from hrnet_plugin.inference.video_files import VideoReader, VideoWriter


def frames(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return list(reader)


def test_frames_come_in_order(tmp_path, picture, write_video):
    path = write_video(tmp_path / "größe 人" / "clip.mp4", 7, rate=12.5)
    with VideoReader(path) as reader:
        assert (reader.rate, reader.count) == (12.5, 7)
        found = list(reader)
    assert len(found) == 7
    for index, frame in enumerate(found):
        assert np.abs(frame.astype(int) - picture(index)).mean() < 25


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
@pytest.mark.parametrize("size", [(80, 60), (81, 61)])
def test_what_is_written_is_read_again(suffix, size, tmp_path, monkeypatch, picture):
    if suffix == ".avi":
        monkeypatch.setattr(video_files, "_ENCODERS", ((".mp4", "none"), (".avi", "MJPG")))
    writer = VideoWriter(tmp_path, "sub/clip", 10)
    for index in range(5):
        writer.write(picture(index, size[1], size[0]))
    writer.write(picture(5, 30, 40))  # a frame of another size gets that of the first
    assert not (tmp_path / "sub" / f"clip{suffix}").exists()
    writer.close()
    assert writer.place == f"sub/clip{suffix}"
    assert [path.name for path in (tmp_path / "sub").iterdir()] == [f"clip{suffix}"]
    found = frames(tmp_path / writer.place)
    assert len(found) == 6
    assert found[0].shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)
    assert np.abs(found[2][: size[1], : size[0]].astype(int) - picture(2, size[1], size[0])).mean() < 25


def test_a_discarded_video_leaves_nothing(tmp_path, picture):
    writer = VideoWriter(tmp_path, "clip", 10)
    writer.write(picture(0))
    writer.discard()
    assert list(tmp_path.iterdir()) == []
    VideoWriter(tmp_path, "clip", 10).discard()


def test_no_encoder_is_one_line(tmp_path, monkeypatch, picture):
    monkeypatch.setattr(video_files, "_ENCODERS", ((".mp4", "none"), (".avi", "nope")))
    with pytest.raises(
        MissingDependency, match="video of 80x60: found no encoder in this OpenCV, expected none or nope"
    ):
        VideoWriter(tmp_path, "clip", 10).write(picture(0))
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_was_not_written_as_a_whole_is_told(tmp_path, picture):
    """OpenCV says nothing of a full disk."""
    writer = VideoWriter(tmp_path, "clip", 10)
    writer.write(picture(0))
    real = writer._writer

    class Full:
        def release(self) -> None:
            real.release()
            path = next(tmp_path.iterdir())
            path.write_bytes(path.read_bytes()[:200])

    writer._writer = Full()
    with pytest.raises(ConfigError, match=r"clip\.mp4: found a video that was not written as a whole"):
        writer.close()
    assert list(tmp_path.iterdir()) == []


def test_videos_that_are_none_are_one_line(tmp_path, capfd, write_video):
    whole = write_video(tmp_path / "whole.mp4", 9).read_bytes()
    write_video(tmp_path / "no_frames.avi", 0)
    for name, content, words in (
        ("empty.mp4", b"", "an empty file"),
        ("text.mp4", b"text " * 99, "nothing that OpenCV can open"),
        ("cut.mp4", whole[: len(whole) // 2], "nothing that OpenCV can open"),
        ("no_frames.avi", None, "no frames"),
        ("gone.mp4", None, "no such file"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"video .*{name}: found {words}") as caught:
            VideoReader(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


class _Undecodable:
    """A capture of a codec that this machine cannot decode, and one that knows neither rate nor length."""

    def __init__(self, frames: int, rate: float, count: float):
        self.left, self.values = frames, {cv2.CAP_PROP_FPS: rate, cv2.CAP_PROP_FRAME_COUNT: count}

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        self.left -= 1
        return (True, np.zeros((60, 80, 3), np.uint8)) if self.left >= 0 else (False, None)

    def get(self, what: int) -> float:
        return self.values.get(what, cv2.VideoWriter_fourcc(*"hev1"))

    def release(self) -> None:
        pass


def test_a_missing_codec_is_named(tmp_path, monkeypatch):
    (tmp_path / "x.mp4").write_bytes(b"x")
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: _Undecodable(0, 25, 100))
    with pytest.raises(DataError, match=r"found 100 frames of codec hev1, none of which can be decoded.*ffmpeg -i IN"):
        VideoReader(tmp_path / "x.mp4")


@pytest.mark.parametrize("value", [0.0, float("nan"), -1.0, 1e12])
def test_a_rate_and_a_length_that_nobody_knows(value, tmp_path, monkeypatch):
    (tmp_path / "x.mp4").write_bytes(b"x")
    monkeypatch.setattr(cv2, "VideoCapture", lambda _: _Undecodable(3, value, value))
    with VideoReader(tmp_path / "x.mp4") as reader:
        assert (reader.rate, reader.count, len(list(reader))) == (25.0, None, 3)
