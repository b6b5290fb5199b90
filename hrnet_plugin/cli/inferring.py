"""The steps of `hrnet infer`: inputs, what is known before, network, run, results."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.config_files import find_config, load_config
from hrnet_plugin.deploy.devices import find_device
from hrnet_plugin.deploy.topdown import check_counterparts
from hrnet_plugin.errors import ConfigError, DataError
from hrnet_plugin.inference.box_files import BoxFile
from hrnet_plugin.inference.journal import Journal
from hrnet_plugin.inference.output import OWN_FOLDERS, Output
from hrnet_plugin.inference.persons import PersonSource, WholeImages
from hrnet_plugin.inference.plan import Plan, plan_run
from hrnet_plugin.inference.session import Choices, Outcome, Session, write_results
from hrnet_plugin.inference.sources import Source, find_sources
from hrnet_plugin.published.hashes import file_sha256

from .explain import explained
from .infer_network import Network, build_predictor, find_network, usual_batch
from .operators import check_operators
from .preflight import check_checkpoint_file
from .pretrained_sources import local_checkpoint, localise_weights
from .summary import print_table
from .test_runtime import FRAMEWORK

if TYPE_CHECKING:
    from hrnet_plugin.deploy.predictor import Predictor

_SHOWN = 5


def infer(args: argparse.Namespace) -> int:
    """Infers as the flags of `hrnet infer` say; returns the exit status."""
    started = time.monotonic()
    args.batch_size = usual_batch(args.device) if args.batch_size is None else args.batch_size
    _check_numbers(args)
    network, given = find_network(args)
    task = network.description.task
    _check_task_flags(args, task)
    if _flips(args, network) and network.heatmaps is not None:
        check_counterparts(network.description, network.heatmaps)
    output = Output(args.out)
    sources = find_sources(given, output.folder)
    known, where = _persons_known_before(args, task)
    _check_persons(args, known, sources)
    built = _built(args, network, known) if args.overwrite else None  # nothing is taken away for what cannot begin
    choices = Choices(args.batch_size, args.flip_test, args.score_thr, not args.no_pictures, args.top)
    with Journal(output, _identity(args, network, where), overwrite=args.overwrite) as journal:
        journal.check_inputs(sources)
        plan = plan_run(sources, known.has, journal, args.batch_size, task=task, pictures=choices.pictures)
        _tell_start(args, task, plan, len(sources))
        outcome = Outcome()
        if plan:
            predictor, persons = built or _built(args, network, known)
            outcome = Session(predictor, persons, journal, choices, sources).run(plan)
        written = write_results(journal, sources, network.description, known.categories)
    _tell_end(output, network, plan, outcome, written, time.monotonic() - started)
    return 1 if outcome.failures else 0


def _check_numbers(args: argparse.Namespace) -> None:
    """Raises:
    ConfigError: a flag with a number that it does not take, or flags that do not go together.
    """
    for flag, value in (("--batch-size", args.batch_size), ("--top", args.top)):
        if value < 1:
            raise ConfigError(flag, found=value, expected="1 or more")
    for flag, value in (("--score-thr", args.score_thr), ("--box-thr", args.box_thr)):
        if not 0 <= value <= 1:
            raise ConfigError(flag, found=value, expected="a score from 0 to 1")
    if args.boxes and args.detector:
        raise ConfigError("--boxes and --detector", found="both", expected="one of them")
    if args.image_ids and not args.boxes:
        raise ConfigError("--image-ids", found="no --boxes", expected="a list of COCO detections in --boxes")
    if args.calibrate and args.precision != "int8":
        raise ConfigError("--calibrate", found=f"--precision {args.precision or 'fp32'}", expected="--precision int8")
    if args.runtime == FRAMEWORK:
        raise ConfigError(f"--runtime {FRAMEWORK}", found="a runtime for `hrnet test`", do="Leave it out: torch")


def _check_task_flags(args: argparse.Namespace, task: str) -> None:
    """Raises:
    ConfigError: a flag for a network of another task.
    """
    for flag, value in (("--boxes", args.boxes), ("--detector", args.detector), ("--flip-test", args.flip_test)):
        if value is not None and task != "pose":
            raise ConfigError(flag, found=f"a {task} network", expected="a pose network")


def _persons_known_before(args: argparse.Namespace, task: str) -> tuple[PersonSource, str]:
    """Where persons are, as far as that is known before images are opened; and what it is called in the journal.

    Raises:
        UserError: the file of boxes, or the detector's files, cannot be used.
    """
    chosen = f"{args.person_class} from {args.box_thr:g}"
    if args.boxes:
        found = BoxFile(args.boxes, person=args.person_class, least=args.box_thr, names=args.image_ids)
        names = f" {file_sha256(Path(args.image_ids).expanduser())[:16]}" if args.image_ids else ""
        return found, f"{found.path.name} {file_sha256(found.path)[:16]}{names}, {chosen}"
    if args.detector:
        config, checkpoint = find_config(args.detector[0]), local_checkpoint(args.detector[1])
        check_checkpoint_file(checkpoint, "--detector: checkpoint")
        digests = f"{file_sha256(config)[:16]} {file_sha256(checkpoint)[:16]}"
        return WholeImages(), f"detector {config.stem} {digests}, {chosen}"
    return WholeImages(), "whole images" if task == "pose" else "none"


def _check_persons(args: argparse.Namespace, known: PersonSource, sources: Sequence[Source]) -> None:
    """Raises:
    DataError: the file of boxes knows none of the inputs, which other names or another data set would explain; or one
        of its entries is for two inputs.
    """
    found = [known.has(source) for source in sources]
    if not any(found):
        raise DataError(
            f"--boxes {args.boxes}", found="boxes for none of the inputs", expected=f"some for {sources[0].name}"
        )


def _identity(args: argparse.Namespace, network: Network, persons: str) -> dict[str, str]:
    """What results depend on; two runs that differ in it do not share a folder."""
    return {
        "network": f"{network.description.name} {network.digest}",
        "weights": network.weights[:16],
        "runtime": network.runtime,
        "precision": network.precision,
        "person boxes": persons,
        "flip test": str(_flips(args, network)).lower() if network.description.task == "pose" else "none",
        "classes": str(args.top) if network.description.task == "classification" else "all",
        "drawn from score": "nothing drawn" if args.no_pictures else f"{args.score_thr:g}",
    }


def _flips(args: argparse.Namespace, network: Network) -> bool:
    """Whether poses are averaged with those of the mirrored image."""
    chosen = network.description.test_cfg.get("flip_test") if args.flip_test is None else args.flip_test
    return bool(chosen) and network.description.task == "pose"


def _built(args: argparse.Namespace, network: Network, known: PersonSource) -> tuple[Predictor, PersonSource]:
    persons = _detector(args) if args.detector else known
    return build_predictor(args, network), persons


def _detector(args: argparse.Namespace) -> PersonSource:
    """Raises:
    MissingDependency: its layers or its non-maximum suppression are compiled operators, and mmcv is mmcv-lite.
    """
    from hrnet_plugin.inference.detector import Detector

    cfg = load_config(find_config(args.detector[0]))
    localise_weights(cfg, replaced=True)
    with explained(cfg):
        detector = Detector(
            cfg,
            local_checkpoint(args.detector[1]),
            person=args.person_class,
            least=args.box_thr,
            device=find_device(args.device),
        )
    check_operators(detector.model, trains=False, predicts=True)
    return detector


def _tell_start(args: argparse.Namespace, task: str, plan: Plan, total: int) -> None:
    if task == "pose" and not args.boxes and not args.detector:
        print("no --boxes and no --detector: each image is taken for one person")
    if plan.kept:
        print(f"{plan.kept} of {_inputs(total)} finished already, by an earlier run")


def _tell_end(
    output: Output, network: Network, plan: Plan, outcome: Outcome, written: Sequence[str], seconds: float
) -> None:
    folders = [f"{name}/" for name in OWN_FOLDERS if (output.folder / name).is_dir()]
    counts = (("images", outcome.images), ("videos", outcome.videos))
    lines = [
        *((name, f"{count} computed") for name, count in counts if count),
        ("network", f"{network.description.name}, {network.runtime} {network.precision}"),
        ("results", ", ".join([*written, *folders])),
        ("in", str(output.folder)),
        ("time", f"{seconds:.1f} s"),
    ]
    notices = list(outcome.notes)
    if plan.left_out:
        names = ", ".join(source.name for source in plan.left_out[:_SHOWN])
        more = f" and {len(plan.left_out) - _SHOWN} more" if len(plan.left_out) > _SHOWN else ""
        notices.append(f"{_inputs(len(plan.left_out))} not named in --boxes, left out: {names}{more}")
    if outcome.failures:
        notices.append(f"{_inputs(len(outcome.failures))} could not be computed")
    print_table("inference finished", lines, notices)
    sys.stdout.flush()
    for failure in outcome.failures:
        print(f"hrnet: error: {failure}", file=sys.stderr)


def _inputs(count: int) -> str:
    return f"{count} input{'s' * (count != 1)}"
