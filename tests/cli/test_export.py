"""`hrnet export`: every format in one call, its check, and one line for whatever cannot be exported."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.cli import export, preflight
from hrnet_plugin.cli.main import build_parser
from hrnet_plugin.deploy.exporting.formats import FORMATS, files_of, read_description
from hrnet_plugin.deploy.runtimes.start import open_export
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError

_FILES = {
    "onnx": [".onnx"],
    "openvino": [".bin", ".xml"],
    "torch-export": [".pt2"],
    "ncnn": [".ncnn.bin", ".ncnn.json", ".ncnn.param"],
}


class PicksPixels(nn.Module):
    """A neck with as many outputs as there are positive numbers."""

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(feature[feature > 0].view(1, 1, -1, 1).expand(1, 8, -1, 1) for feature in features)


class Ranks(nn.Module):
    """A neck for which ncnn has no layer."""

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(feature.topk(8, dim=3).values for feature in features)


@pytest.fixture(scope="module", autouse=True)
def _registered():
    from mmengine.registry import MODELS

    for kind in (PicksPixels, Ranks):
        MODELS.register_module(module=kind, force=True)
    yield
    for kind in (PicksPixels, Ranks):
        MODELS._module_dict.pop(kind.__name__)


def build(config: Path) -> nn.Module:
    """A config's model, with norms that differ from their neutral start."""
    from mmengine.config import Config

    from hrnet_plugin.zoo.forward import build_model, model_config

    cfg = Config.fromfile(config)
    cfg.model.backbone.pop("init_cfg", None)
    torch.manual_seed(0)
    model = build_model(model_config(cfg), cfg.default_scope)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter)
        elif name.endswith("weight"):
            nn.init.uniform_(parameter, 0.5, 1.5)
    return model.eval()


@pytest.fixture
def network(pose_config: Path) -> nn.Module:
    """The model of the small pose config."""
    return build(pose_config)


@pytest.fixture
def checkpoint(network: nn.Module, workplace: Path) -> Path:
    """Its weights."""
    torch.save({"state_dict": network.state_dict(), "meta": {}}, workplace / "weights.pth")
    return workplace / "weights.pth"


@pytest.fixture
def command(pose_config: Path, checkpoint: Path) -> tuple:
    """The beginning of every command line here."""
    return ("export", pose_config, checkpoint, "--to")


@pytest.mark.parametrize("form", _FILES)
def test_every_format_is_written_checked_and_described(form, hrnet, command, network, data, workplace):
    if form == "ncnn":
        pytest.importorskip("pnnx")
    before = set(workplace.iterdir())
    outcome = hrnet(*command, form, "--out", "deep/net", "--check", "2", "--data-root", data)
    assert outcome.status == 0, outcome.err
    assert {path.name for path in set(workplace.iterdir()) - before} == {"deep"}
    assert sorted(path.name for path in Path("deep").iterdir()) == ["net" + suffix for suffix in _FILES[form]]
    path = Path("deep", "net" + FORMATS[form].SUFFIX)
    assert f"exported to {form}, fp32" in outcome.out
    assert f"file                         {path}" in outcome.out
    assert f"{sum(file.stat().st_size for file in files_of(path)) / 2**20:.1f} MiB" in outcome.out
    assert float(number_after("largest relative difference", outcome.out)) < 1e-4
    assert float(number_after("with flip test", outcome.out)) < 1e-4
    assert "on 2 test images (allowed: 0.0001)" in outcome.out
    assert "coco/AP" in outcome.out
    assert "2 samples" in outcome.out
    description = read_description(path)
    assert (description.task, description.input_size, description.precision) == ("pose", (64, 64), "fp32")
    assert (description.mean, description.std) == ((120.0,) * 3, (60.0,) * 3)
    assert (len(description.keypoint_names), len(description.flip_indices)) == (17, 17)
    assert description.network
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = network.head.forward(network.backbone(images))
    runtime = open_export(path, threads=1)
    assert float((runtime(images)[0] - expected).abs().max() / expected.abs().max()) < 1e-4
    with pytest.raises(ConfigError) as caught:
        runtime(torch.zeros(1, 3, 64, 96))
    assert str(caught.value) == (
        f"images for runtime {runtime.name}: found 96x64, expected 64x64, the fixed size of this export. "
        "Export with --size dynamic, or with the size that you need"
    )


def number_after(words: str, text: str) -> str:
    return text.partition(words)[2].split()[0]


def test_pixels_in_of_any_size_and_in_any_number(hrnet, command, network):
    flags = ("--normalise-inside", "--batch", "dynamic", "--size", "dynamic", "--out", "free.pt2")
    outcome = hrnet(*command, "torch-export", *flags)
    assert outcome.status == 0, outcome.err
    assert "any number of any size in multiples of 32, pixels of 0 to 255, BGR" in outcome.out
    assert read_description(Path("free.pt2")).normalised_inside
    runtime = open_export("free.pt2")
    for count, width, height in ((3, 64, 64), (1, 96, 128)):
        pixels = torch.randint(0, 255, (count, 3, height, width)).float()
        with torch.no_grad():
            expected = network.head.forward(network.backbone((pixels - 120) / 60))
        assert float((runtime(pixels)[0] - expected).abs().max() / expected.abs().max()) < 1e-4
    message = "found 64x100, expected width and height that are multiples of 32, from 64 on. Pad the image"
    with pytest.raises(ConfigError, match=message):
        runtime(torch.zeros(1, 3, 100, 64))


def test_a_file_that_differs_is_exit_status_1(hrnet, command, monkeypatch):
    from hrnet_plugin.cli import exporting

    def spoilt(network: nn.Module, runtime: str) -> nn.Module:
        network = copy.deepcopy(network)
        network.heads[0].final_layer.weight.data *= 1.001
        return network

    monkeypatch.setattr(exporting, "optimised", spoilt)
    outcome = hrnet(*command, "torch-export", "--check", "1")
    assert outcome.status == 1, outcome
    assert outcome.errors == []
    assert "on 1 drawn images (allowed: 0.0001)" in outcome.out
    assert "no test data: the metric was not measured (--data-root DIR)" in outcome.out
    assert 1e-4 < float(number_after("largest relative difference", outcome.out)) < 1e-2


def test_int8_is_calibrated_with_a_folder_of_images(hrnet, command, data, monkeypatch):
    """What the quantiser gets; what it makes of it is a matter of `deploy.calibration`."""
    from hrnet_plugin.cli import exporting

    seen = []

    def written(network: nn.Module, path: Path, description: object, shape: object, images: object) -> None:
        seen.extend([description.precision, shape.size, *images])
        path.write_bytes(b"quantised")
        path.with_suffix(".bin").write_bytes(b"")

    monkeypatch.setattr(exporting, "write_quantised", written)
    flags = ("--precision", "int8", "--size", "96x64", "--calibrate", data / "train2017", "--calibrate-images", "3")
    for inside in ((), ("--normalise-inside",)):
        outcome = hrnet(*command, "openvino", *flags, *inside)
        assert outcome.status == 0, outcome.err
        assert "exported to openvino, int8" in outcome.out
        assert "_int8.xml" in outcome.out
    precision, size, *images = seen[:5]
    assert (precision, size) == ("int8", (96, 64))
    assert [image.shape for image in images] == [(1, 3, 64, 96)] * 3
    assert images[0].abs().max() < 3 < 100 < seen[-1].max() < 256


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--batch", "0"), "--batch: found 0, expected a number of images, or dynamic"),
        (("--batch", "many"), "--batch: found many, expected a number of images, or dynamic"),
        (("--batch", "-1"), "--batch: found -1, expected a number of images, or dynamic"),
        (("--size", "64"), "--size: found 64, expected WIDTHxHEIGHT of 32 pixels or more, such as 192x256, or dynamic"),
        (("--size", "64x"), "--size: found 64x, expected WIDTHxHEIGHT"),
        (("--size", "16x64"), "--size: found 16x64, expected WIDTHxHEIGHT of 32 pixels or more"),
        (("--size", "axb"), "--size: found axb, expected WIDTHxHEIGHT"),
        (("--out", "net.pth"), "--out net.pth: found .pth, expected a file ending with .onnx"),
        (("--out", "."), "--out .: found a folder, expected a file ending with .onnx"),
        (("--out", "/proc/none/net.onnx"), "--out: folder /proc/none: found"),
        (("--check", "0"), "--check: found 0, expected a number of images, 1 or more"),
        (("--calibrate", "train"), "--calibrate: found --precision fp32, expected --precision int8"),
        (("--precision", "bf16"), "found no such numbers in this format, expected fp32 or int8. For bf16 take --to"),
        (("--precision", "int8"), "--precision int8 needs images to calibrate with: found data of CocoDataset: no "),
        (("--precision", "int8", "--calibrate", "nowhere"), "--calibrate: found nowhere, expected a folder of images"),
        (("--precision", "int8", "--calibrate", "empty"), "images in empty: found none, expected files ending with"),
        (("--precision", "int8", "--calibrate-images", "0"), "--calibrate-images: found 0, expected a number of imag"),
        (("--data-root", "nowhere", "--check"), "nowhere"),
        (("--cfg-options", "model.backbone.extra.stage2.num_branches=3"), "stage2"),
    ],
)
def test_wrong_flags_are_one_line(flags, line, refused, command, workplace):
    (workplace / "empty").mkdir()
    assert line in refused(*command, "onnx", *flags)
    assert not list(workplace.glob("*.onnx"))


@pytest.mark.parametrize(
    ("form", "flags", "line"),
    [
        ("ncnn", ("--size", "dynamic"), "--size dynamic with --to ncnn: found a free size, expected a fixed one"),
        ("ncnn", ("--precision", "int8"), "--precision int8 with --to ncnn: found no such numbers in this format, "
         "expected fp32 or bf16. For int8 take --to onnx or openvino"),
        ("torch-export", ("--precision", "int8"), "For int8 take --to onnx or openvino"),
        ("torch-export", ("--precision", "bf16"), "For bf16 take --to openvino or ncnn"),
    ],
)  # fmt: skip
def test_what_a_format_has_not_is_one_line(form, flags, line, refused, command):
    assert line in refused(*command, form, *flags)


def test_int8_without_training_data_in_the_config(refused, pose_config, command):
    pose_config.write_text(
        pose_config.read_text() + "\ntrain_dataloader = None\ntrain_cfg = None\noptim_wrapper = None"
    )
    line = refused(*command, "openvino", "--precision", "int8")
    assert "needs images to calibrate with: found no `train_dataloader` in the config. Give --data-root DIR, or" in line


def _with_neck(config: Path, kind: type) -> None:
    config.write_text(f"{config.read_text()}\nmodel['neck'] = dict(type='mmengine.{kind.__name__}')\n")


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
def test_an_unsupported_layer_is_named(form, refused, pose_config, command, workplace):
    _with_neck(pose_config, PicksPixels)
    (workplace / "net.onnx").write_bytes(b"before")
    (workplace / "net.pt2").write_bytes(b"before")
    line = refused(*command, form, "--out", "net")
    written = "torch-export" if form == "torch-export" else "ONNX"
    assert f"export to {written}: layer neck (PicksPixels): found " in line
    assert "expected a layer that computes tensors from tensors. Choose another format, or another layer" in line
    assert {path.suffix for path in workplace.iterdir()} == {".py", ".pth", ".onnx", ".pt2"}
    assert (workplace / "net.onnx").read_bytes() == (workplace / "net.pt2").read_bytes() == b"before"


@pytest.mark.parametrize("form", ["onnx", "torch-export"])
def test_images_of_four_channels(form, hrnet, pose_config, workplace):
    text = pose_config.read_text().replace(", mean=[120, 120, 120], std=[60, 60, 60]", "")
    pose_config.write_text(text.replace("type='hrnet_plugin.HRNet',", "type='hrnet_plugin.HRNet', in_channels=4,"))
    model = build(pose_config)
    torch.save({"state_dict": model.state_dict(), "meta": {}}, "four.pth")
    outcome = hrnet("export", pose_config, "four.pth", "--to", form)
    assert outcome.status == 0, outcome.err
    images = torch.randn(1, 4, 64, 64)
    found = open_export(pose_config.stem + FORMATS[form].SUFFIX)(images)[0]
    with torch.no_grad():
        expected = TensorModel(model)(images)[0]
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-4


@pytest.mark.parametrize(
    ("split", "flags"), [("train2017", ("--precision", "int8", "--calibrate", "train")), ("val2017", ("--check", "2"))]
)
@pytest.mark.parametrize("kept", [0, 0.5])
def test_broken_images_of_a_data_set_are_told(split, flags, kept, refused, command, data):
    for path in (data / split).iterdir():
        content = path.read_bytes()
        path.write_bytes(content[: int(kept * len(content))])
    line = refused(*command, "onnx", *flags, "--data-root", data)
    assert "found an empty file" in line or "found a truncated file" in line


def test_a_layer_that_ncnn_has_not_is_named(refused, pose_config, command, workplace):
    pytest.importorskip("pnnx")
    _with_neck(pose_config, Ranks)
    line = refused(*command, "ncnn")
    assert "export to ncnn: found layers that ncnn has not: torch." in line
    assert "(Ranks)" in line
    assert {path.suffix for path in workplace.iterdir()} == {".py", ".pth"}


@pytest.mark.parametrize(
    ("form", "flags", "absent", "install"),
    [
        ("onnx", (), "onnx", "`pip install onnx onnxscript`"),
        ("onnx", (), "onnxscript", "`pip install onnx onnxscript`"),
        ("onnx", ("--check",), "onnxruntime", "`pip install onnxruntime`"),
        ("onnx", ("--precision", "int8", "--calibrate", "."), "onnxruntime", "`pip install onnxruntime`"),
        ("openvino", (), "openvino", "`pip install openvino`"),
        ("openvino", ("--precision", "int8", "--calibrate", "."), "nncf", "`pip install nncf`"),
        ("ncnn", (), "pnnx", "`pip install ncnn pnnx`"),
        ("ncnn", (), "ncnn", "`pip install ncnn pnnx`"),
    ],
)
def test_a_missing_package_is_told_with_its_install_command(
    form, flags, absent, install, refused, command, data, workplace, monkeypatch
):
    real = importlib.import_module

    def without(name: str, *rest: object) -> object:
        if name.partition(".")[0] == absent:
            raise ModuleNotFoundError(f"No module named {absent!r}", name=absent)
        return real(name, *rest)

    monkeypatch.setattr("hrnet_plugin.deploy.optional.importlib.import_module", without)
    line = refused(*command, form, *flags)
    assert install in line
    assert absent in line
    assert not [path for path in workplace.iterdir() if path.name.endswith(preflight.EXPORTED)]


@pytest.mark.parametrize("suffix", preflight.EXPORTED)
@pytest.mark.parametrize("verb", ["export", "train"])
def test_an_exported_file_in_the_place_of_a_checkpoint(verb, suffix, refused, pose_config, data, workplace):
    path = workplace / f"net{suffix}"
    path.write_bytes(b"anything")
    given = (path, "--to", "onnx") if verb == "export" else ("--resume", path, "--data-root", data)
    line = refused(verb, pose_config, *given)
    assert f"{path}: found an exported file, expected trained weights" in line


def test_the_flags_have_the_formats_and_their_endings():
    assert tuple(FORMATS) == export._FORMATS
    assert tuple(module.SUFFIX for module in FORMATS.values()) == preflight.EXPORTED
    args = build_parser(["export"]).parse_args(["export", "a.py", "a.pth", "--to", "onnx", "--check"])
    assert (args.check, args.batch, args.precision) == (32, "1", "fp32")
