"""`hrnet_plugin.load`: from a config and its weights, or from an exported file."""

from __future__ import annotations

import dataclasses
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch import nn

import hrnet_plugin
from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.data import render_scene
from hrnet_plugin.deploy import load as loading
from hrnet_plugin.deploy.describing import describe, usual_size
from hrnet_plugin.deploy.exporting import torch_export
from hrnet_plugin.deploy.exporting.formats import FORMATS, files_of
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.load import ENOUGH_IMAGES, calibration_images, enough_of, load_model, network_entry
from hrnet_plugin.deploy.predictor import Predictor
from hrnet_plugin.deploy.runtimes.start import start_runtime
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import CheckpointError, ConfigError, MissingDependency, UserError


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return np.ascontiguousarray(render_scene(0, "test", 0).image[..., ::-1])


class _Pooled(nn.Module):
    """A pose network that is traced in a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 17, 4, stride=4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.conv(images)


@pytest.fixture(scope="module")
def exported(pose_cfg, tmp_path_factory):
    """One fixed crop a call, in a format that needs torch alone."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("export") / "pose.pt2"
    description = describe(pose_cfg, name="pooled", size=(96, 128), batch=1)
    return torch_export.write(TensorModel(_Pooled().eval()), path, description, InputShape((96, 128)))


def test_config_and_weights(pose_model, pose_checkpoint, scene):
    predictor = hrnet_plugin.load("quickstart_pose", pose_checkpoint)
    description = predictor.description
    assert (description.task, description.input_size, description.batch) == ("pose", (96, 128), None)
    assert (description.name, description.precision) == ("quickstart_pose", "fp32")
    assert predictor.runtime.name == "torch"
    images = torch.randn(2, 3, 128, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = TensorModel(pose_model)(images)[0]
    assert float((predictor.runtime(images)[0] - expected).abs().max() / expected.abs().max()) < 1e-5
    assert predictor(scene, [[20, 10, 120, 190]])[0].keypoints.shape == (1, 17, 2)


def test_a_config_in_memory_another_size_and_precision(pose_cfg, pose_checkpoint, scene):
    predictor = hrnet_plugin.load(pose_cfg, str(pose_checkpoint), precision="bf16", size=(64, 96), threads=1)
    assert predictor.description.input_size == (64, 96)
    assert (predictor.description.precision, predictor.runtime.precision) == ("bf16", "bf16")
    assert np.isfinite(predictor(scene)[0].keypoints).all()


def test_segmentation_in_torch_takes_any_size(seg_cfg, build, tmp_path, scene, monkeypatch):
    torch.save({"state_dict": build(seg_cfg).state_dict()}, tmp_path / "seg.pth")
    predictor = hrnet_plugin.load(seg_cfg, tmp_path / "seg.pth")
    assert predictor.description.input_size is None
    assert predictor(scene[:75, :99])[0].labels.shape == (75, 99)
    seen = []
    monkeypatch.setattr(loading, "check_installed", lambda *_: None)
    monkeypatch.setattr(loading, "start_runtime", lambda *_, shape, **others: seen.append(shape))
    for options in ({"size": (64, 96)}, {"runtime": "ncnn"}, {"runtime": "openvino"}):
        hrnet_plugin.load(seg_cfg, tmp_path / "seg.pth", **options)
    assert [shape.dynamic_size for shape in seen] == [False, False, True]
    assert [shape.size for shape in seen[:2]] == [(64, 96), usual_size(seg_cfg)]


def test_a_segmentation_of_any_size_in_a_runtime_that_reads_files(seg_cfg, scene):
    torch.manual_seed(0)
    halves = [nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 6, 3, stride=2, padding=1)]
    network, description = TensorModel(nn.Sequential(*halves).eval()), describe(seg_cfg)
    shape = InputShape((64, 64), dynamic_batch=True, dynamic_size=True)
    image = scene[:77, :101]
    ours, theirs = (
        Predictor(start_runtime(network, name, shape=shape, threads=1), description)(image)[0].labels
        for name in ("onnxruntime", "torch")
    )
    assert ours.shape == theirs.shape == (77, 101)
    assert (ours == theirs)[:-4, :-4].mean() > 0.99  # what is filled up to multiples of 32 is seen at the edge


def test_calibration_images_come_in_any_size(pose_cfg, pose_checkpoint, monkeypatch):
    seen = []
    monkeypatch.setattr(loading, "start_runtime", lambda *_, calibration, **others: seen.extend(calibration))
    hrnet_plugin.load(
        pose_cfg, pose_checkpoint, runtime="openvino", precision="int8", calibration=[torch.zeros(2, 3, 50, 60)]
    )
    assert [image.shape for image in seen] == [(1, 3, 128, 96)] * 2


def test_no_more_calibration_images_are_taken_than_are_enough():
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield torch.zeros(7, 3, 1, 1)

    kept = list(calibration_images(endless()))
    assert len(kept) == ENOUGH_IMAGES
    assert len(taken) == -(-ENOUGH_IMAGES // 7)
    assert [image.shape for image in calibration_images(torch.zeros(2, 3, 5, 6))] == [(1, 3, 5, 6)] * 2


def test_fewer_large_images_are_enough():
    images = (torch.zeros(1, 1, 1, 1).expand(1, 3, 1024, 2048) for _ in range(1000))
    assert len(list(enough_of(images))) == 38


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (torch.zeros(3, 5, 6), r"shape \(3, 5, 6\)"),
        ([torch.zeros(3, 5, 6)], r"shape \(3, 5, 6\)"),
        (torch.zeros(2, 1, 5, 6), r"shape \(2, 1, 5, 6\)"),
        ([np.zeros((1, 3, 5, 6))], "a ndarray"),
        ("images", "'images'"),
        (5, "5"),
    ],
)
def test_calibration_images_that_are_none(given, found):
    with pytest.raises(
        ConfigError, match=rf"calibration: found {found}, expected tensors \(N, 3, H, W\) of normalised"
    ):
        list(calibration_images(given))


def test_an_exported_file_needs_nothing_else(exported, scene, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictor = hrnet_plugin.load(exported)
    assert (predictor.description.name, predictor.batch) == ("pooled", 1)
    boxes = [[20, 10, 120, 190], [60, 30, 140, 100], [0, 0, 50, 50]]
    (found,) = predictor(scene, boxes)
    assert found.keypoints.shape == (3, 17, 2)
    assert np.array_equal(found.keypoints[1:2], predictor(scene, boxes[1:2])[0].keypoints)
    # Any image will do: what has the fixed size is the crop.
    assert predictor(np.ascontiguousarray(scene[:40, :300]))[0].keypoints.shape == (1, 17, 2)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [("checkpoint", "weights.pth", "weights.pth"), ("size", (64, 64), "(64, 64)"), ("calibration", [], "list")],
)
def test_what_an_exported_file_settles_is_not_given_beside_it(name, value, found, exported):
    with pytest.raises(ConfigError) as caught:
        hrnet_plugin.load(exported, **{name: value})
    assert str(caught.value).startswith(f"{name} beside {exported}: found {found}, expected none")


def test_no_weights(pose_cfg):
    with pytest.raises(ConfigError, match="checkpoint: found none, expected trained weights beside a config"):
        hrnet_plugin.load(pose_cfg)


def test_an_exported_file_in_the_place_of_weights(pose_cfg, exported):
    with pytest.raises(CheckpointError, match=r"checkpoint .*pose\.pt2: found an exported file.*Give it alone"):
        hrnet_plugin.load(pose_cfg, exported)


def test_weights_of_another_network(pose_checkpoint):
    with pytest.raises(CheckpointError, match=r"checkpoint .*pose\.pth.*Take the config that the checkpoint"):
        hrnet_plugin.load("quickstart_seg", pose_checkpoint)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"runtime": "tensorrt"}, "runtime 'tensorrt': found none of this name"),
        ({"runtime": "onnxrutime"}, "Did you mean 'onnxruntime'"),
        ({"runtime": "onnxruntime", "precision": "bf16"}, "precision of runtime onnxruntime: found bf16"),
        ({"precision": "int8"}, "precision of runtime torch: found int8, expected fp32 or bf16"),
        ({"runtime": "openvino", "precision": "int8"}, "int8: found no images to calibrate with"),
        ({"calibration": []}, "calibration: found precision fp32, expected precision int8, or no calibration"),
        ({"size": 192}, r"size: found 192, expected \(width, height\) of 32 pixels or more"),
        ({"size": (192, 16)}, r"size: found \(192, 16\), expected"),
        ({"size": (192, 256, 3)}, r"size: found \(192, 256, 3\), expected"),
        ({"size": "192x256"}, "size: found 192x256, expected"),
        ({"threads": 0}, "threads: found 0, expected 1 or more"),
    ],
)
def test_runtimes_and_precisions_that_do_not_go_together(options, words, pose_cfg, pose_checkpoint, monkeypatch):
    monkeypatch.setattr("hrnet_plugin.deploy.exporting.openvino.to_openvino", lambda *_: pytest.fail("too late"))
    with pytest.raises(ConfigError, match=words):
        hrnet_plugin.load(pose_cfg, pose_checkpoint, **options)


def test_a_runtime_that_is_not_installed_is_told_before_anything_is_read(pose_cfg, monkeypatch):
    def absent(module: str) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("hrnet_plugin.deploy.optional.importlib.import_module", absent)
    with pytest.raises(MissingDependency, match="`pip install openvino`"):
        hrnet_plugin.load(pose_cfg, "missing.pth", runtime="openvino")


def test_a_bottom_up_network_is_refused_before_it_is_built(pose_checkpoint):
    cfg = load_config(find_config("cid_hrnet-w32_8xb20-140e_coco-512x512"))
    with pytest.raises(ConfigError, match="found outputs that only its framework reads"):
        hrnet_plugin.load(cfg, pose_checkpoint)


def test_an_export_of_a_bottom_up_network_is_refused(pose_cfg, tmp_path):
    description = dataclasses.replace(describe(pose_cfg), task="features")
    path = torch_export.write(TensorModel(_Pooled().eval()), tmp_path / "x.pt2", description, InputShape((96, 128)))
    with pytest.raises(ConfigError, match="found outputs that only its framework reads"):
        hrnet_plugin.load(path)


@pytest.fixture(scope="module")
def of_each_format(pose_cfg, tmp_path_factory):
    """The same network in a file of each format."""
    folder = tmp_path_factory.mktemp("formats")
    network, description = TensorModel(_Pooled().eval()), describe(pose_cfg, size=(96, 128), batch=1)
    return {
        module.SUFFIX: module.write(network, folder / f"net{module.SUFFIX}", description, InputShape((96, 128)))
        for name, module in FORMATS.items()
        if name != "ncnn" or find_spec("pnnx")
    }


@pytest.mark.parametrize("left", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".bin", ".pt2", ".ncnn.param", ".ncnn.bin", ".ncnn.json"])
def test_a_part_of_a_file_is_one_line(suffix, left, of_each_format, tmp_path, scene):
    main = {".bin": ".xml", ".ncnn.bin": ".ncnn.param", ".ncnn.json": ".ncnn.param"}.get(suffix, suffix)
    if main not in of_each_format:
        pytest.skip("pnnx is not installed")
    for file in files_of(of_each_format[main]):
        shutil.copy(file, tmp_path)
    broken = tmp_path / f"net{suffix}"
    broken.write_bytes(broken.read_bytes()[: int(left * broken.stat().st_size)])
    with pytest.raises(CheckpointError, match=r"net\.") as caught:
        hrnet_plugin.load(tmp_path / f"net{main}", threads=1)(scene)
    assert "\n" not in str(caught.value)


def test_files_of_each_format_predict_the_same(of_each_format, scene):
    found = [hrnet_plugin.load(path, threads=1)(scene, [[20, 10, 120, 190]])[0] for path in of_each_format.values()]
    assert len(found) >= 3
    for other in found[1:]:
        assert np.abs(found[0].scores - other.scores).max() < 1e-4


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_a_file_that_another_program_wrote(suffix, of_each_format, tmp_path):
    if suffix == ".onnx":
        onnx = pytest.importorskip("onnx")
        model = onnx.load(of_each_format[suffix])
        del model.metadata_props[:]
        onnx.save(model, tmp_path / "net.onnx")
    else:
        openvino = pytest.importorskip("openvino")
        openvino.save_model(openvino.Core().read_model(of_each_format[".onnx"]), tmp_path / "net.xml")
    message = r"metadata of .*net\..*: found no description of a network, expected a file written by hrnet export"
    with pytest.raises(CheckpointError, match=message):
        hrnet_plugin.load(tmp_path / f"net{suffix}")


@pytest.mark.parametrize("name", ["absent.onnx", "absent.xml", "absent.pt2", "absent.ncnn.param", "absent.py"])
def test_no_such_file(name, pose_checkpoint, tmp_path):
    with pytest.raises(UserError, match=name.replace(".", r"\.")):
        hrnet_plugin.load(tmp_path / name, None if name != "absent.py" else pose_checkpoint)


def test_the_backbone_s_description(pose_model):
    entry = network_entry(pose_model)
    assert entry
    assert network_entry(nn.Linear(1, 1)) == {}


def test_a_model_is_whole_and_ready(pose_cfg, pose_checkpoint, pose_model):
    model = load_model(pose_cfg, pose_checkpoint)
    assert not any(module.training for module in model.modules())
    expected = pose_model.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in model.state_dict().items())
