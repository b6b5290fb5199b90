"""Pretrained weights come from the local folder or not at all."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from hrnet_plugin import HRNet
from hrnet_plugin.errors import CheckpointError, ConfigError
from hrnet_plugin.models import pretrained
from hrnet_plugin.published import sources
from hrnet_plugin.published.index import Weights

URL = "https://weights.example/zoo/hrnet_small.pth"


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    """A weights folder of its own, and no way out to the network."""
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(pretrained, "_missing", {})

    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path


@pytest.fixture(scope="module")
def donor() -> HRNet:
    """A network whose weights can be recognised."""
    return HRNet("w18_small_v1")


@pytest.fixture
def published(store, donor, monkeypatch) -> Path:
    """The donor's weights in the store, which the zoo's index calls `small` and knows the hash of."""
    path = store / "hrnet_small.pth"
    torch.save({"state_dict": donor.state_dict()}, path)
    row = Weights("small", URL, hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(sources, "find_weights_row", lambda name, configs: {"small": row}[name])
    sources._from_index.cache_clear()
    yield path
    sources._from_index.cache_clear()


def asked(source: str = URL) -> HRNet:
    """A network whose config names weights."""
    init = [{"type": "Normal", "std": 0.5, "layer": ["Conv2d"]}, {"type": "Pretrained", "checkpoint": source}]
    return HRNet("w18_small_v1", init_cfg=init)


@pytest.mark.parametrize("source", [URL, "hrnet://small"])
def test_weights_at_hand_are_loaded(published, donor, source):
    net = asked(source)
    net.init_weights()
    assert all(torch.equal(net.state_dict()[name], value) for name, value in donor.state_dict().items())
    assert pretrained.missing_weights() == ()


@pytest.mark.parametrize(("source", "name"), [(URL, URL), ("hrnet://small", "small")])
def test_absent_weights_are_noted_and_the_rest_of_init_cfg_holds(published, source, name):
    published.unlink()
    net = asked(source)
    net.init_weights()
    assert net.conv2.weight.std().item() == pytest.approx(0.5, rel=0.1)
    (missing,) = pretrained.missing_weights()
    assert (missing.source, missing.path) == (URL, published)
    assert str(missing) == (
        f"pretrained weights not found, starting from random weights: {name} is not at {published} "
        f"(to use them: hrnet zoo fetch {name})"
    )


def test_what_cannot_be_fetched_is_to_be_put_there(store):
    assert str(pretrained.note_missing("torchvision://resnet50")).endswith(
        f"(to use them: put the file at {store / 'resnet50'})"
    )


def test_weights_with_another_hash_are_refused_and_stay(published):
    published.write_bytes(published.read_bytes() + b"!")
    size = published.stat().st_size
    with pytest.raises(CheckpointError, match=r"hrnet_small\.pth: found SHA-256 .* run: hrnet zoo fetch small"):
        asked("hrnet://small").init_weights()
    assert published.stat().st_size == size


def test_a_name_that_the_zoo_lacks_is_no_reason_for_random_weights():
    with pytest.raises(ConfigError, match=r"weights 'hrnet_w23_imagenet': .*Did you mean 'hrnet_w32_imagenet'"):
        asked("hrnet://hrnet_w23_imagenet").init_weights()


def test_mmengine_knows_names_too(published, donor):
    loaded = CheckpointLoader.load_checkpoint("hrnet://small", "cpu")["state_dict"]
    assert torch.equal(loaded["conv1.weight"], donor.conv1.weight)
    published.unlink()
    with pytest.raises(CheckpointError) as caught:
        CheckpointLoader.load_checkpoint("hrnet://small")
    assert str(caught.value) == (
        f"checkpoint hrnet://small: found nothing at {published}, expected the file from {URL}. "
        "Fetch it with: hrnet zoo fetch small"
    )


def test_names_stand_for_their_urls():
    url = "https://download.openmmlab.com/pretrain/third_party/hrnetv2_w18-00eb2006.pth"
    for name in ("hrnet://hrnetv2_w18_imagenet", "open-mmlab://msra/hrnetv2_w18", url):
        assert pretrained.resolve_source(name) == url
    assert pretrained.resolve_source("work_dirs/a.pth") == "work_dirs/a.pth"


def test_absent_weights_alone_leave_the_default_initialisation():
    net = HRNet("w18_small_v1", pretrained=URL)
    net.init_weights()
    assert net.conv2.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.1)
    assert len(pretrained.missing_weights()) == 1


def test_openmmlabs_short_names_stand_for_their_urls(store):
    net = HRNet("w18", pretrained="open-mmlab://msra/hrnetv2_w18")
    net.init_weights()
    (missing,) = pretrained.missing_weights()
    assert missing.path == store / "hrnetv2_w18-00eb2006.pth"
    assert missing.source.startswith("https://")


def test_the_default_folder_is_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("HRNET_WEIGHTS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert pretrained.weights_dir() == tmp_path / "cache" / "hrnet_plugin" / "weights"
