"""`hrnet test --runtime`: the same metric whatever computes the network, and one line for what cannot."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from hrnet_plugin.cli import test_runtime
from hrnet_plugin.deploy.runtimes.start import RUNTIMES


@pytest.fixture
def pose(saved, pose_config: Path, data: Path) -> tuple:
    """The command line of a pose test."""
    return ("test", pose_config, saved(pose_config, data / "pose.pth"), "--data-root", data)


@pytest.fixture
def seg(saved, seg_config: Path, data: Path) -> tuple:
    """The command line of a segmentation test."""
    return ("test", seg_config, saved(seg_config, data / "seg.pth"), "--data-root", data)


def network_line(out: str) -> str:
    (line,) = [line for line in out.partition("test finished")[2].splitlines() if line.split()[:1] == ["network"]]
    return " ".join(line.split())


def test_segmentation_has_the_framework_s_metric(hrnet, seg):
    found = {}
    for runtime in ("framework", "torch"):
        outcome = hrnet(*seg, "--out", f"{runtime}.json", "--runtime", runtime, "--threads", "1")
        assert outcome.status == 0, outcome.err
        # Two images one by one: the first is not timed.
        assert network_line(outcome.out).startswith(f"network {runtime} fp32, ")
        assert float(network_line(outcome.out).split()[-2]) > 0
        found[runtime] = json.loads(Path(f"{runtime}.json").read_text())
    assert 0 < found["framework"]["mIoU"] < 100
    assert found["torch"] == pytest.approx(found["framework"], abs=0.1)  # of 100: some pixels lie on the edge


def test_keypoints_and_ap_are_those_of_the_framework(hrnet, pose, data):
    """AP is made to mean something: the annotated keypoints are what the framework finds, some moved."""
    import pickle

    def points(runtime: str) -> np.ndarray:
        outcome = hrnet(*pose, "--dump", f"{runtime}.pkl", "--out", f"{runtime}.json", "--runtime", runtime)
        assert outcome.status == 0, outcome.err
        assert network_line(outcome.out).startswith(f"network {runtime} fp32")
        predictions = pickle.loads(Path(f"{runtime}.pkl").read_bytes())
        return np.stack([one["pred_instances"]["keypoints"][0] for one in predictions])

    file = data / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(file.read_text())
    for entry, found in zip(content["annotations"], points("framework"), strict=True):
        moved = found + np.linspace(0, 12 * entry["id"], 17)[:, None]
        entry["keypoints"] = np.column_stack([moved, np.full(17, 2)]).ravel().tolist()
    file.write_text(json.dumps(content))
    expected = points("framework")
    assert np.abs(points("openvino") - expected).max() < 1e-3
    found = {name: json.loads(Path(f"{name}.json").read_text())["coco/AP"] for name in ("framework", "openvino")}
    assert 0 < found["framework"] < 1
    assert found["openvino"] == pytest.approx(found["framework"], abs=1e-3)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--runtime", "openvno"), "--runtime openvno: found none of this name. Did you mean 'openvino'?"),
        (("--runtime", "framwork"), "--runtime framwork: found none of this name. Did you mean 'framework'?"),
        (("--runtime", "tensorrt"), "--runtime tensorrt: found none of this name."),
        (("--runtime", "onnxruntime", "--precision", "bf16"),
         "precision of runtime onnxruntime: found bf16, expected fp32 or int8"),
        (("--precision", "int8"), "precision of runtime torch: found int8, expected fp32 or bf16"),
        (("--runtime", "torch-compile", "--precision", "int8"), "precision of runtime torch-compile: found int8"),
        (("--runtime", "ncnn", "--precision", "int8"), "precision of runtime ncnn: found int8, expected fp32 or bf16"),
        (("--threads", "0"), "--threads: found 0, expected 1 or more"),
        (("--threads", "-2"), "--threads: found -2, expected 1 or more"),
        (("--calibrate-images", "0"), "--calibrate-images: found 0, expected 1 or more"),
        (("--runtime", "framework", "--precision", "bf16"),
         "--precision bf16 with --runtime framework: found modules as they were trained, expected fp32. Choose one of "
         "torch, torch-compile, onnxruntime, openvino, ncnn"),
    ],
)  # fmt: skip
def test_wrong_flags_are_one_line(flags, line, refused, pose_config):
    assert line in refused("test", pose_config, "weights.pth", *flags)


@pytest.mark.parametrize(
    ("runtime", "flags", "absent", "install"),
    [
        ("openvino", (), "openvino", "`pip install openvino`"),
        ("openvino", (), "onnxscript", "`pip install onnxscript`"),
        ("openvino", ("--precision", "int8"), "nncf", "`pip install nncf`"),
        ("onnxruntime", (), "onnxruntime", "`pip install onnxruntime`"),
        ("ncnn", (), "pnnx", "`pip install ncnn pnnx`"),
    ],
)
def test_a_missing_package_is_told_with_its_install_command(
    runtime, flags, absent, install, refused, pose_config, monkeypatch
):
    real = importlib.import_module

    def without(name: str, *rest: object) -> object:
        if name.partition(".")[0] == absent:
            raise ModuleNotFoundError(f"No module named {absent!r}", name=absent)
        return real(name, *rest)

    monkeypatch.setattr("hrnet_plugin.deploy.optional.importlib.import_module", without)
    line = refused("test", pose_config, "weights.pth", "--runtime", runtime, *flags)
    assert f"runtime {runtime}" in line or absent == "nncf"
    assert install in line


def test_no_compiler_is_told(refused, pose_config, monkeypatch):
    monkeypatch.setattr("hrnet_plugin.deploy.runtimes.torch_compiled.shutil.which", lambda name: None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    line = refused("test", pose_config, "weights.pth", "--runtime", "torch-compile")
    assert "found no C++ compiler, expected g++ or clang++. Install one (`apt install g++`), or choose another" in line


def test_int8_without_training_images(refused, pose, data):
    import shutil

    shutil.rmtree(data / "train2017")
    line = refused(*pose, "--runtime", "openvino", "--precision", "int8")
    assert "--precision int8 needs images to calibrate with: found images of CocoDataset: no folder" in line
    assert line.endswith("Give --data-root DIR")


#: Its head looks at the features once more for each person that it finds.
_CID = """
model['type'] = 'BottomupPoseEstimator'
model['data_preprocessor'] = dict(type='PoseDataPreprocessor', mean=[120] * 3, std=[60] * 3)
model['backbone']['init_cfg'] = None
model['head'] = dict(
    type='CIDHead', in_channels=8, num_keypoints=17, gfd_channels=8, decoder=dict(
        type='DecoupledHeatmap', input_size=(64, 64), heatmap_size=(16, 16)),
    coupled_heatmap_loss=dict(type='FocalHeatmapLoss'), decoupled_heatmap_loss=dict(type='FocalHeatmapLoss'),
    contrastive_loss=dict(type='InfoNCELoss'))
model['test_cfg'] = dict(flip_test=False, multiscale_test=False, shift_heatmap=False, align_corners=False)
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='CocoDataset', data_root=data_root, data_mode='bottomup', test_mode=True,
                 ann_file='annotations/person_keypoints_val2017.json', data_prefix=dict(img='val2017/'),
                 pipeline=[dict(type='LoadImage'), dict(type='BottomupResize', input_size=(64, 64)),
                           dict(type='PackPoseInputs', meta_keys=(
                               'id', 'img_id', 'img_path', 'ori_shape', 'img_shape', 'input_size', 'input_center',
                               'input_scale', 'flip_indices', 'raw_ann_info'))]))
test_evaluator = dict(
    type='CocoMetric', ann_file=data_root + 'annotations/person_keypoints_val2017.json', score_mode='bbox',
    nms_mode='none')
"""


@pytest.fixture
def cid(saved, pose_config: Path, data: Path) -> tuple:
    """The command line of a test of a network that is no function of the image alone."""
    pose_config.write_text(pose_config.read_text() + _CID)
    return ("test", pose_config, saved(pose_config, data / "cid.pth"), "--data-root", data)


def test_what_no_runtime_can_compute_stays_the_framework_s(hrnet, cid):
    outcome = hrnet(*cid)
    assert outcome.status == 0, outcome.err
    summary = outcome.out.partition("test finished")[2]
    assert "runtime torch cannot compute a BottomupPoseEstimator: the framework's own modules did" in summary
    assert network_line(outcome.out).startswith("network framework fp32")


@pytest.mark.parametrize("flags", [("--runtime", "openvino"), ("--precision", "bf16")])
def test_what_no_runtime_can_compute_is_one_line_where_one_is_asked_for(flags, refused, cid):
    line = refused(*cid, *flags)
    assert "with a model of type BottomupPoseEstimator: found CIDHead, expected a top-down" in line
    assert line.endswith("Leave --runtime and --precision out")


def test_the_flags_name_the_runtimes():
    assert tuple(RUNTIMES) == test_runtime.RUNTIMES
