"""Whole runs: every input has its results, one that is broken stops no other, and an interrupted run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.inference import session as sessions
from hrnet_plugin.inference.box_files import BoxFile
from hrnet_plugin.inference.drawing import draw
from hrnet_plugin.inference.session import Choices


def results(out: Path) -> dict:
    return json.loads((out / "results.json").read_text())


def contents(out: Path) -> dict[str, bytes]:
    """Every file, the lines of the journal in any order."""
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    lines = found["journal.jsonl"].splitlines()
    found["journal.jsonl"] = b"\n".join(sorted({json.loads(line).get("name", ""): line for line in lines}.values()))
    return found


def test_each_image_has_its_results(infer, posing, photos, tmp_path):
    outcome = infer(posing, [photos])
    assert (outcome.images, outcome.failures, outcome.notes) == (7, [], [])
    found = results(tmp_path / "out")
    names = ["a.png", "b.jpg", "one/x.jpg", "two/deep/größe 人.png", "two/x.jpg", "y.bmp", "z.jpg"]
    assert [image["file_name"] for image in found["images"]] == names
    assert [image["id"] for image in found["images"]] == list(range(1, 8))
    for name, annotation in zip(names, found["annotations"], strict=True):
        (alone,) = posing(photos / name)
        points = np.array(annotation["keypoints"]).reshape(3, 3)
        assert np.allclose(points[:, :2], alone.keypoints[0], atol=1e-3)
        assert annotation["bbox"] == [0, 0, 80, 60]
    pictures = [image["picture"] for image in found["images"]]
    assert pictures[2:5] == ["pictures/one/x.jpg", "pictures/two/deep/größe 人.jpg", "pictures/two/x.jpg"]
    drawn = cv2.imdecode(np.fromfile(tmp_path / "out" / pictures[2], np.uint8), cv2.IMREAD_COLOR)
    expected = draw(photos / "one/x.jpg", posing(photos / "one/x.jpg")[0])
    assert np.abs(drawn.astype(int) - expected).mean() < 10


def test_batches_are_as_large_as_asked(infer, posing, photos, tmp_path):
    for size, calls in ((3, [3, 3, 1]), (8, [7]), (1, [1] * 7)):
        posing.runtime.calls.clear()
        infer(posing, [photos], tmp_path / f"out{size}", choices=Choices(size, flip_test=False))
        assert posing.runtime.calls == calls
    assert results(tmp_path / "out3") == results(tmp_path / "out8") == results(tmp_path / "out1")


def test_flip_test_is_a_choice(infer, posing, photos, tmp_path):
    infer(posing, [photos / "a.png"], tmp_path / "plain", choices=Choices(flip_test=False))
    infer(posing, [photos / "a.png"], tmp_path / "flipped", choices=Choices(flip_test=True))
    assert posing.runtime.calls == [1, 1, 1]
    plain, flipped = (results(tmp_path / name)["annotations"][0] for name in ("plain", "flipped"))
    assert plain["keypoint_scores"] != flipped["keypoint_scores"]


def test_masks_and_shares(infer, segmenting, photos, tmp_path):
    infer(segmenting, [photos])
    for image in results(tmp_path / "out")["images"]:
        mask = cv2.imdecode(np.fromfile(tmp_path / "out" / image["mask"], np.uint8), cv2.IMREAD_UNCHANGED)
        (alone,) = segmenting(photos / image["file_name"])
        assert np.array_equal(mask, alone.labels)
        shares = {one["index"]: one["share"] for one in image["classes"]}
        assert shares == {index: pytest.approx((mask == index).mean(), abs=1e-6) for index in shares}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


def test_classes(infer, classifying, photos, tmp_path):
    infer(classifying, [photos], choices=Choices(top=2, pictures=False))
    for image in results(tmp_path / "out")["images"]:
        (alone,) = classifying(photos / image["file_name"])
        assert image["classes"][0]["index"] == alone.label
        assert len(image["classes"]) == 2
    assert not (tmp_path / "out/pictures").exists()


def test_a_broken_image_stops_no_other(infer, posing, photos, tmp_path):
    whole = (photos / "b.jpg").read_bytes()
    (photos / "b.jpg").write_bytes(whole[:200])
    (photos / "one/x.jpg").write_text("text")
    outcome = infer(posing, [photos])
    assert outcome.images == 5
    first, second = outcome.failures
    assert first.startswith(f"image {photos / 'b.jpg'}: found a truncated file")
    assert second.startswith(f"image {photos / 'one/x.jpg'}: found nothing that OpenCV reads")
    assert len(results(tmp_path / "out")["images"]) == 5
    # The next call tries them again, alone as long as they have not changed.
    posing.runtime.calls.clear()
    assert infer(posing, [photos]).failures == [first, second]
    assert posing.runtime.calls == []
    (photos / "b.jpg").write_bytes(whole)
    again = infer(posing, [photos])
    assert (again.images, again.failures) == (2, [second])
    names = [image["file_name"] for image in results(tmp_path / "out")["images"]]
    assert names == ["a.png", "b.jpg", "two/deep/größe 人.png", "two/x.jpg", "y.bmp", "z.jpg"]


def test_a_second_call_computes_nothing(infer, posing, photos, tmp_path):
    infer(posing, [photos])
    before = contents(tmp_path / "out")
    posing.runtime.calls.clear()
    assert infer(posing, [photos]).images == 0
    assert posing.runtime.calls == []
    assert contents(tmp_path / "out") == before


def test_what_changed_or_is_gone_or_is_new_is_computed(infer, posing, picture, photos, tmp_path):
    infer(posing, [photos])
    (tmp_path / "out/pictures/z.jpg").unlink()
    assert infer(posing, [photos]).images == 1
    (photos / "a.png").write_bytes(cv2.imencode(".png", picture(99))[1].tobytes())
    assert infer(posing, [photos]).images == 3  # its batch
    (photos / "zz.png").write_bytes(cv2.imencode(".png", picture(98))[1].tobytes())
    assert infer(posing, [photos]).images == 2  # z.jpg's batch has grown
    assert len(results(tmp_path / "out")["images"]) == 8


def test_more_inputs_write_over_nothing_that_is_finished(infer, segmenting, picture, write_video, tmp_path):
    """Whatever comes before it, a finished input keeps the names of its results."""
    folder = tmp_path / "k"
    for number, name in enumerate(("x.png", "x.jpg", "x.bmp")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(cv2.imencode(name[1:], picture(number))[1].tobytes())
    videos = [write_video(folder / name, 2) for name in ("x.mp4", "x.avi")]
    infer(segmenting, [folder / "x.png", videos[0]])
    before = contents(tmp_path / "out")
    assert infer(segmenting, [folder / "x.jpg", folder / "x.png", *reversed(videos)]).failures == []
    infer(segmenting, [folder / "x.bmp", folder / "x.jpg", folder / "x.png", *reversed(videos)])
    after = contents(tmp_path / "out")
    assert {name: after[name] for name in before if "/" in name} == {n: d for n, d in before.items() if "/" in n}
    for image in results(tmp_path / "out")["images"]:
        mask = cv2.imread(str(tmp_path / "out" / image["mask"]), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(mask, segmenting(folder / image["file_name"])[0].labels), image
    kept = results(tmp_path / "out")
    assert len({one["mask"] for one in kept["images"]}) == len({one["picture"] for one in kept["images"]}) == 3
    assert len({one["results"] for one in kept["videos"]}) == 2


def test_a_picture_too_wide_for_a_jpeg_is_a_png(infer, segmenting, photos, tmp_path):
    (photos / "b.png").write_bytes(cv2.imencode(".png", np.full((16, 66000, 3), 90, np.uint8))[1].tobytes())
    outcome = infer(segmenting, [photos])
    assert (outcome.images, outcome.failures) == (8, [])
    (wide,) = (image for image in results(tmp_path / "out")["images"] if image["file_name"] == "b.png")
    assert wide["picture"] == "pictures/b.png.png"
    assert cv2.imread(str(tmp_path / "out" / wide["picture"])).shape == (16, 66000, 3)


def test_very_large_images_and_boxes_have_poses(infer, posing, photos, picture, tmp_path):
    """OpenCV warps no image beyond 32766 pixels; the same person stands in a small picture and in a large one."""
    small = picture(3)
    large = np.zeros((64, 40000, 3), np.uint8)
    large[:60, 39000:39080] = small
    (photos / "c.png").write_bytes(cv2.imencode(".png", large)[1].tobytes())
    far = [0, 0, 3e9, 3e9]
    file = tmp_path / "boxes.json"
    boxes = {"a.png": [far, [5, 5, 60, 50]], "c.png": [[39010, 10, 39060, 50], [0, 0, 40000, 64], far], "y.bmp": []}
    file.write_text(json.dumps(boxes))
    outcome = infer(posing, [photos], persons=BoxFile(file))
    assert (outcome.images, outcome.failures) == (3, [])
    found = results(tmp_path / "out")["annotations"]
    assert [one["image_id"] for one in found] == [1, 1, 2, 2, 2]
    alone = np.zeros((64, 400, 3), np.uint8)
    alone[:60, 200:280] = small
    (near,) = posing(alone, [[210, 10, 260, 50]])
    points = np.array(found[2]["keypoints"]).reshape(3, 3)[:, :2]
    assert np.allclose(points - [38800, 0], near.keypoints[0], atol=0.1)


@pytest.mark.parametrize("stage", ["predict", "draw"])
@pytest.mark.parametrize("error", [DataError("boxes", found="none"), cv2.error("(-215) too large")])
def test_an_image_that_cannot_be_processed_stops_no_other(stage, error, infer, posing, photos, tmp_path, monkeypatch):
    broken = cv2.imread(str(photos / "y.bmp"))

    def failing(real):
        def call(*args: object, **kwargs: object) -> object:
            images = [one for arg in args for one in (arg if isinstance(arg, list) else [arg])]
            if any(isinstance(one, np.ndarray) and np.array_equal(one, broken) for one in images):
                raise error
            return real(*args, **kwargs)

        return call

    if stage == "draw":
        monkeypatch.setattr(sessions, "draw", failing(draw))
    else:
        monkeypatch.setattr(type(posing), "__call__", failing(type(posing).__call__))
    outcome = infer(posing, [photos])
    assert outcome.images == 6
    (failure,) = outcome.failures
    assert failure.startswith(f"image {photos / 'y.bmp'}")
    assert "\n" not in failure
    assert len(results(tmp_path / "out")["images"]) == 6
    monkeypatch.undo()
    assert infer(posing, [photos]).images == 1


@pytest.mark.parametrize("last", [1, 3, 4, 7])
def test_a_stopped_run_goes_on_and_ends_like_one_that_was_not(last, infer, posing, photos, tmp_path, monkeypatch):
    """Stopped when the picture of the image of this number is about to be written."""
    infer(posing, [photos], tmp_path / "straight")
    drawn = []

    def stopping(*args: object, **kwargs: object) -> np.ndarray:
        drawn.append(1)
        if len(drawn) == last:
            raise KeyboardInterrupt
        return draw(*args, **kwargs)

    monkeypatch.setattr(sessions, "draw", stopping)
    with pytest.raises(KeyboardInterrupt):
        infer(posing, [photos], tmp_path / "halves")
    monkeypatch.setattr(sessions, "draw", draw)
    lost = (last - 1) // 3 * 3  # what was finished before the batch of three
    assert infer(posing, [photos], tmp_path / "halves").images == 7 - lost
    assert contents(tmp_path / "halves") == contents(tmp_path / "straight")


_KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {folder!r})
import conftest
from hrnet_plugin.inference import session
real = session.draw
def slow(*args, **kwargs):
    if Path({out!r}, "journal.jsonl").read_text().count("\\n") == 6:
        print("now", flush=True)
        time.sleep(600)
    return real(*args, **kwargs)
session.draw = slow
run = conftest.infer.__wrapped__(Path({out!r}).parent)
run(conftest.posing.__wrapped__(), [{photos!r}], Path({out!r}))
"""


def test_a_killed_run_loses_its_last_batch_alone(infer, posing, photos, tmp_path):
    out = tmp_path / "killed"
    code = _KILLED.format(folder=str(Path(__file__).parent), out=str(out), photos=str(photos))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "now\n"
        process.kill()
    assert not (out / "results.json").exists()
    assert infer(posing, [photos], out).images == 4  # three of seven were in whole batches
    infer(posing, [photos], tmp_path / "straight")
    assert contents(out) == contents(tmp_path / "straight")


def test_boxes_of_a_file(infer, posing, photos, tmp_path):
    file = tmp_path / "boxes.json"
    images = [{"id": 40 + n, "file_name": name, "width": w, "height": 60}
              for n, (name, w) in enumerate((("a.png", 80), ("one/x.jpg", 90), ("z.jpg", 80)))]  # fmt: skip
    boxes = [(40, [1, 2, 30, 40]), (40, [20, 5, 40, 50]), (41, [0, 0, 80, 59])]
    annotations = [{"id": i, "image_id": n, "category_id": 1, "bbox": box} for i, (n, box) in enumerate(boxes)]
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": []}))
    outcome = infer(posing, [photos], persons=BoxFile(file))
    assert outcome.images == 3
    assert outcome.notes == ["1 of another size than --boxes says, the first is one/x.jpg: 80x60, not 90x60"]
    found = results(tmp_path / "out")
    assert [image["id"] for image in found["images"]] == [40, 41, 42]
    assert [one["image_id"] for one in found["annotations"]] == [40, 40, 41]
    (alone,) = posing(photos / "a.png", [[1, 2, 31, 42], [20, 5, 60, 55]])
    for annotation, keypoints in zip(found["annotations"], alone.keypoints, strict=False):
        assert np.allclose(np.array(annotation["keypoints"]).reshape(3, 3)[:, :2], keypoints, atol=1e-3)


def test_a_video(infer, posing, write_video, tmp_path):
    clip = write_video(tmp_path / "in/sub/clip.mp4", 7)
    outcome = infer(posing, [tmp_path / "in"], choices=Choices(3, flip_test=False))
    assert (outcome.images, outcome.videos, outcome.failures) == (0, 1, [])
    assert posing.runtime.calls == [3, 3, 1]
    (video,) = results(tmp_path / "out")["videos"]
    assert video == {
        "file_name": "sub/clip.mp4", "frames": 7, "results": "videos/sub/clip.json", "video": "videos/sub/clip.mp4"
    }  # fmt: skip
    found = json.loads((tmp_path / "out" / video["results"]).read_text())
    assert [image["seconds"] for image in found["images"]] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert [image["file_name"] for image in found["images"]][-1] == "sub/clip.mp4#6"
    frames = read(clip)
    (alone,) = posing(frames[4], flip_test=False)
    assert np.allclose(np.array(found["annotations"][4]["keypoints"]).reshape(3, 3)[:, :2], alone.keypoints, atol=1e-3)
    drawn = read(tmp_path / "out" / video["video"])
    assert len(drawn) == 7
    assert np.abs(drawn[4].astype(int) - draw(frames[4], alone)).mean() < 25
    posing.runtime.calls.clear()
    assert infer(posing, [tmp_path / "in"]).videos == 0
    assert posing.runtime.calls == []


def read(path: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path)), []
    while (frame := capture.read()[1]) is not None:
        found.append(frame)
    return found


def test_a_stopped_video_begins_anew(infer, posing, write_video, tmp_path, monkeypatch):
    write_video(tmp_path / "in/clip.mp4", 7)
    write_video(tmp_path / "in/other.mp4", 2)
    infer(posing, [tmp_path / "in"], tmp_path / "straight")
    calls = []

    def stopping(*args: object, **kwargs: object) -> np.ndarray:
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return draw(*args, **kwargs)

    monkeypatch.setattr("hrnet_plugin.inference.videos.draw", stopping)
    with pytest.raises(KeyboardInterrupt):
        infer(posing, [tmp_path / "in"])
    assert not list((tmp_path / "out/videos").iterdir())
    monkeypatch.setattr("hrnet_plugin.inference.videos.draw", draw)
    assert infer(posing, [tmp_path / "in"]).videos == 2
    ours, straight = contents(tmp_path / "out"), contents(tmp_path / "straight")
    assert ours.keys() == straight.keys()
    assert all(ours[name] == straight[name] for name in ours if not name.endswith(".mp4"))


def test_a_segmented_video_without_pictures(infer, segmenting, write_video, tmp_path):
    clip = write_video(tmp_path / "clip.avi", 3)
    outcome = infer(segmenting, [clip], choices=Choices(2, pictures=False))
    assert outcome.videos == 1
    assert [path.name for path in (tmp_path / "out/videos").iterdir()] == ["clip.json"]
    found = json.loads((tmp_path / "out/videos/clip.json").read_text())
    assert all(sum(one["share"] for one in image["classes"]) == pytest.approx(1, abs=1e-5) for image in found["images"])


def test_broken_videos_stop_no_other(infer, posing, photos, write_video, tmp_path):
    whole = write_video(photos / "v.mp4", 3).read_bytes()
    (photos / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (photos / "empty.mov").touch()
    outcome = infer(posing, [photos])
    assert (outcome.images, outcome.videos) == (7, 1)
    assert [failure.partition(": found ")[2].partition(",")[0] for failure in outcome.failures] == [
        "nothing that OpenCV can open",
        "an empty file",
    ]


def test_a_video_whose_end_is_missing_is_told(infer, posing, write_video, tmp_path, monkeypatch):
    clip = write_video(tmp_path / "clip.avi", 6)
    monkeypatch.setattr("hrnet_plugin.inference.video_files.VideoReader._count", lambda self: 100)
    assert infer(posing, [clip]).notes == [f"video {clip}: 6 of 100 frames could be read"]


def test_no_encoder_leaves_the_images_alone(infer, posing, photos, write_video, tmp_path, monkeypatch):
    write_video(photos / "v.mp4", 3)
    monkeypatch.setattr("hrnet_plugin.inference.video_files._ENCODERS", ((".mp4", "none"),))
    outcome = infer(posing, [photos])
    assert (outcome.images, outcome.videos, len(outcome.failures)) == (7, 0, 1)
    assert "found no encoder in this OpenCV" in outcome.failures[0]
    assert infer(posing, [photos], tmp_path / "plain", choices=Choices(pictures=False)).videos == 1


def test_results_inside_the_input_folder_stay_results(infer, posing, photos):
    out = photos / "out"
    infer(posing, [photos], out)
    assert infer(posing, [photos], out).images == 0
    assert len(results(out)["images"]) == 7
    assert infer(posing, [photos], out, overwrite=True).images == 7


def test_a_full_disk_stops_the_run_and_loses_nothing(infer, posing, photos, tmp_path, monkeypatch):
    infer(posing, [photos], tmp_path / "straight")
    real = sessions.encoded
    monkeypatch.setattr(sessions, "encoded", lambda *args: count.append(1) or real(*args))
    count: list[int] = []

    def full(data: bytes, path: Path, **_: object) -> None:
        if len(count) > 4 and path.suffix == ".jpg":
            raise OSError(28, "No space left on device")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    monkeypatch.setattr("hrnet_plugin.inference.output.write_whole", full)
    with pytest.raises(
        ConfigError, match=r"--out: file .*: found No space left on device.*goes on from what is finished"
    ):
        infer(posing, [photos])
    monkeypatch.undo()
    assert infer(posing, [photos]).images == 4
    assert contents(tmp_path / "out") == contents(tmp_path / "straight")


def test_images_of_the_next_batch_are_read_meanwhile(infer, posing, photos, tmp_path, monkeypatch):
    order = []
    read_one = sessions.read_image
    monkeypatch.setattr(sessions, "read_image", lambda path: order.append("read") or read_one(path))

    def predict(*args: object, **kwargs: object) -> list:
        deadline = time.monotonic() + 20
        while order.count("read") < min(7, 3 * (order.count("predict") + 2)) and time.monotonic() < deadline:
            time.sleep(0.01)
        order.append("predict")
        return type(posing).__call__(posing, *args, **kwargs)

    monkeypatch.setattr(sessions.Session, "_predict", lambda self, images, persons: [
        (one, found) for one, found in zip(persons, predict(images), strict=True)
    ])  # fmt: skip
    infer(posing, [photos])
    assert order == ["read"] * 6 + ["predict", "read", "predict", "predict"]
