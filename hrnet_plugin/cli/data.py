"""`hrnet data`: make the generated data set, and show samples of it."""

from __future__ import annotations

import argparse

from hrnet_plugin.errors import ConfigError

#: Images of each split that the quickstart configs are made for.
SPLITS = {"train": 2600, "val": 100, "test": 200}

HELP = "make the generated data set of people, or show samples of it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet data make` and `hrnet data show`."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    make = actions.add_parser("make", help="write a data set: COCO keypoints, images, semantic masks")
    make.add_argument("--out", default="data/people", metavar="DIR", help="folder to write (default data/people)")
    make.add_argument(
        "--train", type=int, default=SPLITS["train"], metavar="N", help="training images (default %(default)s)"
    )
    make.add_argument(
        "--val", type=int, default=SPLITS["val"], metavar="N", help="validation images (default %(default)s)"
    )
    make.add_argument("--test", type=int, default=SPLITS["test"], metavar="N", help="test images (default %(default)s)")
    make.add_argument("--size", default="256x192", metavar="WxH", help="width and height in pixels (default 256x192)")
    make.add_argument("--seed", type=int, default=0, help="another seed gives other pictures (default 0)")
    make.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each CPU)")
    make.add_argument("--force", action="store_true", help="replace a data set made with other options")
    show = actions.add_parser("show", help="draw samples with skeletons, boxes and masks")
    show.add_argument("--out", default="data/people", metavar="DIR", help="the data set's folder (default data/people)")
    show.add_argument("--split", default="train", metavar="NAME", help="train, val or test (default train)")
    show.add_argument("--count", type=int, default=12, metavar="N", help="number of samples (default 12)")
    show.add_argument("--to", default="sheet.png", metavar="FILE", help="picture to write (default sheet.png)")


def run(args: argparse.Namespace) -> int:
    """Make or show; returns the exit status.

    Raises:
        ConfigError: for a wrong option.
        DataError: for a folder that holds something else, holds nothing, or cannot be written.
    """
    return _make(args) if args.action == "make" else _show(args)


def parse_size(text: str) -> tuple[int, int]:
    """Width and height from a text such as `256x192`.

    Raises:
        ConfigError: if it is something else.
    """
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ConfigError("--size", found=repr(text), expected="WIDTHxHEIGHT in pixels, as in 256x192")
    return int(width), int(height)


def _make(args: argparse.Namespace) -> int:
    from hrnet_plugin.data.writer import make_dataset

    info = make_dataset(
        args.out, train=args.train, val=args.val, test=args.test, size=parse_size(args.size), seed=args.seed,
        workers=args.workers, force=args.force,
    )  # fmt: skip
    found = info.statistics["all"]
    print(
        f"{info.root}: {'reused, complete already' if info.reused else 'written'}: {found['images']} images, "
        f"{found['persons']} persons ({found['persons_per_image']:.2f} an image), "
        f"{found['occluded_share']:.0%} of the labelled keypoints occluded"
    )
    return 0


def _show(args: argparse.Namespace) -> int:
    from hrnet_plugin.analysis.dataset_sheet import draw_dataset_sheet

    print(draw_dataset_sheet(args.out, args.to, split=args.split, count=args.count))
    return 0
