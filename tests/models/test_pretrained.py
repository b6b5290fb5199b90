"""Pretrained weights come from the local folder or not at all."""

from __future__ import annotations

import socket

import pytest
import torch

from hrnet_plugin import HRNet
from hrnet_plugin.models import pretrained

URL = "https://weights.example/zoo/hrnet_small-1a2b3c4d.pth"


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


def asked() -> HRNet:
    """A network whose config names weights by URL."""
    init = [{"type": "Normal", "std": 0.5, "layer": ["Conv2d"]}, {"type": "Pretrained", "checkpoint": URL}]
    return HRNet("w18_small_v1", init_cfg=init)


def test_weights_at_hand_are_loaded(store):
    donor = HRNet("w18_small_v1")
    torch.save({"state_dict": donor.state_dict()}, store / "hrnet_small-1a2b3c4d.pth")
    net = asked()
    net.init_weights()
    assert all(torch.equal(net.state_dict()[name], value) for name, value in donor.state_dict().items())
    assert pretrained.missing_weights() == ()


def test_absent_weights_are_noted_and_the_rest_of_init_cfg_holds(store):
    net = asked()
    net.init_weights()
    assert net.conv2.weight.std().item() == pytest.approx(0.5, rel=0.1)
    (missing,) = pretrained.missing_weights()
    assert missing.source == URL
    assert missing.path == store / "hrnet_small-1a2b3c4d.pth"
    assert str(missing.path) in str(missing)


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
