"""Every runtime computes the network that torch computes."""

from __future__ import annotations

import importlib
import shutil

import pytest
import torch

from hrnet_plugin.deploy.description import NetworkDescription
from hrnet_plugin.deploy.exporting import onnx, openvino, torch_export
from hrnet_plugin.deploy.exporting.shape import InputShape
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.deploy.runtimes.start import RUNTIMES, check_installed, find_runtime, open_export, start_runtime
from hrnet_plugin.errors import CheckpointError, ConfigError, MissingDependency

FIXED = InputShape((96, 128))
#: Largest difference to torch in float32, over the largest value.
FP32, BF16, INT8 = 1e-4, 0.06, 0.25


def difference(found: tuple, expected: tuple) -> float:
    assert [one.shape for one in found] == [one.shape for one in expected]
    pairs = zip(found, expected, strict=True)
    return max(float((one - other).abs().max() / other.abs().max()) for one, other in pairs)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(2, 3, 128, 96, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def expected(pose_network, images) -> tuple:
    with torch.no_grad():
        return pose_network(images)


@pytest.mark.parametrize("name", ["torch", "onnxruntime", "openvino", "ncnn"])
def test_fp32_is_torchs(name, pose_network, images, expected):
    pytest.importorskip("pnnx" if name == "ncnn" else "torch")
    shape = InputShape((96, 128), dynamic_batch=True)
    runtime = start_runtime(pose_network, name, shape=shape, threads=1)
    assert difference(runtime(images), expected) < FP32
    assert difference(runtime(images[:1]), tuple(one[:1] for one in expected)) < FP32
    assert all(one.dtype is torch.float32 for one in runtime(images))


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_compiled_is_torchs(precision, pose_network, images, expected):
    runtime = start_runtime(pose_network, "torch-compile", precision, shape=FIXED, threads=1)
    assert difference(runtime(images), expected) < (FP32 if precision == "fp32" else BF16)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        runtime(images)
    used = {event.key for event in profile.key_averages()}
    assert any(name.startswith("mkldnn::_convolution_pointwise") for name in used)
    assert not any("convolution" in name and name.startswith("aten::") for name in used)


@pytest.mark.parametrize("name", ["torch", "openvino", "ncnn"])
def test_bf16_is_near_and_not_fp32(name, pose_network, images, expected):
    pytest.importorskip("pnnx" if name == "ncnn" else "torch")
    runtime = start_runtime(pose_network, name, "bf16", shape=FIXED, threads=1)
    found = difference(runtime(images[:1]), tuple(one[:1] for one in expected))
    assert 1e-4 < found < BF16


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_int8_is_near_and_not_fp32(name, pose_network, images, expected):
    runtime = start_runtime(pose_network, name, "int8", shape=FIXED, threads=1, calibration=[images, images + 0.1])
    found = difference(runtime(images[:1]), tuple(one[:1] for one in expected))
    assert 1e-3 < found < INT8


def test_threads_of_one_batch_go_side_by_side(pose_network, images, expected):
    pytest.importorskip("pnnx")
    shape = InputShape(FIXED.size, dynamic_batch=True)
    runtime = start_runtime(pose_network, "ncnn", shape=shape, threads=2)
    assert difference(runtime(images), expected) < FP32


@pytest.fixture(scope="module")
def exports(pose_network, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("exports")
    network = optimised(pose_network, "torch")
    fixed = NetworkDescription("pose", (96, 128), 1)
    free = NetworkDescription("pose", None, None)
    any_shape = InputShape((96, 128), dynamic_batch=True, dynamic_size=True)
    return {
        "onnx": onnx.write(network, folder / "fixed.onnx", fixed, FIXED),
        "onnx-free": onnx.write(network, folder / "free.onnx", free, any_shape),
        "openvino": openvino.write(network, folder / "fixed.xml", fixed, FIXED),
        "torch-export": torch_export.write(network, folder / "fixed.pt2", fixed, FIXED),
    }


@pytest.mark.parametrize(
    ("form", "runtime"),
    [("onnx", None), ("onnx", "openvino"), ("openvino", None), ("torch-export", None)],
)
def test_an_exported_file_opens(form, runtime, exports, images, expected):
    opened = open_export(exports[form], runtime=runtime, threads=1)
    assert difference(opened(images[:1]), tuple(one[:1] for one in expected)) < FP32


@pytest.mark.parametrize("size", [(64, 64), (160, 96), (96, 128)])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_free_size_export_takes_other_sizes(size, runtime, exports, pose_network):
    width, height = size
    images = torch.randn(3, 3, height, width, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        wanted = pose_network(images)
    assert difference(open_export(exports["onnx-free"], runtime=runtime, threads=1)(images), wanted) < FP32


@pytest.mark.parametrize(
    ("shape", "words"),
    [((2, 3, 128, 96), ("2 at once", "--batch dynamic")), ((1, 3, 96, 128), ("128x96", "96x128", "--size dynamic"))],
)
def test_a_fixed_export_refuses_other_shapes(shape, words, exports):
    runtime = open_export(exports["onnx"], threads=1)
    with pytest.raises(ConfigError) as caught:
        runtime(torch.zeros(shape))
    assert all(word in str(caught.value) for word in words)


def test_a_free_export_refuses_sizes_that_branches_cannot_share(exports):
    with pytest.raises(ConfigError, match="multiples of 32"):
        open_export(exports["onnx-free"], threads=1)(torch.zeros(1, 3, 100, 96))


def test_unknown_names_and_precisions_are_one_line(exports):
    with pytest.raises(ConfigError, match="openvino"):
        find_runtime("openvno")
    with pytest.raises(ConfigError, match="fp32 or int8"):
        start_runtime(torch.nn.Identity(), "onnxruntime", "bf16", shape=FIXED)
    with pytest.raises(ConfigError, match="openvino"):
        open_export(exports["openvino"], runtime="ncnn")
    with pytest.raises(ConfigError, match="--precision int8"):
        open_export(exports["openvino"], precision="int8")


@pytest.mark.parametrize("images", [None, []])
def test_int8_without_images_is_one_line(images, pose_network):
    with pytest.raises(ConfigError, match="no images to calibrate with"):
        start_runtime(pose_network, "openvino", "int8", shape=FIXED, calibration=images)


@pytest.mark.parametrize(
    ("name", "module", "command"),
    [
        ("onnxruntime", "onnxruntime", "pip install onnxruntime"),
        ("openvino", "openvino", "pip install openvino"),
        ("ncnn", "ncnn", "pip install ncnn pnnx"),
    ],
)
def test_a_runtime_that_is_not_installed_names_the_command(name, module, command, monkeypatch):
    real = importlib.import_module

    def absent(wanted: str, *rest: object):
        if wanted.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return real(wanted, *rest)

    monkeypatch.setattr("hrnet_plugin.deploy.optional.importlib.import_module", absent)
    with pytest.raises(MissingDependency, match=command) as caught:
        check_installed(name, "fp32")
    assert "\n" not in str(caught.value)


def test_no_compiler_is_one_line(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(MissingDependency, match="no C\\+\\+ compiler"):
        check_installed("torch-compile", "fp32")


@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".pt2", ".ncnn.param", ".engine"])
def test_what_is_no_export_is_one_line(suffix, tmp_path):
    path = tmp_path / f"broken{suffix}"
    with pytest.raises(CheckpointError, match="no such file"):
        open_export(path)
    path.write_bytes(b"not a network")
    with pytest.raises(CheckpointError) as caught:
        open_export(path)
    assert "\n" not in str(caught.value)


def test_each_runtime_has_fp32():
    assert set(RUNTIMES) == {"torch", "torch-compile", "onnxruntime", "openvino", "ncnn"}
    assert all("fp32" in runtime.precisions for runtime in RUNTIMES.values())
