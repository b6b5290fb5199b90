"""`hrnet inspect`: tables, JSON, pictures and pages of one small network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture(workplace: Path) -> Path:
    path = workplace / "photo.jpg"
    pixels = np.random.default_rng(0).integers(0, 255, (12, 10, 3), dtype=np.uint8)
    Image.fromarray(np.kron(pixels, np.ones((8, 8, 1), np.uint8))).save(path)
    return path


def test_complexity_prints_a_table_that_adds_up(hrnet, pose_config: Path):
    outcome = hrnet("inspect", "complexity", pose_config)
    assert (outcome.status, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == f"{pose_config}, input 64x64"
    table = lines[3 : lines.index("over all stages") - 1]
    amounts = [int(line[16:].split()[0].replace(",", "")) for line in table if not line.startswith(" ")]
    assert sum(amounts[:-1]) == amounts[-1] > 0
    assert {"stem", "stage 1", "  branch 3", "  fusion", "head", "total"} <= {line[:14].rstrip() for line in lines}


def test_complexity_as_json_plot_and_page(hrnet, pose_config: Path):
    outcome = hrnet("inspect", "complexity", pose_config, "--json", "--size", "96x64", "--plot", "a/b.svg", "--html",
                    "c.html")  # fmt: skip
    report = json.loads(outcome.out)
    assert outcome.status == 0
    assert report["input_size"] == [96, 64]
    assert report["counted"] == "the whole model"
    for unit in ("parameters", "macs", "activation_bytes"):
        assert sum(place[unit] for place in report["places"]) == report["total"][unit] > 0
    assert Path("a/b.svg").read_text().startswith("<?xml")
    assert "data:image/png" in Path("c.html").read_text()


def test_complexity_of_another_task_and_options(hrnet, seg_config: Path):
    outcome = hrnet("inspect", "complexity", seg_config, "--modules", "--cfg-options", "model.backbone.in_channels=1",
                    "model.data_preprocessor.mean=[0]", "model.data_preprocessor.std=[1]")  # fmt: skip
    assert outcome.status == 0, outcome.err
    assert "module 1, fusion into branch 2" in outcome.out


def test_features_draws_saves_and_tells(hrnet, pose_config: Path, saved, picture: Path):
    weights = saved(pose_config, Path("a.pth"))
    outcome = hrnet("inspect", "features", pose_config, weights, picture, "--out", "f", "--html", "f.html")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-3:] == [
        "wrote f/photo_features.png", "wrote f/photo_features.npz", "wrote f.html",
    ]  # fmt: skip
    assert Image.open("f/photo_features.png").width > 1000
    arrays = np.load("f/photo_features.npz", allow_pickle=False)
    assert arrays["backbone.stage4.0.branches.3"].shape == (64, 2, 2)
    assert arrays["output:0"].shape == (17, 16, 16)


def test_features_of_two_pictures_of_one_name_as_json(hrnet, seg_config: Path, saved, picture: Path, data: Path):
    weights = saved(seg_config, Path("a.pth"))
    Path("other").mkdir()
    twin = Path("other", picture.name)
    twin.write_bytes(picture.read_bytes())
    outcome = hrnet("inspect", "features", seg_config, weights, picture, twin, "--json", "--channels", 0,
                    "--no-arrays", "--all-modules")  # fmt: skip
    report = json.loads(outcome.out)
    assert report["files"] == ["features/photo_features.png", "features/photo-2_features.png"]
    steps = {feature["step"] for feature in report["images"][0]["features"]}
    assert {"stem", "stage 4, before fusion", "output"} <= steps
    assert report["images"][0]["features"] == report["images"][1]["features"]


def test_features_leave_the_picture_beside_them_alone(hrnet, pose_config: Path, saved, picture: Path):
    before = Image.open(picture).convert("RGB")
    before.save("photo.png")
    kept = Path("photo.png").read_bytes()
    assert hrnet("inspect", "features", pose_config, saved(pose_config, Path("a.pth")), "photo.png", "--out",
                 ".").status == 0  # fmt: skip
    assert Path("photo.png").read_bytes() == kept


def test_features_of_a_config_without_a_test_set_are_the_same(hrnet, pose_config: Path, saved, picture: Path):
    weights = saved(pose_config, Path("a.pth"))
    bare = Path("bare.py")
    without = "".join(
        f"{split}_{part} = None\n" for split in ("val", "test") for part in ("dataloader", "evaluator", "cfg")
    )
    bare.write_text(f"_base_ = ['{pose_config.name}']\n{without}")
    for config in (pose_config, bare):
        assert hrnet("inspect", "features", config, weights, picture, "--out", config.stem).status == 0
    one, other = (np.load(Path(config.stem, "photo_features.npz")) for config in (pose_config, bare))
    assert one.files == other.files
    assert np.allclose(one["output:0"], other["output:0"], atol=1e-4)


def test_a_box_is_for_poses(refused, seg_config: Path, saved, picture: Path):
    weights = saved(seg_config, Path("a.pth"))
    line = refused("inspect", "features", seg_config, weights, picture, "--box", "0,0,9,9")
    assert "--box: found a config of mmseg, expected one of mmpose" in line


def test_health_of_labels_that_the_head_does_not_know(refused, seg_config: Path, saved, data: Path):
    for mask in Path(data, "masks", "train2017").glob("*.png"):
        Image.fromarray(np.full((96, 96), 7, np.uint8)).save(mask)
    line = refused("inspect", "health", seg_config, saved(seg_config, Path("a.pth")), "--data-root", data)
    assert "loss of the batch: found IndexError" in line
    assert "`hrnet check-data` looks at the labels" in line


def test_profile_prints_times_and_writes_trace_plot_and_page(hrnet, pose_config: Path):
    outcome = hrnet("inspect", "profile", pose_config, "--train", "--steps", 1, "--batch", 2, "--trace", "t/t.json",
                    "--plot", "p.png", "--html", "p.html", "--device", "cpu")  # fmt: skip
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out.startswith(f"{pose_config}: training step, 2 of 64x64, cpu: ")
    assert outcome.out.splitlines()[-3:] == ["wrote t/t.json", "wrote p.png", "wrote p.html"]
    assert json.loads(Path("t/t.json").read_text())["traceEvents"]
    assert Image.open("p.png").width > 500


def test_profile_as_json(hrnet, seg_config: Path):
    report = json.loads(hrnet("inspect", "profile", seg_config, "--steps", 1, "--json", "--device", "cpu").out)
    assert report["parts"]["head"]["forward_seconds"] > 0
    assert report["total"]["backward_seconds"] == 0
    assert report["images"] == [1, 3, 64, 64]


def test_health_of_sound_weights_and_of_broken_ones(hrnet, pose_config: Path, saved, data: Path):
    import torch

    weights = saved(pose_config, Path("a.pth"))
    outcome = hrnet("inspect", "health", pose_config, weights, "--data-root", data, "--html", "h.html", "--plot",
                    "h.svg")  # fmt: skip
    assert (outcome.status, outcome.err) == (0, ""), outcome
    assert outcome.out.startswith(f"{weights} in {pose_config}, 2 images, loss ")
    assert "batch norms: found all" in outcome.out, "the weights are fresh"
    assert Path("h.svg").is_file()
    content = torch.load(weights, weights_only=True)
    content["state_dict"]["backbone.bn1.running_var"][0] = float("nan")
    torch.save(content, "b.pth")
    outcome = hrnet("inspect", "health", pose_config, "b.pth", "--data-root", data, "--json", "--batch", 1)
    assert outcome.status == 1
    report = json.loads(outcome.out)
    assert report["batch"] == 1
    assert report["findings"][0]["level"] == "error"
    assert "backbone.bn1" in {finding["where"] for finding in report["findings"]}


def test_health_of_a_segmentation(hrnet, seg_config: Path, saved, data: Path):
    weights = saved(seg_config, Path("a.pth"))
    outcome = hrnet("inspect", "health", seg_config, weights, "--data-root", data, "--json")
    assert outcome.status == 0, outcome
    assert json.loads(outcome.out)["parts"]["head"]["gradient_norm"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("complexity", "CONFIG", "--size", "64"), "--size: found '64', expected width and height in pixels"),
        (("complexity", "CONFIG", "--plot", "x.doc"), "--plot x.doc: found the ending '.doc', expected .png"),
        (("complexity", "CONFIG", "--plot", "photo.jpg/x.png"), "--plot: folder photo.jpg: found"),
        (("complexity", "nothing.py"), "config 'nothing.py': found no such file"),
        (("complexity", "CONFIG", "--cfg-options", "model.head.type=HeatmapHed"), "type 'HeatmapHed': found no"),
        (("profile", "CONFIG", "--batch", "0"), "--batch: found 0, expected 1 or more"),
        (("profile", "CONFIG", "--device", "cuda"), "--device cuda: found no GPU that torch can use"),
        (("profile", "CONFIG", "--trace", "photo.jpg/t.json"), "--trace: folder photo.jpg: found"),
        (("health", "CONFIG", "none.pth"), "checkpoint none.pth: found no such file"),
        (("health", "CONFIG", "part.pth", "--data-root", "elsewhere/coco"), "checkpoint part.pth: found"),
        (("health", "CONFIG", "a.pth"), "data of CocoDataset: no folder data/coco/"),
        (("health", "CONFIG", "a.pth", "--batch", "0"), "--batch: found 0"),
        (("features", "CONFIG", "none.pth", "photo.jpg"), "checkpoint none.pth: found no such file"),
        (("features", "CONFIG", "a.pth", "none.jpg"), "image none.jpg: found No such file"),
        (("features", "CONFIG", "a.pth", "broken.jpg"), "image broken.jpg: found"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--box", "1,2,3"), "--box: found '1,2,3', expected x1,y1"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--channel", "a"), "--channel: found 'a', expected indices"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--channel", "999"), "--channel: found 999, expected 0 to 63"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--channels", "9"), "--channels: found 9, expected 0 to 8"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--box=-9,-9,-5,-5"), "error: box: found -9,-9,-5,-5, outside"),
        (("profile", "CONFIG", "--train", "--size", "32x32"), "--train --batch 1: found maps of one pixel"),
        (("profile", "CONFIG", "--html", "photo.jpg/x.html"), "--html: folder photo.jpg: found"),
        (("features", "CONFIG", "part.pth", "photo.jpg"), "checkpoint part.pth: found"),
        (("features", "CONFIG", "a.pth", "photo.jpg", "--out", "photo.jpg/x"), "--out photo.jpg/x: found"),
    ],
)
def test_wrong_input_is_one_line(refused, pose_config: Path, saved, picture: Path, data: Path, arguments, words):
    import torch

    weights = saved(pose_config, Path("a.pth"))
    part = torch.load(weights, weights_only=True)["state_dict"]
    torch.save({key: value for key, value in part.items() if "stage4" not in key}, "part.pth")
    Path("broken.jpg").write_bytes(picture.read_bytes()[:200])
    line = refused("inspect", *(pose_config if word == "CONFIG" else word for word in arguments))
    assert words in line


def test_pages_open_in_a_browser(hrnet, pose_config: Path, saved, picture: Path, data: Path, browser):
    weights = saved(pose_config, Path("a.pth"))
    pages = {
        "complexity": ((), "Branches over all stages"),
        "features": ((weights, picture), "stage 4, after fusion"),
        "profile": (("--steps", 1), "ms a step"),
        "health": ((weights, "--data-root", data), "Fuse paths, the weakest"),
    }
    for name, (arguments, words) in pages.items():
        hrnet("inspect", name, pose_config, *arguments, "--html", f"{name}.html")
        assert words in browser.dump_dom(Path(f"{name}.html"))
    shown = np.asarray(browser.screenshot(Path("complexity.html"), (1000, 1200)))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 50, "the plot is there, in colours"
