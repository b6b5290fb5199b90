"""`hrnet infer`: a trained network on images, folders and videos of one's own."""

from __future__ import annotations

import argparse

from .arguments import add_config_options
from .test_runtime import add_runtime_arguments

HELP = "poses, masks or classes of images, folders and videos: as COCO JSON and drawn"

_NETWORKS = """Runs the networks whose outputs it can read by itself: top-down poses by heatmaps, segmentation and
classification. Bottom-up poses, poses by regression and detectors of mmdet are not run (one finds the persons for
--detector, though): `hrnet test` evaluates them on their data sets."""

_USAGE = """hrnet infer CONFIG CHECKPOINT INPUT [INPUT ...] --out DIR [options]
       hrnet infer EXPORTED_FILE INPUT [INPUT ...] --out DIR [options]"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet infer`."""
    parser.usage = _USAGE
    parser.description = f"{HELP[0].upper()}{HELP[1:]}. {_NETWORKS}"
    parser.add_argument(
        "network",
        metavar="CONFIG",
        help="a config file, or the name of one of the package's configs, with its CHECKPOINT; or a file that "
        "`hrnet export` wrote, by itself",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="images, videos, folders (with all below them), patterns ('shots/**/*.jpg')",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="DIR",
        help="receives results.json, pictures/, masks/, videos/; an interrupted run goes on from what is there",
    )
    parser.add_argument("--overwrite", action="store_true", help="take away the results of an earlier run in --out")
    parser.add_argument(
        "--batch-size",
        type=int,
        metavar="N",
        help="images or frames that are taken together, and crops of them that are computed at once (default 8, or 32 "
        "with a --device)",
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, cuda:1 or mps (default cpu), for runtime torch")
    parser.add_argument(
        "--flip-test",
        action=argparse.BooleanOptionalAction,
        help="pose: average with the mirrored image (default: as the config does)",
    )
    parser.add_argument("--top", type=int, default=5, metavar="N", help="classification: classes to keep (default 5)")
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing; results and masks alone")
    parser.add_argument(
        "--score-thr", type=float, default=0.3, metavar="SCORE", help="draw keypoints from this score on (default 0.3)"
    )
    _add_person_arguments(parser)
    add_runtime_arguments(parser, framework=False)
    parser.add_argument(
        "--calibrate",
        metavar="WHAT",
        help="images for int8: a folder of images, or train, val or test for that data set of the config "
        "(default: train)",
    )
    parser.add_argument("--data-root", metavar="DIR", help="the folder with the data that int8 is calibrated with")
    add_config_options(parser, "model.test_cfg.flip_test=False")


def _add_person_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("pose: where the persons are (default: each image is one person)")
    group.add_argument(
        "--boxes",
        metavar="FILE",
        help='COCO annotations, a list of COCO detections, or {"file": [[x1, y1, x2, y2], ...]}',
    )
    group.add_argument(
        "--image-ids",
        metavar="FILE",
        help="COCO annotations that name the images of a list of detections (default: the number in a file's name)",
    )
    group.add_argument(
        "--detector", nargs=2, metavar=("CONFIG", "CHECKPOINT"), help="find them with a detector of mmdet"
    )
    group.add_argument(
        "--person-class", default="person", metavar="NAME", help="class of the boxes, by name or index (default person)"
    )
    group.add_argument(
        "--box-thr", type=float, default=0.3, metavar="SCORE", help="take boxes from this score on (default 0.3)"
    )


def run(args: argparse.Namespace) -> int:
    """Infer; returns 0, or 1 where something could not be read.

    Raises:
        UserError: for everything in the inputs, the config, the weights or the environment that stands in the way.
    """
    from .inferring import infer

    return infer(args)
