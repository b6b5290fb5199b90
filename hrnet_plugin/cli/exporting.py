"""The steps of `hrnet export`: model, images, file, check."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.calibration import write_quantised
from hrnet_plugin.deploy.checking import TOLERANCE, AnyBatch, MetricCheck, compare_metrics, compare_outputs
from hrnet_plugin.deploy.describing import describe, pixel_scaling, usual_size
from hrnet_plugin.deploy.exporting.formats import files_of
from hrnet_plugin.deploy.images import as_pixels, dataset_images, drawn_images, fitted
from hrnet_plugin.deploy.load import load_model, network_entry
from hrnet_plugin.deploy.optimising import optimised
from hrnet_plugin.deploy.runtimes.start import check_format_installed, open_export
from hrnet_plugin.deploy.tensor_model import TensorModel
from hrnet_plugin.errors import ConfigError, UserError

from .calibration_data import calibrating_images, check_calibration_source
from .data_root import point_at, use_ground_truth_boxes
from .explain import explained
from .export import Target, plan_target
from .image_checks import check_images_when_loaded
from .preflight import check_checkpoint_file, check_data, check_writable
from .pretrained_sources import local_checkpoint, localise_weights
from .summary import print_table

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

    from hrnet_plugin.deploy.description import NetworkDescription


def export(args: argparse.Namespace) -> int:
    """Exports as the flags of `hrnet export` say; returns the exit status."""
    path = find_config(args.config)
    cfg = load_config(path, args.cfg_options)
    target = plan_target(args, _usual(cfg), path.stem, channels=len(pixel_scaling(cfg).mean))
    checkpoint = local_checkpoint(args.checkpoint)
    check_checkpoint_file(checkpoint)
    check_writable(target.path.parent, "--out: folder")
    if args.data_root:
        point_at(cfg, args.data_root)
    localise_weights(cfg, replaced=True)
    check_images_when_loaded(cfg)
    _check_images(cfg, args)
    check_format_installed(args.to, args.precision, opens=bool(args.check))
    with explained(cfg):
        model = load_model(cfg, checkpoint)
        description = _write(cfg, path.stem, model, target, args)
        lines = _told(target, description)
        differs, found, notices = _check(cfg, model, target, description, args) if args.check else (False, [], [])
    print_table(f"exported to {args.to}, {args.precision}", [*lines, *found], notices)
    return int(differs)


def _usual(cfg: Config) -> tuple[int, int] | None:
    try:
        return usual_size(cfg)
    except ConfigError:
        return None


def _check_images(cfg: Config, args: argparse.Namespace) -> None:
    """Before anything is built: the images that int8 and the check need are there.

    Raises:
        ConfigError: there are none to calibrate with.
        DataError: there are none to check with.
    """
    if args.precision == "int8":
        check_calibration_source(cfg, args.calibrate)
    if args.check and args.data_root:
        check_data(cfg, ("test_dataloader",), ("test_evaluator",))


def _write(cfg: Config, name: str, model: nn.Module, target: Target, args: argparse.Namespace) -> NetworkDescription:
    shape, scaling = target.shape, pixel_scaling(cfg)
    description = describe(
        cfg,
        name=name,
        size=None if shape.dynamic_size else shape.size,
        batch=None if shape.dynamic_batch else shape.batch,
        normalised_inside=args.normalise_inside,
        precision=args.precision,
        network=network_entry(model),
    )
    network = TensorModel(model, scaling if args.normalise_inside else None)
    network = optimised(network, args.to)
    if args.precision == "int8":
        found = calibrating_images(cfg, model.data_preprocessor, args.calibrate, args.calibrate_images)
        images = fitted(found, shape)
        if args.normalise_inside:
            images = (as_pixels(image, scaling) for image in images)
        write_quantised(network, target.path, description, shape, images)
    else:
        target.module.write(network, target.path, description, shape)
    return description


def _told(target: Target, description: NetworkDescription) -> list[tuple[str, str]]:
    size = sum(file.stat().st_size for file in files_of(target.path)) / 2**20
    batch = "any number" if description.batch is None else description.batch
    pixels = "x".join(map(str, description.input_size)) if description.input_size else "any size in multiples of 32"
    takes = "pixels of 0 to 255, BGR" if description.normalised_inside else f"normalised, {description.channel_order}"
    return [("file", str(target.path)), ("size", f"{size:.1f} MiB"), ("images", f"{batch} of {pixels}, {takes}")]


def _check(
    cfg: Config, model: nn.Module, target: Target, description: NetworkDescription, args: argparse.Namespace
) -> tuple[bool, list[tuple[str, str]], list[str]]:
    """Whether the file differs from PyTorch, what to tell of it, and what else to say."""
    scaling = pixel_scaling(cfg) if description.normalised_inside else None
    runtime = AnyBatch(open_export(target.path), scaling)
    has_data = _has_test_data(cfg)
    if has_data:
        images, origin = dataset_images(cfg, model.data_preprocessor, "test", args.check), "test"
    else:
        images, origin = drawn_images(cfg, model.data_preprocessor, args.check), "drawn"
    outputs = compare_outputs(model, runtime, fitted(images, target.shape), description)
    differs = description.precision == "fp32" and not outputs.largest < TOLERANCE
    limit = f" (allowed: {TOLERANCE:g})" if description.precision == "fp32" else ""
    lines = [
        ("largest relative difference", f"{outputs.plain:.2g} on {outputs.images} {origin} images{limit}"),
        ("with flip test", f"{outputs.mirrored:.2g}"),
    ]
    notices = use_ground_truth_boxes(cfg, "test_dataloader", always=False) if has_data else []
    if not has_data:
        return differs, lines, ["no test data: the metric was not measured (--data-root DIR)"]
    try:
        lines.append(("metric", _metric(compare_metrics(cfg, model, runtime, args.check))))
    except ConfigError as error:
        notices.append(f"the metric was not measured: {error}")
    return differs, lines, notices


def _has_test_data(cfg: Config) -> bool:
    if not cfg.get("test_dataloader") or not cfg.get("test_evaluator"):
        return False
    try:
        check_data(cfg, ("test_dataloader",), ("test_evaluator",))
    except UserError:
        return False
    return True


def _metric(found: MetricCheck) -> str:
    change = found.exported - found.framework
    return f"{found.name} {found.exported:.4f}, PyTorch {found.framework:.4f} ({change:+.4f}, {found.images} samples)"
