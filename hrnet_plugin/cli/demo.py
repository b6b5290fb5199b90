"""`hrnet demo`: generated people, a small HRNet trained and tested on them, its predictions beside the truth."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..locations import project_dir
from .data import SPLITS

HELP = "generate people, train a small HRNet on them, test it, draw what it predicts"

DRAWN = 12


@dataclass(frozen=True)
class Task:
    """What differs between the demos.

    Args:
        config: Its quickstart config.
        metrics: Names of the figures to print, as the metric file has them, with the names people know.
        best: Pattern of the best checkpoint's file name.
        whole: What the metric file has for a perfect result (mmseg writes percent).
    """

    config: str
    metrics: dict[str, str]
    best: str
    whole: float


TASKS = {
    "pose": Task("quickstart_pose", {"coco/AP": "AP", "coco/AP .5": "AP50"}, "best_coco_AP_*.pth", 1.0),
    "seg": Task("quickstart_seg", {"mIoU": "mIoU", "aAcc": "pixel accuracy"}, "best_mIoU_*.pth", 100.0),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hrnet demo`."""
    parser.add_argument("task", nargs="?", choices=sorted(TASKS), default="pose", help="pose (default) or seg")
    parser.add_argument("--data", type=Path, default=Path("data/people"), metavar="DIR", help="the generated data set")
    parser.add_argument("--out", type=Path, metavar="DIR", help="checkpoints, metrics, pictures (default demo/TASK)")
    parser.add_argument("--seed", type=int, default=0, help="of the data and of the training (default 0)")
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="overrides for the training config"
    )


def run(args: argparse.Namespace) -> int:
    """The whole demo; returns the exit status.

    Raises:
        UserError: if a step fails; the step has said why.
    """
    from ..data import make_dataset

    started = time.monotonic()
    task = TASKS[args.task]
    out = args.out or Path("demo") / args.task
    _announce(1, f"generated people in {args.data}")
    data = make_dataset(args.data, **SPLITS, seed=args.seed)
    _announce(2, f"training {task.config}")
    common = ["--data-root", args.data, "--work-dir", out]
    options = ["--cfg-options", f"randomness.seed={args.seed}", *args.cfg_options]
    _tool("train", task.config, "--amp", *common, *options)
    checkpoint = _newest(out, task.best)
    _announce(3, f"testing {checkpoint.name} on images it never saw")
    metrics, sheet = _test_and_draw(args.task, checkpoint, data.root, out)
    _summarise(task, metrics, sheet, checkpoint, time.monotonic() - started)
    return 0


def _announce(step: int, text: str) -> None:
    print(f"\n--- {step}/4 {text}", flush=True)


def _tool(name: str, *arguments: object) -> None:
    """Runs one of the project's tools as a user would."""
    command = [sys.executable, str(project_dir("tools") / f"{name}.py"), *map(str, arguments)]
    status = subprocess.run(command, check=False).returncode
    if status:
        raise UserError(
            f"tools/{name}.py", found=f"exit status {status}", expected="0", do="Its own message stands above"
        )


def _newest(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UserError(f"best checkpoint {folder / pattern}", found="none", expected="one from the training")
    return found[-1]


def _test_and_draw(name: str, checkpoint: Path, data: Path, out: Path) -> tuple[dict[str, float], Path]:
    """Tests with `tools/test.py` and draws from the predictions that the test wrote."""
    from ..analysis.results_sheet import draw_mask_results, draw_pose_results

    tested = out / "test"
    metrics, sheet = tested / "metrics.json", out / "predictions.png"
    keep = {
        "pose": [f"test_evaluator.outfile_prefix={tested / 'results'}"],
        "seg": [f"test_evaluator.output_dir={tested / 'masks'}", "test_evaluator.keep_results=True"],
    }
    arguments = ["--data-root", data, "--work-dir", tested, "--out", metrics, "--cfg-options", *keep[name]]
    _tool("test", TASKS[name].config, checkpoint, *arguments)
    _announce(4, "drawing predictions beside the truth")
    if name == "pose":
        draw_pose_results(data, "test", tested / "results.keypoints.json", sheet, DRAWN)
    else:
        draw_mask_results(data, "test", tested / "masks", sheet, DRAWN)
    return json.loads(metrics.read_text(encoding="utf-8")), sheet


def _summarise(task: Task, metrics: dict[str, float], sheet: Path, checkpoint: Path, seconds: float) -> None:
    figures = ", ".join(f"{known} {metrics[name] / task.whole:.3f}" for name, known in task.metrics.items())
    print(f"\n{figures}  on {SPLITS['test']} generated images the network never saw")
    print(f"time        {seconds / 60:.1f} min")
    print(f"pictures    {sheet}")
    print(f"checkpoint  {checkpoint}")
