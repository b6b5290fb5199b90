"""The pure-Python example, as its reader would run it: our backbone, mmpose's neck, somebody's own head."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from hrnet_plugin.compat.checkpoint_reading import read_checkpoint
from hrnet_plugin.data import make_dataset

SHORT = (
    "train_cfg.max_epochs=4",
    "train_cfg.val_interval=4",
    "train_dataloader.batch_size=8",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "val_dataloader.num_workers=0",
    "val_dataloader.persistent_workers=False",
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, project_root):
    """The work dir of a short training."""
    root = tmp_path_factory.mktemp("own_head")
    make_dataset(root / "people", train=16, val=4, test=0, size=(160, 128), seed=1, workers=1)
    config = project_root / "configs" / "examples" / "own_head_pose.py"
    command = [sys.executable, str(project_root / "tools" / "train.py"), str(config), "--data-root", root / "people"]
    done = subprocess.run(
        [*map(str, command), "--work-dir", str(root / "work"), "--seed", "0", "--cfg-options", *SHORT],
        cwd=root, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return root / "work"


def test_the_head_learns(trained):
    (log,) = trained.glob("*/vis_data/scalars.json")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert any("coco/AP" in row for row in rows)
    state = read_checkpoint(trained / "epoch_4.pth")["state_dict"]
    assert state["head.layers.0.weight"].shape == (60, 240, 1, 1)
    assert state["backbone.conv1.weight"].shape == (64, 3, 3, 3)
    assert state["backbone.bn1.num_batches_tracked"] == len([row for row in rows if "loss_kpt" in row]) * 5
