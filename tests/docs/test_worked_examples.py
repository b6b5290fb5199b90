"""Who follows the worked examples from the first block to the last gets what they promise, here on a few pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from page_blocks import Block, blocks, commands
from PIL import Image

from hrnet_plugin.cli.main import main

#: What makes the commands of a page small: further arguments, which win over those of the page.
SMALL = {
    "data": ("--train", "6", "--val", "3", "--test", "3", "--workers", "1"),
    "train": ("--cfg-options", "train_dataloader.batch_size=4"),
}


def follow(page: Path, run_python: Callable[..., str], forget_runs: Callable[[], None], *training: str) -> None:
    """Writes the files of a page and runs its commands, in the current folder."""
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.mark.startswith("file: "):
            path = Path(block.mark.removeprefix("file: "))
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.mark == "run":
            run(block, run_python, training)
            forget_runs()


def run(block: Block, run_python: Callable[..., str], training: tuple[str, ...]) -> None:
    if block.text.startswith("python "):
        run_python(*block.text.split()[1:])
        return
    found = commands(block)
    assert found, block.text
    for words in found:
        further = (*SMALL.get(words[1], ()), *(training if words[1] == "train" else ()))
        assert main([*words[1:], *further]) == 0, words
        if words[1] == "train":
            give_the_name_of_the_page(Path("work_dirs", Path(words[2]).stem))


def give_the_name_of_the_page(work_dir: Path) -> None:
    """A shorter training ends with a checkpoint of another number than the page's."""
    last = Path((work_dir / "last_checkpoint").read_text())
    for name in ("epoch_8.pth", "iter_2200.pth"):
        if not (work_dir / name).exists():
            shutil.copy(last, work_dir / name)


@pytest.mark.parametrize(("base", "key", "length"), [("pose", "max_epochs", 8), ("seg", "max_iters", 2200)])
def test_the_pages_name_the_checkpoint_of_a_whole_training(project_root, docs, base, key, length):
    from mmengine.config import Config

    cfg = Config.fromfile(project_root / f"configs/quickstart_{base}.py")
    assert cfg.train_cfg[key] == length
    assert length % cfg.default_hooks.checkpoint.interval == 0
    page = docs / {"pose": "own_keypoints.md", "seg": "own_masks.md"}[base]
    assert f"{key.removeprefix('max_').removesuffix('s')}_{length}.pth" in page.read_text(encoding="utf-8")


def test_own_keypoints(checkout, docs, run_python, forget_runs):
    options = ("train_cfg.max_epochs=1", "train_cfg.val_interval=1", "default_hooks.checkpoint.interval=1")
    follow(docs / "own_keypoints.md", run_python, forget_runs, *options)
    annotations = json.loads(Path("data/five/annotations/person_keypoints_train.json").read_text())
    assert {len(person["keypoints"]) for person in annotations["annotations"]} == {15}
    assert Path("browse.png").stat().st_size > 10_000
    assert "left_foot" in Path("report/index.html").read_text(encoding="utf-8")
    results = json.loads(Path("predicted/keypoint_results.json").read_text())
    assert results
    assert {len(result["keypoints"]) for result in results} == {15}
    assert len(list(Path("predicted/pictures").iterdir())) == 3


def test_own_masks(checkout, docs, run_python, forget_runs):
    options = ("train_cfg.max_iters=2", "train_cfg.val_interval=2", "default_hooks.checkpoint.interval=2")
    follow(docs / "own_masks.md", run_python, forget_runs, *options)
    values = {int(value) for mask in Path("data/bodies/masks/train").iterdir() for value in np.unique(Image.open(mask))}
    assert {0, 1} < values <= {0, 1, 2, 255}
    assert "object" in Path("report/index.html").read_text(encoding="utf-8")
    masks = list(Path("predicted/masks").iterdir())
    assert len(masks) == 3
    assert all(np.array(Image.open(mask)).max() < 3 for mask in masks)


def test_masks_in_colours_become_indices(checkout, docs, run_python):
    page = (docs / "own_masks.md").read_text(encoding="utf-8")
    (block,) = (block for block in blocks(page) if "COLOURS" in block.text)
    Path("coloured").mkdir()
    Path("masks").mkdir()
    pixels = np.array([[[0, 0, 0], [220, 20, 60]], [[0, 0, 142], [1, 2, 3]]], np.uint8)
    Image.fromarray(pixels).save("coloured/a.png")
    Path("colours.py").write_text(block.text, encoding="utf-8")
    run_python("colours.py")
    assert np.array(Image.open("masks/a.png")).tolist() == [[0, 1], [2, 255]]
