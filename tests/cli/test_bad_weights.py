"""Weights that are not what they should be: one clear line, exit status 2, the user's files untouched."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from hrnet_plugin.archs import LITE_ZOO, ZOO, HRNetSpec
from hrnet_plugin.compat.safetensors_files import safetensors_bytes
from hrnet_plugin.nets import HRNet, LiteHRNet

#: How each command that reads a checkpoint is given one.
COMMANDS: dict[str, Callable[[Path, Path, Path], tuple]] = {
    "test": lambda config, data, file: ("test", config, file, "--data-root", data),
    "train": lambda config, data, file: (
        "train", config, "--data-root", data, "--no-validate", "--cfg-options", f"load_from={file}"
    ),
    "resume": lambda config, data, file: (
        "train", config, "--data-root", data, "--no-validate", "--resume", file
    ),
    "pretrained": lambda config, data, file: (
        "train", config, "--data-root", data, "--no-validate", "--cfg-options",
        f"model.backbone.init_cfg.checkpoint={file}",
    ),
    "load-report": lambda config, data, file: ("load-report", config, file),
    "publish": lambda config, data, file: ("publish", file, "--config", config, "--out", "out"),
    "convert": lambda config, data, file: ("convert", file, "out.pth", "--to", "pose"),
}  # fmt: skip
#: Those that need all of a network, and those that can start from a part of one.
NEED_ALL = ("test", "resume", "publish")


@pytest.fixture
def untouched(workplace: Path) -> Iterator[Callable[[Path], Path]]:
    """Names files that have to be there in the end as they are now."""
    seen: dict[Path, str] = {}

    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def note(path: Path) -> Path:
        seen[path] = digest(path)
        return path

    yield note
    assert seen
    for path, before in seen.items():
        assert digest(path) == before
    assert not list(workplace.rglob("*.partial"))


@pytest.fixture
def network(pose_config: Path) -> torch.nn.Module:
    """That of the pose config."""
    from mmengine.config import Config
    from mmengine.registry import MODELS, DefaultScope

    cfg = Config.fromfile(pose_config)
    cfg.model.backbone.pop("init_cfg")
    with DefaultScope.overwrite_default_scope("mmpose"):
        return MODELS.build(cfg.model)


def tiny(width: int) -> HRNetSpec:
    return HRNetSpec.of_width(width, num_modules=(1, 1, 1, 1), num_blocks=1, stage1_width=width)


def saved(weights: dict[str, torch.Tensor], path: str = "a.pth") -> Path:
    torch.save({"state_dict": weights, "meta": {}, "message_hub": {}}, path)
    return Path(path)


def backbone_keys(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {f"backbone.{key}": value for key, value in network.state_dict().items()}


# A checkpoint of another network


@pytest.mark.parametrize(
    ("command", "other"),
    [("test", "family"), ("publish", "family"), ("train", "width"), ("resume", "width"), ("publish", "width")],
)
def test_weights_of_another_network(refused, untouched, data, pose_config, command, other):
    made = LiteHRNet(LITE_ZOO["litehrnet_naive"]) if other == "family" else HRNet(tiny(10))
    file = untouched(saved(backbone_keys(made)))
    line = refused(*COMMANDS[command](pose_config, data, file))
    assert f"{file}: found " in line
    assert "keys of the network (" in line
    assert "First mismatch: " in line
    assert ("Lite-HRNet of width" if other == "family" else "HRNet of width") in line
    assert not Path("out").exists()


@pytest.mark.parametrize("command", NEED_ALL)
def test_half_of_the_keys(refused, untouched, data, pose_config, network, command):
    weights = network.state_dict()
    file = untouched(saved({key: weights[key] for key in list(weights)[: len(weights) // 2]}))
    line = refused(*COMMANDS[command](pose_config, data, file))
    assert f"{file}: found " in line
    assert "is missing" in line
    assert not Path("out").exists()


def test_half_of_the_keys_are_reported(hrnet, untouched, data, pose_config, network):
    weights = network.state_dict()
    file = untouched(saved({key: weights[key] for key in list(weights)[: len(weights) // 2]}))
    outcome = hrnet(*COMMANDS["load-report"](pose_config, data, file))
    assert (outcome.status, outcome.err) == (1, "")
    assert "missing" in outcome.out


# A file that is no checkpoint


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(buffer, "png")
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": {"a": torch.zeros(900)}}, buffer)
    return buffer.getvalue()


NO_CHECKPOINTS = {
    "letter": ("a.pth", b"Dear reader,\n" * 50),
    "picture": ("a.pth", picture()),
    "empty": ("a.pth", b""),
    "truncated": ("a.pth", archive()[:3000]),
    "safetensors truncated": ("a.safetensors", safetensors_bytes({"a": torch.zeros(900)}, {})[:-100]),
    "safetensors with a huge header": ("a.safetensors", b"\xff" * 7 + b"\x00{}"),
    "letter called safetensors": ("a.safetensors", b"Dear reader,\n" * 50),
}


@pytest.mark.parametrize(
    ("command", "kind"),
    [*((command, "safetensors truncated") for command in COMMANDS), *(("publish", kind) for kind in NO_CHECKPOINTS)],
)
def test_a_file_that_is_no_checkpoint(refused, untouched, data, pose_config, command, kind):
    name, content = NO_CHECKPOINTS[kind]
    Path(name).write_bytes(content)
    line = refused(*COMMANDS[command](pose_config, data, untouched(Path(name))))
    assert f"{name}: found" in line
    assert any(word in line for word in ("truncated", "no checkpoint", "an empty file"))
    assert not Path("out").exists()


@pytest.mark.parametrize("command", ["test", "pretrained", "publish"])
def test_a_checkpoint_without_weights(refused, untouched, data, pose_config, command):
    torch.save({"epoch": 3, "meta": {}}, "a.pth")
    line = refused(*COMMANDS[command](pose_config, data, untouched(Path("a.pth"))))
    assert "a.pth: found a dict with epoch, meta, expected weights by key" in line


@pytest.mark.parametrize("command", COMMANDS)
def test_forbidden_content(refused, untouched, workplace, data, pose_config, command):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(workplace / "ran"),)

    torch.save({"state_dict": {"a": torch.zeros(1)}, "meta": Payload()}, "a.pth")
    line = refused(*COMMANDS[command](pose_config, data, untouched(Path("a.pth"))))
    assert f"a.pth: found a request for {os.mkdir.__module__}.mkdir" in line
    assert "nothing in it ran" in line
    assert not (workplace / "ran").exists()


# A hash that does not match


@pytest.mark.parametrize("command", ["test", "train", "pretrained", "publish"])
def test_a_stored_file_of_another_hash(refused, untouched, workplace, data, pose_config, network, command):
    (workplace / "weights").mkdir()
    untouched(saved(network.state_dict(), "weights/hrnet_w32-36af842e.pth"))
    line = refused(*COMMANDS[command](pose_config, data, "hrnet://hrnet_w32_imagenet"))
    assert "hrnet_w32-36af842e.pth" in line
    assert "36af842e" in line.replace("hrnet_w32-36af842e.pth", "")


# Conversion


@pytest.fixture
def classifier() -> dict[str, torch.Tensor]:
    """An ImageNet backbone in our keys."""
    return backbone_keys(HRNet(ZOO["w18_small_v1"]))


def test_a_format_that_cannot_hold_the_network(refused, untouched, workplace, network):
    Path("out.pth").write_text("mine")
    untouched(Path("out.pth"))
    file = untouched(saved(network.state_dict()))
    for target in ("timm", "cls"):
        line = refused("convert", file, "out.pth", "--to", target)
        assert f"format {target} cannot hold the network: found" in line
        assert ", expected " in line


def test_half_of_the_keys_are_not_converted(hrnet, untouched, workplace, classifier):
    Path("out.pth").write_text("mine")
    untouched(Path("out.pth"))
    file = untouched(saved({key: classifier[key] for key in list(classifier)[: len(classifier) // 2]}))
    outcome = hrnet("convert", file, "out.pth", "--to", "timm")
    assert outcome.status in (1, 2), outcome
    assert "missing" in outcome.out + outcome.err


def test_keys_of_no_known_format(refused, untouched, workplace):
    file = untouched(saved({f"encoder.{index}.weight": torch.zeros(2) for index in range(9)}))
    line = refused("convert", file, "out.pth")
    assert "a.pth: found" in line
    assert not Path("out.pth").exists()


# The row of a published file


@pytest.mark.parametrize("field", ["Name", "Config", "Metadata", "Results", "In Collection"])
def test_a_metafile_with_a_missing_field(refused, untouched, pose_config, network, field):
    row = {
        "Name": "a",
        "In Collection": "HRNet",
        "Config": "a.py",
        "Metadata": "{Training Data: COCO}",
        "Results": "[{Task: Pose, Dataset: COCO, Metrics: {AP: 0.5}}]",
    }
    lines = "\n".join(f"  {name}: {value}" for name, value in row.items() if name != field)
    Path("metafile.yml").write_text("# mine\nModels:\n-" + lines[1:] + "\n")
    untouched(Path("metafile.yml"))
    file = untouched(saved(network.state_dict()))
    line = refused(*COMMANDS["publish"](pose_config, None, file), "--metafile", "metafile.yml")
    assert "metafile.yml" in line
    assert f"no {field}" in line
    assert not Path("out").exists()


@pytest.mark.parametrize("text", ["- a\n", "Models: [\n", "Models: 3\n", "\udcff"])
def test_a_metafile_that_is_none(refused, untouched, pose_config, network, text):
    Path("metafile.yml").write_bytes(text.encode("utf-8", "surrogateescape"))
    untouched(Path("metafile.yml"))
    file = untouched(saved(network.state_dict()))
    line = refused(*COMMANDS["publish"](pose_config, None, file), "--metafile", "metafile.yml")
    assert "metafile metafile.yml: found" in line
    assert not Path("out").exists()


# A full disk


@pytest.fixture
def full_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets this many more files and folders reach the disk."""
    sync, left = os.fsync, [0]

    def fail(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    def fill(count: int) -> None:
        left[0] = count
        monkeypatch.setattr(os, "fsync", fail)

    return fill


@pytest.mark.parametrize("form", ["pth", "safetensors"])
def test_publishing_on_a_full_disk(refused, untouched, pose_config, network, full_after, form):
    file = untouched(saved(network.state_dict()))
    full_after(0)
    line = refused(*COMMANDS["publish"](pose_config, None, file), "--format", form)
    assert "cannot write published file out/" in line
    assert "found 'No space left on device'" in line
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize("name", ["out.pth", "out.safetensors"])
def test_converting_on_a_full_disk(refused, untouched, workplace, network, full_after, name):
    Path(name).write_text("mine")
    untouched(Path(name))
    file = untouched(saved(network.state_dict()))
    full_after(0)
    line = refused("convert", file, name, "--to", "pose")
    assert f"cannot write converted checkpoint {name}: found 'No space left on device'" in line


def test_no_room_for_the_row(refused, hrnet, untouched, pose_config, network, full_after):
    file = untouched(saved(network.state_dict()))
    assert hrnet(*COMMANDS["publish"](pose_config, None, file), "--name", "first").status == 0
    before = Path("out/metafile.yml").read_bytes()
    full_after(2)  # the published file and its folder
    line = refused(*COMMANDS["publish"](pose_config, None, file), "--name", "second")
    assert "out/metafile.yml: found no space left on device" in line
    assert Path("out/metafile.yml").read_bytes() == before
    # The published file is whole, so that the command can simply be given again.
    full_after(100)
    assert hrnet(*COMMANDS["publish"](pose_config, None, file), "--name", "second").status == 0
    assert Path("out/metafile.yml").read_bytes().startswith(before)
