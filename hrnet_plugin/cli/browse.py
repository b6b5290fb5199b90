"""`hrnet browse`: draw what a network really gets, behind the config's own pipeline."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.errors import ConfigError

from .arguments import add_config_options
from .data_root import point_at, use_ground_truth_boxes
from .explain import explained
from .image_checks import check_images_when_loaded
from .preflight import check_data, check_loader

HELP = "draw what a network really gets: samples behind the config's pipeline, with their targets"

SPLITS = ("train", "val", "test")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet browse`."""
    parser.add_argument("config", help="a config file, or the name of one of the package's configs")
    parser.add_argument("--split", default="train", metavar="NAME", help="train, val or test (default train)")
    parser.add_argument("--count", type=int, default=8, metavar="N", help="number of samples (default 8)")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other samples (default 0)")
    parser.add_argument("--out", metavar="FILE", help="contact sheet to write, .png or .jpg (default browse.png)")
    parser.add_argument("--html", metavar="FILE", help="write a page; without --out in the place of the sheet")
    parser.add_argument("--data-root", metavar="DIR", help="read every data set of the config from this folder")
    add_config_options(parser, "train_dataloader.dataset.ann_file=a.json")


def run(args: argparse.Namespace) -> int:
    """Draws the samples and tells where.

    Raises:
        UserError: there is no such data, or it cannot be read or drawn.
    """
    if args.split not in SPLITS:
        raise ConfigError("--split", found=repr(args.split), expected=" or ".join(SPLITS))
    if args.count < 1:
        raise ConfigError("--count", found=args.count, expected="1 or more")
    path = find_config(args.config)
    cfg = load_config(path, args.cfg_options)
    if args.data_root:
        point_at(cfg, args.data_root)
    loader = f"{args.split}_dataloader"
    check_loader(cfg, loader)
    check_data(cfg, (loader,), ())
    use_ground_truth_boxes(cfg, loader, always=False)
    check_images_when_loaded(cfg)
    with explained(cfg):
        from hrnet_plugin.checks.browse import browse_samples
        from hrnet_plugin.checks.browse.sheet import draw_samples, samples_page, write_samples

        samples, metainfo = browse_samples(cfg, args.split, args.count, seed=args.seed, progress=True)
        drawn = draw_samples(samples, metainfo)
    title = f"{path.stem}: {args.split}"
    print(f"{len(samples)} sample{'s' * (len(samples) != 1)}: {drawn.note}")
    if args.out or not args.html:
        print(write_samples(drawn, Path(args.out or "browse.png").expanduser(), title))
    if args.html:
        print(samples_page(drawn, title, {"config": path, "split": args.split, "seed": args.seed}).write(args.html))
    return 0
