"""The files of a fault: safe to load, whole, and of use."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from hrnet_plugin import disk
from hrnet_plugin.checkpoints.contents import read_contents
from hrnet_plugin.checkpoints.loading.plan import plan_loading
from hrnet_plugin.checkpoints.network_meta import described_spec
from hrnet_plugin.engine.health.batch import broken_annotations, image_names, plain_batch
from hrnet_plugin.engine.health.fault import TrainingFault


@pytest.fixture(scope="module")
def stopped(tiny, tmp_path_factory):
    """The folder of a fault, and the state before it."""
    work_dir, probe = tmp_path_factory.mktemp("stopped"), tiny.Probe(at=[2])
    with pytest.raises(TrainingFault):
        tiny.train(work_dir, images=tiny.Images(range(12), [5]), hooks=[probe], health={})
    return work_dir / "health" / "iter_3", probe.before


def test_the_batch_is_plain(stopped):
    folder, _ = stopped
    saved = torch.load(folder / "batch.pth", weights_only=True)
    assert saved["images"] == ["/images/4.jpg", "/images/5.jpg"]
    inputs = saved["batch"]["inputs"]
    assert inputs.shape == (2, 3, 32, 32)
    assert torch.isnan(inputs).nonzero().tolist() == [[1, 1, 5, 5]]
    sample = saved["batch"]["data_samples"][0]
    assert sample["metainfo"] == {"img_path": "/images/4.jpg"}
    assert sample["target"].shape == (2, 8, 8)


def test_the_weights_are_those_before_the_batch(stopped, tiny):
    folder, before = stopped
    saved = torch.load(folder / "weights.pth", weights_only=True)
    assert saved["meta"]["iter"] == 2
    contents = read_contents(folder / "weights.pth")
    model = tiny.Model()
    plan = plan_loading(model, contents)
    assert plan.report.filled.share == 1
    assert described_spec(contents.meta) == model.backbone.spec
    for name, value in plan.state_dict(model).items():
        assert torch.equal(value, before[name]), name


def test_the_report_is_complete(stopped):
    folder, _ = stopped
    told = json.loads((folder / "report.json").read_text())
    assert told["epoch"] == 1
    assert told["guilty_ranks"] == [0]
    assert told["ranks"][0]["losses"] == {"loss": "nan", "loss_kpt": "nan"}
    assert sorted(path.name for path in folder.iterdir()) == sorted([*told["files"], "report.json"])
    text = (folder / "report.txt").read_text()
    assert "Iteration 3, epoch 1: a loss that is not finite, found before the optimizer stepped." in text
    assert "The run stopped here." in text
    for name in ("/images/4.jpg", "/images/5.jpg", "batch.pth", "weights.pth"):
        assert name in text


def test_batches_and_weights_of_the_first_faults_alone(tiny, tmp_path):
    tiny.train(tmp_path, images=tiny.Images(range(10), range(10)), health={"on_fault": "skip"})
    folders = [tmp_path / "health" / f"iter_{number}" for number in range(1, 6)]
    assert [(folder / "weights.pth").exists() for folder in folders] == [True] * 3 + [False] * 2
    assert all((folder / "report.txt").exists() for folder in folders)


def test_a_full_disk_does_not_hide_the_fault(tiny, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk.os, "fsync", refuse)
    with pytest.raises(
        TrainingFault, match=r"iteration 2: found a loss .*cannot write batch .*No space left on device"
    ):
        tiny.train(tmp_path, images=tiny.Images(range(4), [3]), health={})


def test_any_batch_becomes_plain(tmp_path):
    class Boxes:
        tensor = torch.ones(2, 4)

    sample = BaseDataElement(metainfo={"img_path": Path("/a.jpg"), "size": (np.int64(3), 4), "flags": np.array([True])})
    sample.boxes = Boxes()
    batch = {"inputs": [torch.ones(3), np.zeros(2)], "data_samples": [sample], "others": {"a": {1}, "b": object()}}
    plain = plain_batch(batch)
    torch.save(plain, tmp_path / "batch.pth")
    again = torch.load(tmp_path / "batch.pth", weights_only=True)
    assert again["others"] == {"a": [1], "b": "<object>"}
    assert again["data_samples"][0]["metainfo"]["size"] == (3, 4)
    assert torch.equal(again["data_samples"][0]["boxes"], Boxes.tensor)
    assert image_names(batch) == ["/a.jpg"]
    assert image_names([torch.zeros(2, 3)]) == ["number 1 of the batch", "number 2 of the batch"]


def test_broken_annotations_are_named():
    first, second = BaseDataElement(), BaseDataElement()
    first.weights = np.ones(3)
    second.gt = BaseDataElement(keypoints=np.array([1, np.inf]))
    assert list(broken_annotations({"data_samples": [first, second]})) == [(1, "gt.keypoints")]
