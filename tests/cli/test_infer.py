"""`hrnet infer`: from inputs to results, and every wrong input in one line before anything is computed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hrnet_plugin.data import render_scene
from hrnet_plugin.deploy.predictor import Predictor


@pytest.fixture(scope="module")
def _weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small pose network's weights are kept for the tests of this file."""
    return tmp_path_factory.mktemp("weights") / "pose.pth"


@pytest.fixture
def pose(saved, pose_config: Path, data: Path, _weights: Path) -> tuple[Path, Path]:
    """A small pose network's config and weights; its data lies at elsewhere/coco."""
    if not _weights.exists():
        saved(pose_config, _weights)
    return pose_config, Path(shutil.copy(_weights, data / "pose.pth"))


@pytest.fixture
def photos(workplace: Path) -> Path:
    """A folder with three pictures of people, one of them in a folder of its own."""
    for index, name in enumerate(("a.jpg", "b.png", "sub/a.jpg")):
        path = workplace / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.cvtColor(render_scene(0, "test", index).image, cv2.COLOR_RGB2BGR))
    return Path("photos")


@pytest.fixture
def never_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails where a network is called."""
    monkeypatch.setattr(Predictor, "__call__", lambda *_, **__: pytest.fail("computed"))


def results(out: str = "out") -> dict:
    return json.loads(Path(out, "results.json").read_text())


def test_poses_of_a_folder(hrnet, pose, photos):
    outcome = hrnet("infer", *pose, photos, "--out", "out")
    assert (outcome.status, outcome.errors) == (0, [])
    assert outcome.out.count("each image is taken for one person") == 1
    found = results()
    assert [image["file_name"] for image in found["images"]] == ["a.jpg", "b.png", "sub/a.jpg"]
    assert [len(annotation["keypoints"]) for annotation in found["annotations"]] == [51] * 3
    for image in found["images"]:
        assert cv2.imread(f"out/{image['picture']}").shape == (image["height"], image["width"], 3)
    again = hrnet("infer", *pose, photos, "--out", "out")
    assert "3 of 3 inputs finished already" in again.out
    assert results() == found


def test_a_second_call_builds_no_network(hrnet, pose, photos, monkeypatch):
    hrnet("infer", *pose, photos, "--out", "out", "--no-pictures")
    monkeypatch.setattr("hrnet_plugin.cli.infer_network.load", lambda *_, **__: pytest.fail("built"))
    assert hrnet("infer", *pose, photos, "--out", "out", "--no-pictures").status == 0


def test_an_exported_file_and_other_batches_give_the_same(hrnet, pose, photos):
    flags = ("--no-pictures", "--threads", "1")
    assert hrnet("infer", *pose, photos, "--out", "torch", *flags).status == 0
    assert hrnet("export", *pose, "--to", "torch-export", "--batch", "dynamic", "--out", "pose.pt2").status == 0
    runs = {"file": ("pose.pt2", photos), "one": (*pose, photos, "--batch-size", "1")}
    expected = np.array([one["keypoints"] for one in results("torch")["annotations"]])
    for name, command in runs.items():
        assert hrnet("infer", *command, "--out", name, *flags).status == 0
        found = np.array([one["keypoints"] for one in results(name)["annotations"]])
        assert np.isclose(found, expected, atol=1e-2).mean() > 0.97, name


def test_boxes_leave_out_what_they_do_not_name(hrnet, pose, photos):
    Path("boxes.json").write_text(json.dumps({"sub/a.jpg": [[20, 10, 120, 180], [60, 30, 140, 100]]}))
    outcome = hrnet("infer", *pose, photos, "--boxes", "boxes.json", "--out", "out")
    assert (outcome.status, outcome.errors) == (0, [])
    assert "2 inputs not named in --boxes, left out: a.jpg, b.png" in outcome.out
    assert "taken for one person" not in outcome.out
    assert [annotation["bbox"] for annotation in results()["annotations"]] == [[20, 10, 100, 170], [60, 30, 80, 70]]


@pytest.mark.parametrize(
    ("boxes", "images", "poses"),
    [
        ({"a.jpg": [], "sub/a.jpg": [[20, 10, 120, 180]]}, ["a.jpg", "sub/a.jpg"], 1),
        ({"b.png": []}, ["b.png"], 0),
        ([{"image_id": 12, "category_id": 1, "bbox": [9, 9, 60, 90], "score": 0.9}], ["000012.jpg", "13.jpg"], 1),
        ([], ["000012.jpg", "13.jpg"], 0),
    ],
)
def test_an_image_that_holds_nobody_has_an_entry_and_no_pose(boxes, images, poses, hrnet, pose, photos):
    for name in ("000012.jpg", "13.jpg"):
        shutil.copy(photos / "a.jpg", photos / name)
    Path("boxes.json").write_text(json.dumps(boxes))
    outcome = hrnet("infer", *pose, photos, "--boxes", "boxes.json", "--out", "out")
    assert (outcome.status, outcome.errors) == (0, [])
    assert [image["file_name"] for image in results()["images"]] == images
    assert len(results()["annotations"]) == poses
    assert all(Path("out", image["picture"]).is_file() for image in results()["images"])
    assert ("nobody in any of the images" in outcome.out) == (poses == 0)


@pytest.mark.slow
def test_int8_is_calibrated_with_a_folder(hrnet, pose, photos):
    pytest.importorskip("nncf")
    flags = ("--runtime", "onnxruntime", "--precision", "int8", "--calibrate", photos, "--threads", "1")
    outcome = hrnet("infer", *pose, photos / "a.jpg", "--out", "out", "--no-pictures", *flags)
    assert outcome.status == 0, outcome.err
    assert "onnxruntime int8" in outcome.out
    assert len(results()["annotations"]) == 1


def test_masks_and_a_video(hrnet, saved, seg_config, data, photos, workplace):
    checkpoint = saved(seg_config, data / "seg.pth")
    writer = cv2.VideoWriter("photos/clip.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 10, (96, 64))
    for index in range(4):
        writer.write(np.full((64, 96, 3), 60 * index, np.uint8))
    writer.release()
    outcome = hrnet("infer", seg_config, checkpoint, photos, "--out", "out")
    assert (outcome.status, outcome.errors) == (0, [])
    found = results()
    for image in found["images"]:
        mask = cv2.imread(f"out/{image['mask']}", cv2.IMREAD_UNCHANGED)
        assert mask.shape == (image["height"], image["width"])
        assert {one["index"] for one in image["classes"]} == set(np.unique(mask))
    assert [one["name"] for one in found["classes"]] == ["ground", "person"]
    assert [(one["file_name"], one["frames"]) for one in found["videos"]] == [("clip.mp4", 4)]
    assert Path("out/videos/clip.mp4").stat().st_size
    assert not Path("out/keypoint_results.json").exists()


def test_a_broken_image_is_told_at_the_end(hrnet, pose, photos):
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:100])
    outcome = hrnet("infer", *pose, photos, "--out", "out")
    assert outcome.status == 1
    (line,) = outcome.errors
    assert line.startswith("hrnet: error: image ")
    assert "b.png: found a truncated file" in line
    assert "1 input could not be computed" in outcome.out
    assert [image["file_name"] for image in results()["images"]] == ["a.jpg", "sub/a.jpg"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--score-thr", "0.5"), "found results with drawn from score 0.3, expected drawn from score 0.5"),
        (("--no-pictures",), "found results with drawn from score 0.3, expected drawn from score nothing drawn"),
        (("--precision", "bf16"), "with precision fp32, expected precision bf16"),
        (("--flip-test",), "found results with flip test false, expected flip test true"),
        (("--cfg-options", "model.head.decoder.unbiased=True"), "found results with network pose_"),
        (("--cfg-options", "model.backbone.upsample_mode=bilinear"), "found results with network pose_"),
    ],
)
def test_another_run_s_folder_is_refused(flags, words, hrnet, pose, photos, refused, never_computed):
    write_journal(pose, photos)
    line = refused("infer", *pose, photos, "--out", "out", *flags)
    assert line.startswith("hrnet: error: --out /")
    assert "Name another --out; --overwrite starts anew" in line
    assert words in line


def write_journal(pose: tuple[Path, Path], photos: Path) -> None:
    """What a run of these weights would have left of one image."""
    from hrnet_plugin.cli.infer_network import find_network
    from hrnet_plugin.cli.inferring import _identity
    from hrnet_plugin.cli.main import build_parser
    from hrnet_plugin.inference.journal import Journal, entry
    from hrnet_plugin.inference.output import Output
    from hrnet_plugin.inference.sources import find_sources

    args = build_parser(["infer"]).parse_args(["infer", *map(str, pose), str(photos), "--out", "out"])
    network, given = find_network(args)
    (source, *_) = find_sources(given, "out")
    with Journal(Output("out"), _identity(args, network, "whole images")) as journal:
        journal.append([entry(source, files={}, persons=[])])


def test_a_flip_test_without_counterparts_is_told_before_the_run_begins(hrnet, pose, photos, refused, monkeypatch):
    flags = ("--cfg-options", "train_dataloader=None", "val_dataloader=None", "test_dataloader=None")
    with monkeypatch.context() as patch:
        patch.setattr(Predictor, "__call__", lambda *_, **__: pytest.fail("computed"))
        line = refused("infer", *pose, photos, "--out", "out", "--flip-test", *flags)
    assert "flip test: found counterparts of 0 keypoints for 17 heatmaps, expected one each" in line
    assert "--no-flip-test" in line
    assert not Path("out").exists()


def test_another_folder_with_the_same_names_is_refused(hrnet, pose, photos, refused):
    write_journal(pose, photos)
    shutil.copytree(photos, "elsewhere/photos")
    before = Path("out/journal.jsonl").read_bytes()
    line = refused("infer", *pose, "elsewhere/photos", "--out", "out")
    assert f"out: a.jpg: found results of {photos.absolute()}/a.jpg, expected those of " in line
    assert Path("out/journal.jsonl").read_bytes() == before
    assert hrnet("infer", *pose, "elsewhere/photos", "--out", "out", "--overwrite").status == 0


def test_other_weights_are_refused_unless_overwritten(hrnet, pose, photos, refused, data):
    assert hrnet("infer", *pose, photos, "--out", "out").status == 0
    state = torch.load(pose[1], weights_only=True)
    state["state_dict"]["head.final_layer.bias"] += 0.5
    torch.save(state, "other.pth")
    command = ("infer", pose[0], "other.pth", photos, "--out", "out")
    assert "found results with weights" in refused(*command)
    before = results()
    torch.save({"state_dict": {"a": torch.ones(1)}}, "wrong.pth")
    refused("infer", pose[0], "wrong.pth", photos, "--out", "out", "--overwrite")
    assert results() == before  # nothing is taken away for what cannot begin
    assert hrnet(*command, "--overwrite").status == 0
    assert results() != before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("photos", "--batch-size", "0"), "--batch-size: found 0, expected 1 or more"),
        (("photos", "--top", "0"), "--top: found 0"),
        (("photos", "--score-thr", "2"), "--score-thr: found 2.0, expected a score from 0 to 1"),
        (("photos", "--box-thr", "-1"), "--box-thr: found -1.0"),
        (("photos", "--threads", "0"), "--threads: found 0"),
        (("photos", "--device", "cuda"), "device cuda: found no such device for this torch"),
        (("photos", "--runtime", "onnxruntime", "--device", "cuda"), "device cuda with runtime onnxruntime: found a"),
        (("photos", "--runtime", "framework"), "--runtime framework: found a runtime for `hrnet test`"),
        (("photos", "--runtime", "openvno"), "Did you mean 'openvino'?"),
        (("photos", "--precision", "int8"), "precision of runtime torch: found int8"),
        (("photos", "--calibrate", "photos"), "--calibrate: found --precision fp32, expected --precision int8"),
        (("photos", "--runtime", "openvino", "--precision", "int8"), "needs images to calibrate with: found"),
        (("photos", "--runtime", "openvino", "--precision", "int8", "--calibrate", "gone"), "--calibrate: found gone"),
        (("photos", "--boxes", "b.json", "--detector", "a", "b"), "--boxes and --detector: found both"),
        (("photos", "--image-ids", "b.json"), "--image-ids: found no --boxes"),
        (("photos", "--boxes", "gone.json"), "--boxes gone.json: found no such file, expected a JSON file"),
        (("photos", "--boxes", "wrong.json"), "--boxes wrong.json: found a dict with info, expected COCO annotations"),
        (
            ("photos", "--boxes", "none.json"),
            "--boxes none.json: found boxes for none of the inputs, expected some for",
        ),
        (("photos", "--detector", "gone", "x.pth"), "config 'gone': found no such file"),
        (("photos", "--detector", "quickstart_seg", "x.pth"), "--detector: checkpoint x.pth: found no such file"),
        (("empty",), "input empty: found a folder without images, expected files ending with .jpg"),
        (("photos/*.gif",), "input photos/*.gif: found nothing of this pattern"),
        (("gone.jpg",), "input gone.jpg: found no such file or folder"),
        ((), "inputs: found none behind checkpoint"),
        (("photos", "--cfg-options", "model.head.type=NoHead"), "config: type 'NoHead': found no model of this name"),
    ],
)
def test_wrong_inputs(arguments, words, refused, pose, photos, never_computed):
    Path("empty").mkdir()
    Path("wrong.json").write_text('{"info": {}}')
    Path("none.json").write_text('{"else.jpg": [[1, 2, 3, 4]]}')
    assert words in refused("infer", *pose, *arguments, "--out", "out")
    assert not Path("out/results.json").exists()


def test_wrong_networks(refused, pose, photos, seg_config, never_computed):
    assert "config 'gone': found no such file" in refused("infer", "gone", pose[1], photos, "--out", "out")
    assert "checkpoint gone.pth: found no such file" in refused("infer", pose[0], "gone.pth", photos, "--out", "out")
    line = refused("infer", seg_config, pose[1], photos, "--out", "out")
    assert "Take the config that the checkpoint was trained with" in line
    assert not list(Path("out").glob("*.json"))
    line = refused("infer", "cid_hrnet-w32_8xb20-140e_coco-512x512", pose[1], photos, "--out", "out")
    assert "found outputs that only its framework reads" in line
    assert "exported file gone.onnx: found no such file" in refused("infer", "gone.onnx", photos, "--out", "out")
    for flag in (("--boxes", "b.json"), ("--flip-test",), ("--detector", "a", "b")):
        line = refused("infer", seg_config, pose[1], photos, "--out", "out", *flag)
        assert f"{flag[0]}: found a segmentation network, expected a pose network" in line


def test_the_help_says_which_networks_are_run(hrnet, capsys):
    with pytest.raises(SystemExit):
        hrnet("infer", "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert "top-down poses by heatmaps, segmentation and classification" in text
    assert "Bottom-up poses, poses by regression and detectors of mmdet are not run" in text
    assert "`hrnet test`" in text


def test_a_run_that_could_not_begin_binds_nobody(hrnet, refused, pose, photos):
    torch.save({"state_dict": {"a": torch.ones(1)}}, "wrong.pth")
    refused("infer", pose[0], "wrong.pth", photos, "--out", "out")
    assert hrnet("infer", *pose, photos, "--out", "out").status == 0


def test_a_detector_that_needs_full_mmcv_says_so_first(refused, pose, photos, never_computed):
    from hrnet_plugin.compat.mmcv_ext import stands_in
    from hrnet_plugin.config_files import find_config, load_config
    from hrnet_plugin.zoo.forward import build_model, model_config

    if not stands_in():
        pytest.skip("full mmcv has every operator")
    name = "fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco"
    model = build_model(model_config(load_config(find_config(name))), "mmdet")
    torch.save({"state_dict": model.state_dict()}, "fcos.pth")
    line = refused("infer", *pose, photos, "--detector", name, "fcos.pth", "--out", "out")
    assert "model FCOS: its prediction calls batched_nms, a compiled operator of mmcv: found mmcv-lite" in line
    assert "expected full mmcv 2.1.0. `make full` builds an environment with it" in line


def test_flags_that_go_with_a_config_alone(refused, photos):
    for flag in (("--cfg-options", "a=1"), ("--calibrate", "photos"), ("--data-root", "photos")):
        line = refused("infer", "pose.onnx", photos, "--out", "out", "--precision", "int8", *flag)
        assert f"{flag[0]} with pose.onnx: found an exported file, expected a config and a checkpoint" in line


def test_a_stopped_run_exits_with_130(hrnet, pose, photos, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "__call__", stop)
    assert hrnet("infer", *pose, photos, "--out", "out").status == 130
    assert not Path("out/results.json").exists()


def test_results_are_opened_by_pycocotools(hrnet: Callable, pose, data):
    """Images and boxes of an annotation file, evaluated against it."""
    import contextlib
    import io

    from pycocotools.coco import COCO

    file = data / "annotations/person_keypoints_val2017.json"
    assert hrnet("infer", *pose, data / "val2017", "--boxes", file, "--out", "out").status == 0
    with contextlib.redirect_stdout(io.StringIO()):
        truth, own = COCO(str(file)), COCO("out/results.json")
        loaded = truth.loadRes("out/keypoint_results.json")
    assert set(own.imgs) == set(truth.imgs)
    assert len(loaded.anns) == len(own.anns) == len(truth.anns)
    assert [image["file_name"] for image in own.imgs.values()] == [one["file_name"] for one in truth.imgs.values()]


def test_detections_and_the_file_that_names_their_images(hrnet, pose, photos):
    Path("found.json").write_text(json.dumps([
        {"image_id": 5, "category_id": 1, "bbox": [10, 10, 60, 90], "score": 0.8},
        {"image_id": 5, "category_id": 1, "bbox": [20, 10, 60, 90], "score": 0.2},
    ]))  # fmt: skip
    Path("names.json").write_text(json.dumps({"images": [{"id": 5, "file_name": "b.png"}], "annotations": []}))
    flags = ("--boxes", "found.json", "--image-ids", "names.json", "--no-pictures")
    assert hrnet("infer", *pose, photos, "--out", "out", *flags).status == 0
    assert [image["id"] for image in results()["images"]] == [5]
    (annotation,) = results()["annotations"]
    assert (annotation["bbox"], annotation["box_score"]) == ([10, 10, 60, 90], 0.8)
    assert hrnet("infer", *pose, photos, "--out", "all", *flags, "--box-thr", "0").status == 0
    assert len(results("all")["annotations"]) == 2
