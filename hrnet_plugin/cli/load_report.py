"""`hrnet load-report`: what of a checkpoint goes into the network of a config, and what does not."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import ConfigError

from .arguments import add_config_options
from .explain import explained
from .preflight import check_checkpoint_file
from .pretrained_sources import local_checkpoint

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

HELP = "show what of a checkpoint goes into a network, and what does not"

#: A new last layer passes, and a new head on a large backbone; a missing stage does not.
_MIN_LOADED = 0.9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet load-report`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    parser.add_argument("checkpoint", help="a checkpoint file, or hrnet://NAME for published weights in the store")
    parser.add_argument(
        "--min-loaded",
        type=float,
        default=_MIN_LOADED,
        metavar="SHARE",
        help=f"share of the network's parameters, 0 to 1, below which the exit status is 1 (default {_MIN_LOADED})",
    )
    parser.add_argument("--json", action="store_true", help="print the whole report, with every key, as JSON")
    add_config_options(parser, "model.backbone.in_channels=1")


def run(args: argparse.Namespace) -> int:
    """Compare a checkpoint with a network, as `load_from` would load it; nothing is initialised, read or trained.

    Returns:
        0, or 1 where less than `--min-loaded` of the network's parameters are loaded.

    Raises:
        UserError: config or checkpoint cannot be used.
    """
    from hrnet_plugin.checkpoints.contents import read_contents
    from hrnet_plugin.checkpoints.loading.plan import plan_loading

    if not 0 <= args.min_loaded <= 1:
        raise ConfigError("--min-loaded", found=args.min_loaded, expected="a share from 0 to 1")
    cfg = load_config(find_config(args.config), args.cfg_options)
    path = local_checkpoint(args.checkpoint)
    check_checkpoint_file(path)
    contents = read_contents(path)
    with explained(cfg):
        network = _build(cfg)
    report = plan_loading(network, contents).report
    enough = report.filled.share >= args.min_loaded
    if args.json:
        print(json.dumps({**report.to_plain(), "min_loaded": args.min_loaded, "enough": enough}, indent=1))
    else:
        print(report.text())
        if not enough:
            print(f"less than the {100 * args.min_loaded:g} % of --min-loaded")
    return 0 if enough else 1


def _build(cfg: Config) -> nn.Module:
    from mmengine.registry import MODELS, DefaultScope

    model = dict(cfg.model)
    if "preprocess_cfg" in cfg:  # an older place of mmpose's configs for it
        model.setdefault("data_preprocessor", cfg.preprocess_cfg)
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or "mmengine"):
        return MODELS.build(model)
