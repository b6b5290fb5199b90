"""`hrnet publish`: a trained checkpoint as a file for others, with its row in a metafile."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn

    from hrnet_plugin.checkpoints.contents import Contents
    from hrnet_plugin.checkpoints.publishing import Package

HELP = "publish a trained checkpoint: weights alone, hashed and named, with a metafile row"
_FORMS = ("pth", "safetensors")
_ADVICE = "Take the config that the checkpoint was trained with"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet publish`."""
    parser.add_argument("checkpoint", metavar="CKPT", help="the checkpoint; it stays as it is")
    parser.add_argument("--config", required=True, help="the config it was trained with, a file or a name")
    parser.add_argument("--format", choices=_FORMS, default="pth", help="form of the published file (default pth)")
    parser.add_argument("--name", help="what the file and the row are called (default: as the config)")
    parser.add_argument("--out", default="published", metavar="DIR", help="where the file goes (default published)")
    parser.add_argument("--url", help="where the file will be had: the address of its folder, or its own")
    row = parser.add_argument_group("metafile row")
    row.add_argument(
        "--metafile",
        metavar="FILE",
        help="the metafile that gets the row (default DIR/metafile.yml); comments are kept at its top alone",
    )
    row.add_argument("--metric", action="append", default=[], metavar="NAME=VALUE", help="a result; may be repeated")
    row.add_argument("--metrics-file", metavar="FILE", help="results as `hrnet test --out metrics.json` writes them")
    row.add_argument("--task", help="what the results are of, such as 'Body 2D Keypoint' (default: as the config says)")
    row.add_argument("--dataset", help="the data set of the results (default: as the config says)")
    row.add_argument("--collection", help="the family in the metafile (default: as the config says)")


def run(args: argparse.Namespace) -> int:
    """Publishes; returns the exit status.

    Raises:
        UserError: the checkpoint does not fill the config's network, an argument or the metafile is wrong, or a file
            cannot be written. The checkpoint is only ever read.
    """
    from hrnet_plugin.checkpoints.publishing import check_name, write
    from hrnet_plugin.config_files import find_config, load_config
    from hrnet_plugin.published.metafile import dump_metafile
    from hrnet_plugin.published.yaml_text import to_yaml

    from .preflight import check_writable
    from .published_row import compose_row, metafile_with, read_metrics

    metrics = read_metrics(args.metric, args.metrics_file)
    config = find_config(args.config)
    name = args.name or config.stem
    check_name(name)
    metafile = Path(args.metafile or Path(args.out) / "metafile.yml")
    metafile_with(None, metafile)  # a broken one is told before the work, not after it
    cfg = load_config(config)
    contents = _read(args.checkpoint)
    network, contents = _network_and_weights(cfg, contents)
    row = compose_row(args, name, config, metafile, metrics, cfg, network)
    package = _pack(contents, network, row, name, args.format)
    row |= {"Weights": _address(args.url, package.file_name), "SHA256": package.sha256}
    content = metafile_with(row, metafile)
    check_writable(args.out, "--out")
    check_writable(metafile.parent, "--metafile: folder")
    published = write(package, args.out)
    dump_metafile(content, metafile)
    _print(contents, package, published.path, metafile, to_yaml([row]))
    return 0


def _read(checkpoint: str) -> Contents:
    from hrnet_plugin.checkpoints.contents import read_contents

    from .preflight import check_checkpoint_file
    from .pretrained_sources import local_checkpoint

    path = local_checkpoint(checkpoint)
    check_checkpoint_file(path)
    return read_contents(path)


def _network_and_weights(cfg: Config, contents: Contents) -> tuple[nn.Module, Contents]:
    """The config's network, and the contents with its weights alone, named as its keys are now.

    Raises:
        CheckpointError: keys are missing, left over or of another shape, or it was trained with another upsampling.
    """
    from hrnet_plugin.checkpoints.loading.plan import plan_loading
    from hrnet_plugin.zoo.forward import build_model, model_config

    from .explain import explained

    with explained(cfg):
        network = build_model(model_config(cfg), cfg.get("default_scope"))
    what, expected = f"checkpoint {contents.source}", "weights of the network in the config"
    plan = plan_loading(network, contents, adapts=False)
    plan.require(1.0, what=what, advice=_ADVICE)
    left_over = [*plan.report.unexpected, *chain.from_iterable(plan.report.unused.values())]
    if left_over:
        found = f"{len(left_over)} keys that the network has no place for, the first {left_over[0]}"
        raise CheckpointError(what, found=found, expected=expected, do=_ADVICE)
    if plan.report.other_outputs:
        raise CheckpointError(what, found=plan.report.other_outputs, expected=expected, do=_ADVICE)
    return network, replace(contents, weights=plan.weights)


def _pack(contents: Contents, network: nn.Module, row: dict, name: str, form: str) -> Package:
    from hrnet_plugin.checkpoints.loading.same_keys import spec_of_network
    from hrnet_plugin.checkpoints.network_meta import OWN, describe_network
    from hrnet_plugin.checkpoints.publishing import kept_meta, pack
    from hrnet_plugin.version import __version__

    from .published_row import installed_versions

    spec = spec_of_network(network)
    own = describe_network(spec)[OWN] if spec is not None else {"version": __version__}
    config = row["Config"] if row["Config"].startswith("configs/") else Path(row["Config"]).name
    own |= {"name": name, "config": config, "results": row["Results"], "versions": installed_versions()}
    # The weights are as the network has them: what its hooks change in old ones has been done, and is not to be again.
    versions = network.state_dict()._metadata
    return pack(contents.weights, {**kept_meta(contents.meta), OWN: own}, name, form, versions)


def _address(url: str | None, file_name: str) -> str:
    """The URL of a file; its name alone where nobody has said where it will be."""
    if url is None:
        return file_name
    if "://" not in url:
        raise ConfigError(f"--url {url}", found="no URL", expected="one such as https://example.org/weights")
    if not url.endswith((".pth", ".safetensors")):
        return f"{url.rstrip('/')}/{file_name}"
    suffix = Path(file_name).suffix
    if not url.endswith(suffix):
        raise ConfigError(f"--url {url}", found="a file of the other format", expected=f"one that ends in {suffix}")
    return url


def _print(contents: Contents, package: Package, path: Path, metafile: Path, row: str) -> None:
    from .summary import print_table

    averaged = "ema_state_dict" in contents.others
    lines = [
        ("file", str(path)),
        ("SHA-256", package.sha256),
        ("size", f"{len(package.content) / 2**20:.1f} MiB"),
        ("weights", "averaged, as a test takes them (EMAHook)" if averaged else f"{len(contents.weights)} keys"),
        ("left out", ", ".join(contents.others) or "nothing"),
        ("row in", str(metafile)),
    ]
    notes = [] if "://" in row else ["without --url the row names the file alone: nobody can fetch it by that"]
    print_table("published", lines, notes)
    print(f"\n{row}", end="")
