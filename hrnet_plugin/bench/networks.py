"""Networks built from their plain description, with weights that all subjects of a run share."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..checkpoints.atomic import save_atomically
from ..checkpoints.contents import read_contents
from ..compat.checkpoint_reading import read_checkpoint
from ..deploy.tensor_model import TensorModel
from ..errors import CheckpointError, ConfigError
from ..zoo.forward import build_model, model_config
from ..zoo.quiet import quiet
from .subjects import Network
from .timm_backbone import build_timm
from .upstream import check_installed, framework_config, read_spec, timm_name, with_framework_backbone

if TYPE_CHECKING:
    from mmengine.config import Config

#: Parts of a model that inference does not run, and counters of training.
_NOT_NEEDED = ("auxiliary_head.", "num_batches_tracked")


def resolve_config(network: Network) -> Config:
    """The config from which a network is built.

    Raises:
        ConfigError: the framework has no such network.
        MissingDependency: the framework is not installed.
    """
    from mmengine.config import Config

    framework, _, name = network.config.rpartition("::")
    path = Path(name)
    if framework:
        check_installed(framework)
        path = Path(importlib.util.find_spec(framework).origin).parent / ".mim" / "configs" / name
    cfg = Config.fromfile(str(path))
    if network.framework in ("mmpose", "mmseg"):
        cfg = with_framework_backbone(cfg) if network.backbone_only else framework_config(cfg, path, network.framework)
    if network.options:
        cfg.merge_from_dict(dict(network.options))
    return cfg


def build_whole(network: Network) -> nn.Module:
    """The model as its framework builds it, in evaluation mode; its weights are not those of :func:`load_weights`."""
    cfg = resolve_config(network)
    with quiet():
        if network.framework == "timm":
            return build_timm(timm_name(read_spec(cfg))).eval()
        if network.backbone_only:
            cfg.merge_from_dict({"model": {"backbone": {"multiscale_output": True}}})
        for node in (cfg.model, cfg.model.backbone):
            node.pop("pretrained", None)
        cfg.model.backbone.init_cfg = None
        model = build_model(model_config(cfg), cfg.default_scope)
        model.eval()
    return model.backbone if network.backbone_only else model


def build_network(network: Network, source: Network, folder: Path) -> TensorModel:
    """The network as a function of tensors, with the weights of `source`."""
    model = TensorModel(build_whole(network))
    load_weights(model, source, folder)
    return model


def load_weights(model: TensorModel, source: Network, folder: Path) -> None:
    """Gives a network the weights of `source`, which are made at first use and kept in `folder`.

    Raises:
        CheckpointError: a checkpoint does not fit.
        ConfigError: the two are different networks.
    """
    path = Path(folder) / f"weights-{source.key}.pth"
    if not path.exists():
        reference = TensorModel(build_whole(source))
        _fill(reference, source)
        save_atomically(reference.state_dict(), path)
    weights = read_checkpoint(path)
    try:
        wrong = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # of other shapes
        found = " ".join(str(error).split())[:160]
        raise ConfigError(f"network of {source.config}", found=found, expected="the same shapes") from error
    keys = [*wrong.missing_keys, *wrong.unexpected_keys]
    if keys:
        raise ConfigError(f"network of {source.config}", found=f"{len(keys)} other keys, as {keys[0]}", expected="same")


def _fill(model: TensorModel, source: Network) -> None:
    if not source.checkpoint:
        generate_weights(model, source)
        return
    weights = read_contents(source.checkpoint).weights
    # A checkpoint says `head`, or `decode_head`, where the function of tensors has `heads.0`.
    renamed = {_tensor_key(key): value for key, value in weights.items()}
    try:
        missing = model.load_state_dict(renamed, strict=False).missing_keys
    except RuntimeError as error:
        found = " ".join(str(error).split())[:120]
        raise CheckpointError(
            f"checkpoint {source.checkpoint}", found=found, expected="the config's weights"
        ) from error
    missing = [key for key in missing if not any(part in key for part in _NOT_NEEDED)]
    if missing:
        found = f"nothing for {len(missing)} keys, as {missing[0]}"
        raise CheckpointError(f"checkpoint {source.checkpoint}", found=found, expected="the config's weights")


def _tensor_key(key: str) -> str:
    for name in ("decode_head.", "head."):
        if key.startswith(name):
            rest = key.removeprefix(name)
            return f"heads.{rest}" if rest.split(".")[0].isdigit() else f"heads.0.{rest}"
    return key


def generate_weights(model: nn.Module, source: Network) -> None:
    """Weights under which every layer matters and no number grows beyond measure.

    Convolutions keep the variance (He et al., arXiv:1502.01852), and the norms take their statistics from one batch.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        for norm in norms:
            # Below 1, so that each block adds less than what passes it by, as in trained networks.
            norm.weight.uniform_(0.2, 0.8)
            norm.bias.uniform_(-0.2, 0.2)
        batch = 4 if source.size[0] * source.size[1] < 2**18 else 2
        images = torch.randn(batch, 3, source.size[1], source.size[0])
        with _taking_statistics(norms):
            run(model, images, source)


@contextmanager
def _taking_statistics(norms: Sequence[nn.Module]) -> Iterator[None]:
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    yield
    for norm, momentum in zip(norms, before, strict=True):
        norm.eval()
        norm.momentum = momentum


def example_images(network: Network, device: str = "cpu") -> Tensor:
    """Normalised images (N, 3, H, W) of random numbers, always the same."""
    generator = torch.Generator().manual_seed(1)
    width, height = network.size
    return torch.randn(network.batch, 3, height, width, generator=generator).to(device)


def run(model: nn.Module, images: Tensor, network: Network) -> tuple[Tensor, ...]:
    """What a network computes.

    Raises:
        ConfigError: it cannot take images of this size.
    """
    try:
        with torch.inference_mode():
            return model(images)
    except (RuntimeError, AssertionError, ValueError) as error:
        width, height = network.size
        raise ConfigError(
            f"size {width}x{height}",
            found=f"{network.framework or 'the network'} stops with: {' '.join(str(error).split())[:120]}",
            expected="width and height that the network takes, such as multiples of 32",
        ) from error


def relative_difference(outputs: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """The largest difference of any number, in units of the largest number expected; infinite for other shapes."""
    if [tuple(one.shape) for one in outputs] != [tuple(one.shape) for one in expected]:
        return float("inf")
    pairs = [(one.float().cpu(), other.float().cpu()) for one, other in zip(outputs, expected, strict=True)]
    worst = max(float((one - other).abs().max() / other.abs().max().clamp_min(1e-12)) for one, other in pairs)
    return worst if worst == worst else float("inf")
