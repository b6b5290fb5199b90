"""`hrnet inspect health`: whether a trained network is alive."""

from __future__ import annotations

import argparse
import copy
import textwrap
from typing import TYPE_CHECKING

from hrnet_plugin.errors import ConfigError, DataError, find_user_error
from hrnet_plugin.findings import as_text, errors_in
from hrnet_plugin.wording import in_short

from .data_root import point_at
from .explain import explained
from .inspecting import (
    add_command,
    check_outputs,
    print_json,
    print_table,
    print_written,
    read_config,
    write_page,
    write_plot,
)
from .preflight import check_checkpoint_file, check_data, check_loader
from .pretrained_sources import local_checkpoint

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import Tensor, nn

    from hrnet_plugin.inspection.health.examine import HealthReport

_ABOUT = (
    "Examine a trained network on one batch of its training data: statistics of batch norms, weights and gradients by "
    "stage and branch, ReLUs that never fire, residual blocks and fuse paths that carry nothing. Findings in words, "
    "worst first, with what usually causes them; exit status 1 where one of them is an error."
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Adds `health` to the commands of `hrnet inspect`."""
    parser = add_command(commands, "health", about=_ABOUT, run=run_health, checkpoint=True)
    parser.add_argument("--data-root", metavar="DIR", help="read the data set from this folder")
    parser.add_argument("--batch", type=int, metavar="N", help="images of the batch (default: the config's, at most 8)")
    parser.add_argument("--plot", metavar="FILE", help="write the plots (.png, .svg, .pdf)")


def run_health(args: argparse.Namespace) -> int:
    """Runs the command.

    Returns:
        0, or 1 where a finding is an error.

    Raises:
        UserError: config, checkpoint or data cannot be used, or a file cannot be written.
    """
    if args.batch is not None and args.batch < 1:
        raise ConfigError("--batch", found=args.batch, expected="1 or more")
    check_outputs(args)
    cfg = read_config(args)
    path = local_checkpoint(args.checkpoint)
    check_checkpoint_file(path)
    if args.data_root:
        point_at(cfg, args.data_root)
    check_loader(cfg, "train_dataloader")
    check_data(cfg, ("train_dataloader",), ())
    with explained(cfg):
        report, images = _examine(cfg, path, args.batch)
    from hrnet_plugin.inspection.health import views

    about = {"config": args.config, "checkpoint": args.checkpoint, "batch": f"{images} images"}
    written = []
    if args.plot:
        write_plot(views.plot(report), args.plot)
        written.append(args.plot)
    written += write_page(views.build_page(report, about), args) if args.html else []
    if args.json:
        print_json({**about, "batch": images, **views.to_plain(report)})
    else:
        print(f"{args.checkpoint} in {args.config}, {images} images, loss {views.losses(report)}\n")
        print(as_text(report.findings) + "\n")
        print_table(views.HEAD, views.table_rows(report))
        print("\n" + textwrap.fill(views.ABOUT, 100))
        print_written(written, args)
    return 1 if errors_in(report.findings) else 0


def _examine(cfg: Config, checkpoint: str, batch: int | None) -> tuple[HealthReport, int]:
    """The report, and how many images the batch had."""
    from mmengine.registry import DefaultScope

    from hrnet_plugin.deploy.load import load_model
    from hrnet_plugin.inspection.health.examine import examine
    from hrnet_plugin.zoo.miniature.batch import first_batch, seeded
    from hrnet_plugin.zoo.quiet import quiet

    model = load_model(cfg, checkpoint)
    cfg = _with_batch(cfg, batch)
    with quiet(), DefaultScope.overwrite_default_scope(cfg.get("default_scope")):
        data = first_batch(cfg, "train_dataloader")
        with seeded(0):
            ready = model.data_preprocessor(data, True)
            inputs, samples = ready["inputs"], ready["data_samples"]
            report = examine(
                model,
                lambda: model(inputs, samples, mode="tensor"),
                lambda: _loss(model, inputs, samples),
            )
    return report, len(inputs)


def _loss(model: nn.Module, inputs: object, samples: object) -> Tensor:
    """Raises:
    DataError: the labels are not such that the model's loss can be computed.
    """
    try:
        return model.parse_losses(model(inputs, samples, mode="loss"))[0]
    except (AssertionError, IndexError, RuntimeError, ValueError) as error:
        if find_user_error(error) is not None:
            raise
        raise DataError(
            "loss of the batch",
            found=f"{type(error).__name__} ({in_short(error)})",
            expected="labels that the head knows",
            do="`hrnet check-data` looks at the labels, `hrnet check-config` at the head; --traceback shows where",
        ) from error


def _with_batch(cfg: Config, batch: int | None) -> Config:
    """The config with a training batch of so many images, read in this process."""
    cfg = copy.deepcopy(cfg)
    loader = cfg.train_dataloader
    loader.batch_size = batch or min(int(loader.get("batch_size") or 8), 8)
    loader.num_workers = 0
    for key in ("persistent_workers", "prefetch_factor"):
        loader.pop(key, None)
    return cfg
