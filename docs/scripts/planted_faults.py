"""Folders with something wrong in them, for the commands of the debugging guide.

Each fault is a function that is given a folder with a few generated pictures in `data/people`, and a name in
`docs/debugging.md`: `<!-- output: NAME -->`.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from hrnet_plugin.locations import project_dir

FAULTS: dict[str, Callable[[Path], None]] = {}


def fault(make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Gives a fault the name of its function, with hyphens."""
    FAULTS[make.__name__.replace("_", "-")] = make
    return make


def plant(name: str, folder: Path) -> None:
    """Puts a fault into an empty folder; none where the name is ''."""
    if name:
        shutil.copytree(_people(), folder / "data/people")
        FAULTS[name](folder)


@functools.cache
def _people() -> Path:
    """A few generated pictures, made once."""
    from hrnet_plugin.cli.main import main

    out = Path(tempfile.mkdtemp(prefix="hrnet_docs_")) / "people"
    with contextlib.redirect_stdout(io.StringIO()):
        counts = ("--train", "12", "--val", "4", "--test", "4")
        status = main(["data", "make", "--out", str(out), *counts, "--workers", "1"])
    if status:
        raise RuntimeError("the generated pictures could not be made")
    return out


def write_config(folder: Path, base: str, text: str = "", name: str = "mine.py") -> None:
    """A config of one's own on one of ours; small batches, no folder of its own to log to."""
    (folder / name).write_text(f"_base_ = [{str(project_dir('configs') / base)!r}]\n{text}\n", encoding="utf-8")


def change_annotations(folder: Path, change: Callable[[dict], None], split: str = "train") -> None:
    """Alters an annotation file of the pictures."""
    path = folder / f"data/people/annotations/person_keypoints_{split}.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def save_network(folder: Path, name: str, change: Callable[[object], None] = lambda network: None) -> None:
    """A checkpoint of the pose quickstart's network, freshly initialised."""
    import torch

    from hrnet_plugin.config_files import load_config
    from hrnet_plugin.zoo.forward import build_model, model_config
    from hrnet_plugin.zoo.quiet import quiet

    cfg = load_config(project_dir("configs") / "quickstart_pose.py")
    torch.manual_seed(0)
    with quiet():
        model = build_model(model_config(cfg), cfg.default_scope)
    for value in model.parameters():
        if value.dim() > 1:
            torch.nn.init.kaiming_normal_(value)
    change(model)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, folder / name)


@fault
def wrong_channels(folder: Path) -> None:
    """A wider backbone, and a head that does not know of it; a batch of one; a metric that nobody measures."""
    write_config(
        folder,
        "quickstart_pose.py",
        "model = dict(backbone=dict(arch='w32'), head=dict(out_channels=16))\n"
        "train_dataloader = dict(batch_size=1)\n"
        "default_hooks = dict(checkpoint=dict(save_best='coco/mAP'))",
    )


@fault
def misspelt_option(folder: Path) -> None:
    """An argument that no class takes."""
    write_config(folder, "quickstart_pose.py", "model = dict(backbone=dict(frozen_stage=1))")


@fault
def no_pairs(folder: Path) -> None:
    """Keypoints that do not say what a mirror image makes of them."""
    write_config(
        folder,
        "quickstart_pose.py",
        "names = ['head', 'left_hand', 'right_hand', 'left_foot', 'right_foot']\n"
        "points = {i: dict(id=i, name=n, swap='', type='', color=[255, 128, 0]) for i, n in enumerate(names)}\n"
        "five = dict(dataset_name='five', keypoint_info=points, skeleton_info={}, joint_weights=[1.0] * 5,\n"
        "            sigmas=[0.05] * 5)\n"
        "model = dict(head=dict(out_channels=5))\n"
        "train_dataloader = dict(dataset=dict(metainfo=five))\n"
        "val_dataloader = dict(dataset=dict(metainfo=five))\n"
        "test_dataloader = dict(dataset=dict(metainfo=five))",
    )


@fault
def broken_data(folder: Path) -> None:
    """A picture that was not copied whole, one that is not there, a keypoint outside, a box without width."""
    people = folder / "data/people/train"
    whole = (people / "000003.jpg").read_bytes()
    (people / "000003.jpg").write_bytes(whole[:5000])
    (people / "000005.jpg").unlink()

    def change(content: dict) -> None:
        content["annotations"][2]["keypoints"][:3] = [900, 20, 2]
        content["annotations"][4]["bbox"][2] = 0

    change_annotations(folder, change)


@fault
def coloured_masks(folder: Path) -> None:
    """Masks whose values are colours, one of another size, one that is not there."""
    masks = folder / "data/people/masks/train"
    palette = np.array([[0, 0, 0], [220, 20, 60], [0, 0, 142], [70, 70, 70], [107, 142, 35], [244, 35, 232]], np.uint8)
    for name in ("000001.png", "000002.png"):
        index = np.array(Image.open(masks / name))
        Image.fromarray(palette[np.where(index == 255, 0, index)]).save(masks / name)
    Image.fromarray(np.array(Image.open(masks / "000004.png"))[::2, ::2]).save(masks / "000004.png")
    (masks / "000006.png").unlink()


@fault
def class_that_never_occurs(folder: Path) -> None:
    """A class that the config names and no mask has."""
    for mask in (folder / "data/people/masks/train").glob("*.png"):
        index = np.array(Image.open(mask))
        Image.fromarray(np.where(index == 5, 0, index).astype(np.uint8)).save(mask)


@fault
def shifted(folder: Path) -> None:
    """A crop that measures in another way than the codec, and another file for the metric than for the pictures."""
    write_config(
        folder,
        "quickstart_pose.py",
        "model = dict(test_cfg=dict(shift_heatmap=True), data_preprocessor=dict(bgr_to_rgb=False))\n"
        "val_evaluator = dict(ann_file='data/people/annotations/person_keypoints_test.json')",
    )


@fault
def exploding_loss(folder: Path) -> None:
    """A learning rate that is a thousand times too high."""
    write_config(
        folder,
        "quickstart_pose.py",
        "train_dataloader = dict(batch_size=8)\n"
        "optim_wrapper = dict(optimizer=dict(_delete_=True, type='SGD', lr=1e6))\n"
        "param_scheduler = []\n"
        "default_hooks = dict(logger=dict(interval=1))",
    )


@fault
def dead_layer(folder: Path) -> None:
    """A checkpoint in which one norm has been pushed so far down that no ReLU behind it fires."""
    import torch

    def kill(model: torch.nn.Module) -> None:
        norm = model.backbone.stage3[0].branches[1][0].bn1
        torch.nn.init.constant_(norm.bias, -100.0)

    save_network(folder, "mine.pth", kill)


@fault
def another_network(folder: Path) -> None:
    """A checkpoint of a smaller network, with as many keypoints as the config does not have."""
    save_network(folder, "mine.pth")
    write_config(folder, "quickstart_pose.py", "model = dict(backbone=dict(arch='w18'), head=dict(in_channels=18))")


@fault
def unknown_file(folder: Path) -> None:
    """A file that holds more than weights."""
    import pathlib

    import torch

    torch.save({"state_dict": {}, "hook": pathlib.PurePath("x")}, folder / "theirs.pth")
