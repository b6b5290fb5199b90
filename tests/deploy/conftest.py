"""A small trained-looking network, its config, and its exports, made once for the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.zoo.forward import build_model, model_config


@pytest.fixture(scope="module", autouse=True)
def _one_thread(one_thread: None) -> None:
    """Threads only get in each other's way on networks this small."""


def with_weights(model: nn.Module) -> nn.Module:
    """The model in evaluation mode, with weights under which no layer is idle."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter, generator=generator)
        elif name.endswith("weight"):
            nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
    return model.eval()


@pytest.fixture(scope="package")
def pose_cfg() -> Config:
    """The quickstart's config: top-down heatmaps of 96x128 (width x height) images, UDP."""
    return load_config(find_config("quickstart_pose"))


@pytest.fixture(scope="package")
def build() -> Callable[[Config], nn.Module]:
    """The whole model of a config, with weights."""

    def make(cfg: Config) -> nn.Module:
        return with_weights(build_model(model_config(cfg), cfg.default_scope))

    return make


@pytest.fixture(scope="package")
def pose_model(pose_cfg: Config, build: Callable[[Config], nn.Module]) -> nn.Module:
    """The quickstart's model; tests that change it take a copy."""
    return build(pose_cfg)


@pytest.fixture(scope="package")
def pose_network(pose_model: nn.Module) -> TensorModel:
    """Its network alone."""
    return TensorModel(pose_model)


@pytest.fixture(scope="package")
def pose_checkpoint(pose_model: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its weights in a file."""
    path = tmp_path_factory.mktemp("weights") / "pose.pth"
    torch.save({"state_dict": pose_model.state_dict(), "meta": {}}, path)
    return path


@pytest.fixture(scope="package")
def seg_cfg() -> Config:
    """The segmentation quickstart's config: any size, bilinear fusion, FCN head."""
    return load_config(find_config("quickstart_seg"))
