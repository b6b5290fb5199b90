"""The network of `hrnet infer`: known from its config or file before it is built, then built."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.describing import describe, jsonable, task_of, usual_size
from hrnet_plugin.deploy.devices import find_device
from hrnet_plugin.deploy.exporting.formats import files_of, read_description
from hrnet_plugin.deploy.load import is_export, load
from hrnet_plugin.deploy.predictor import Predictor, check_readable
from hrnet_plugin.deploy.runtimes.start import usual_runtime
from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.hashes import file_sha256
from hrnet_plugin.zoo.forward import model_config

from .calibration_data import calibrating_images, check_calibration_source
from .data_root import point_at
from .explain import explained
from .preflight import check_checkpoint_file
from .pretrained_sources import local_checkpoint, localise_weights
from .test_runtime import check_runtime_flags

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor

    from hrnet_plugin.deploy.description import NetworkDescription


@dataclass(frozen=True)
class Network:
    """What is going to be run.

    Args:
        description: What it says of itself.
        runtime, precision: As they will be.
        weights: The SHA-256 of its weights.
        cfg: Its config; None for an exported file.
        checkpoint: Its weights, or the exported file.
    """

    description: NetworkDescription
    runtime: str
    precision: str
    weights: str
    checkpoint: Path
    cfg: Config | None = None

    @property
    def heatmaps(self) -> int | None:
        """How many a pose network computes, where its config says so or its description names them."""
        said = (model_config(self.cfg).get("head") or {}).get("out_channels") if self.cfg is not None else None
        return said if isinstance(said, int) else len(self.description.keypoint_names) or None

    @property
    def digest(self) -> str:
        """A few digits for all that a config says of how it computes, whatever the precision."""
        model = {} if self.cfg is None else jsonable(model_config(self.cfg))
        described = replace(self.description, version="", precision="fp32").to_json()
        return hashlib.sha256(json.dumps([model, described], sort_keys=True).encode()).hexdigest()[:16]


def find_network(args: argparse.Namespace) -> tuple[Network, Sequence[str]]:
    """What is going to be run, and the inputs.

    Raises:
        UserError: config, checkpoint or exported file cannot be used, or there are no inputs.
    """
    if is_export(args.network):
        return _exported(args), args.inputs
    checkpoint, *given = args.inputs
    if not given:
        raise ConfigError("inputs", found=f"none behind checkpoint {checkpoint}", expected="images, folders or videos")
    check_runtime_flags(args)
    runtime, precision = args.runtime or "torch", args.precision or "fp32"
    find_device(args.device, runtime)
    cfg = load_config(find_config(args.network), args.cfg_options)
    checkpoint = local_checkpoint(checkpoint)
    check_checkpoint_file(checkpoint)
    localise_weights(cfg, replaced=True)
    if args.data_root:
        point_at(cfg, args.data_root)
    if precision == "int8":
        check_calibration_source(cfg, args.calibrate)
    with explained(cfg):
        size = None if task_of(cfg) == "segmentation" else usual_size(cfg)
        description = describe(cfg, name=Path(cfg.filename).stem, size=size, precision=precision)
    check_readable(description)
    return Network(description, runtime, precision, file_sha256(checkpoint), Path(checkpoint), cfg), given


def _exported(args: argparse.Namespace) -> Network:
    path = Path(args.network).expanduser()
    for flag, value in (
        ("--cfg-options", args.cfg_options),
        ("--calibrate", args.calibrate),
        ("--data-root", args.data_root),
    ):
        if value:
            raise ConfigError(f"{flag} with {path}", found="an exported file", expected="a config and a checkpoint")
    description = read_description(path)
    check_readable(description)
    weights = "".join(file_sha256(file) for file in files_of(path) if file.is_file())
    runtime = args.runtime or usual_runtime(path)
    return Network(description, runtime, args.precision or description.precision, weights, path)


def build_predictor(args: argparse.Namespace, network: Network) -> Predictor:
    """The network, ready to be called.

    Raises:
        UserError: config or weights cannot be used together, or not by this runtime.
    """
    if network.cfg is None:
        predictor = load(
            network.checkpoint,
            runtime=args.runtime,
            precision=args.precision,
            threads=args.threads,
            device=args.device,
        )
    else:
        with explained(network.cfg):
            predictor = load(
                network.cfg,
                network.checkpoint,
                runtime=network.runtime,
                precision=network.precision,
                threads=args.threads,
                calibration=_calibration(args, network.cfg) if network.precision == "int8" else None,
                device=args.device,
            )
    if network.description.batch is None:
        predictor.batch = args.batch_size
    return predictor


def usual_batch(device: str | None) -> int:
    """How many images are best computed at once: few stay in the caches of a CPU, many fill an accelerator."""
    return 8 if device in (None, "cpu") else 32


def _calibration(args: argparse.Namespace, cfg: Config) -> Iterator[Tensor]:
    from mmengine.registry import MODELS, DefaultScope

    preprocessor = dict(model_config(cfg).data_preprocessor)
    preprocessor.setdefault("type", "ClsDataPreprocessor")  # mmpretrain's own, which its configs do not name
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope")):
        built = MODELS.build(preprocessor)
    return calibrating_images(cfg, built, args.calibrate, args.calibrate_images)
