"""Which files of a folder are checkpoints, and which of them a training has saved."""

from __future__ import annotations

import pytest

from hrnet_plugin.checkpoints.saved_files import is_of_training, saved_files


def test_files_of_a_folder(tmp_path):
    for name in ("epoch_1.pth", "epoch_1.pth.sha256", "w.pth", "e1.pt", "e1.pt.sha256", ".e2.pt.00000000.partial", "a"):
        (tmp_path / name).touch()
    (tmp_path / "folder.pth").mkdir()
    assert [path.name for path in saved_files(tmp_path)] == ["epoch_1.pth", "w.pth"]
    for template in ("e{}.pt", "e{:03d}.pt", "e{}"):
        assert [path.name for path in saved_files(tmp_path, template)] == ["e1.pt", "epoch_1.pth", "w.pth"]
    assert saved_files(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("name", "template", "expected"),
    [
        ("epoch_12.pth", None, True),
        ("iter_80000.pth", "epoch_{}.pth", True),
        ("best_coco_AP_epoch_12.pth", None, True),
        ("epoch_12-0a1b2c3d.pth", None, True),
        ("best_mIoU_iter_80.pth", None, True),
        ("e12.pt", "e{}.pt", True),
        ("best_AP_e0012.pt", "e{:04d}.pt", True),
        ("e12-0a1b2c3d.pth", "e{}.pt", True),
        ("e12.pt", None, False),
        ("epoch_12.pth.sha256", None, False),
        ("epoch_best.pth", None, False),
        ("my_epoch_12.pth", None, False),
        ("td-hm_hrnet-w32_8xb64-210e_coco-256x192-81c58e40_20220909.pth", None, False),
        ("w32.pth", "w{:d}.pth", True),
    ],
)
def test_names_that_a_training_gives(name, template, expected):
    assert is_of_training(name, template) == expected
