"""`hrnet convert`: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checkpoints.contents import read_contents
from hrnet_plugin.nets import HRNet

SPEC = HRNetSpec.of_width(4, num_modules=(1, 1, 1, 1), num_blocks=1, stage1_width=4, multiscale_output=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    """Of a pose network of the authors."""
    head = {"final_layer.weight": torch.rand(3, 4, 1, 1), "final_layer.bias": torch.rand(3)}
    return {**HRNet(SPEC).state_dict(), **head}


@pytest.fixture
def source(weights: dict[str, torch.Tensor]) -> Path:
    torch.save(weights, "a.pth")
    return Path("a.pth")


@pytest.fixture
def untouched(source: Path):
    """The source, which must be the same in the end, and have no partial file beside it."""
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    yield source
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    assert not list(Path().rglob("*.partial"))


def test_there_and_back(hrnet: Callable, untouched, weights):
    there = hrnet("convert", untouched, "b.pth", "--report", "report.json")
    assert there.status == 0, there.err
    assert "HRNet of no preset: pose to ours" in there.out
    assert f"mapped  {len(weights):>5}" in there.out
    report = json.loads(Path("report.json").read_text())
    assert report["counts"]["mapped"] == len(report["entries"]) == len(weights)
    assert hrnet("convert", "b.pth", "c.pth", "--to", "pose").status == 0
    assert list(read_contents("c.pth").weights) == list(weights)
    assert all(torch.equal(value, weights[key]) for key, value in torch.load("c.pth", weights_only=True).items())


def test_safetensors(hrnet: Callable, untouched, weights):
    assert hrnet("convert", untouched, "b.safetensors").status == 0
    assert hrnet("convert", "b.safetensors", "c.pth", "--to", "pose").status == 0
    back = read_contents("c.pth").weights
    assert back.keys() == weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in back.items())


def test_a_key_that_is_unaccounted_for(hrnet: Callable, weights):
    del weights["stage4.0.branches.3.0.bn2.bias"]
    torch.save(weights, "a.pth")
    outcome = hrnet("convert", "a.pth", "b.pth", "--report", "report.json")
    assert outcome.status == 1
    assert "missing  stage4.0.branches.3.0.bn2.bias: 32" in outcome.out
    assert "not written: 1 keys are unaccounted for" in outcome.out
    assert not Path("b.pth").exists()
    assert json.loads(Path("report.json").read_text())["counts"]["missing"] == 1
    assert hrnet("convert", "a.pth", "b.pth", "--force").status == 1
    assert len(read_contents("b.pth").weights) == len(weights)


def test_the_formats_are_listed(capsys):
    from hrnet_plugin.cli.main import main

    with pytest.raises(SystemExit) as caught:
        main(["convert", "--list"])
    assert caught.value.code == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("pose", "seg", "ocr", "cls", "face", "higherhrnet", "lite", "timm", "mmdet"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["b.pth", "--to", "timmm"], "format: found 'timmm', expected a known format. Did you mean 'timm'"),
        (["b.pth", "--to", "timm"], "format timm cannot hold the network: found head.final_layer.weight"),
        (["a.pth"], "DST: found a.pth, expected another file than SRC"),
        (["./../{name}/a.pth"], "expected another file than SRC"),
        (["b.pth", "--report", "b.pth"], "--report: found b.pth, expected another file than DST"),
        (["a.pth/b.pth"], "cannot write converted checkpoint a.pth/b.pth"),
        (["."], "cannot write converted checkpoint ."),
    ],
)
def test_wrong_arguments(refused: Callable, untouched, folder, arguments, said):
    arguments = [argument.format(name=folder.name) for argument in arguments]
    assert said in refused("convert", untouched, *arguments)
    assert sorted(path.name for path in Path().iterdir()) == ["a.pth"]


def test_a_link_to_the_source_is_the_source(refused: Callable, untouched):
    Path("link.pth").symlink_to("a.pth")
    os.link("a.pth", "hard.pth")
    for name in ("link.pth", "hard.pth"):
        assert "expected another file than SRC" in refused("convert", untouched, name)


def test_what_is_ours_needs_a_target(hrnet: Callable, refused: Callable, source):
    assert hrnet("convert", source, "b.pth").status == 0
    assert "--to: found none, and a checkpoint that is ours already" in refused("convert", "b.pth", "c.pth")


class Payload:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"state_dict": {"conv1.weight": torch.zeros(1)}, "meta": Payload()}, "nothing in it ran"),
        ({"conv1.weight": torch.zeros(1), "fc.weight": torch.zeros(1)}, "expected an HRNet or Lite-HRNet"),
        ({"epoch": 3}, "expected weights by key"),
        (b"no checkpoint at all", "truncated or no checkpoint"),
        (None, "no such file"),
    ],
    ids=["forbidden", "another family", "no weights", "no checkpoint", "no file"],
)
def test_a_source_that_cannot_be_converted(refused: Callable, content, said):
    if isinstance(content, bytes):
        Path("a.pth").write_bytes(content)
    elif content is not None:
        torch.save(content, "a.pth")
    assert said in refused("convert", "a.pth", "b.pth")
    assert not Path("b.pth").exists()
    assert not Path("ran").exists()


@pytest.mark.parametrize("name", ["b.pth", "b.safetensors"])
def test_a_full_disk(refused: Callable, untouched, monkeypatch, name):
    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    Path(name).write_bytes(b"older")
    monkeypatch.setattr(os, "fsync", fail)
    line = refused("convert", untouched, name)
    assert f"cannot write converted checkpoint {name}: found 'No space left on device'" in line
    assert Path(name).read_bytes() == b"older"
