"""A long run, watched: memory, open files and step times that have to stay what they are.

    python tests/faults/soak.py [--steps 2000] [--out FILE.json] [--plot FILE.png]

The small training of `subject.py`, with two loader workers, evaluations and checkpoints. The memory is that of the
process and its workers, without what they share (USS). Exit status 1 where the last quarter's median memory is more
than 3 % from the second's, files are left open, or steps of the last quarter take over 10 % longer than the second's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil
from subject import Subject

ROOT = Path(__file__).resolve().parents[2]
#: Of the memory, and of the time of a step.
MEMORY, TIME = 0.03, 0.10


def measure(steps: int, folder: Path) -> dict[str, list]:
    """Trains, and looks at the processes twice a second.

    Args:
        steps: Of the training, at least: whole epochs are done.
        folder: Empty.

    Returns:
        `seconds`, `mebibytes`, `files` at each look; `step_seconds` of each step.
    """
    subject = Subject(folder / "subject", ROOT)
    epochs = max(1, -(-steps // 14))  # of 14 steps
    options = [
        f"train_cfg.max_epochs={epochs}", "train_cfg.val_interval=10", "default_hooks.checkpoint.interval=50",
        *(f"train_dataloader.{name}" for name in ("num_workers=2", "persistent_workers=True")),
    ]  # fmt: skip
    run = subject.start("soak", "--cfg-options", *options)
    process = psutil.Process(run.process.pid)
    looks: dict[str, list] = {"seconds": [], "mebibytes": [], "files": []}
    begun = time.monotonic()
    while run.process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            memory = sum(one.memory_full_info().uss for one in family)
            files = process.num_fds()
        except psutil.Error:  # one of them has just ended
            continue
        for name, value in zip(looks, (time.monotonic() - begun, memory / 2**20, files), strict=True):
            looks[name].append(value)
        time.sleep(0.5)
    assert run.process.returncode == 0, run.output()[-3000:]
    rows = [json.loads(line) for line in next(run.work_dir.glob("*/vis_data/scalars.json")).read_text().splitlines()]
    # Without the steps that a validation or a checkpoint stands before.
    return {**looks, "step_seconds": [row["time"] for row in rows if "loss" in row]}


def quarters(values: list[float]) -> tuple[float, float]:
    """The medians of the second quarter and of the last."""
    size = len(values) // 4
    return median(values[size : 2 * size]), median(values[-size:])


def verdicts(measured: dict[str, list]) -> dict[str, tuple[float, float, bool]]:
    """By what was measured: the second quarter, the last, and whether the last is as it should be."""
    memory, files, steps = (quarters(measured[name]) for name in ("mebibytes", "files", "step_seconds"))
    return {
        "memory (MiB)": (*memory, abs(memory[1] / memory[0] - 1) <= MEMORY),
        "open files": (*files, files[1] <= files[0]),
        "seconds a step": (*steps, steps[1] / steps[0] - 1 <= TIME),
    }


def draw(measured: dict[str, list], path: Path) -> None:
    """Memory and open files over time."""
    from matplotlib.figure import Figure

    figure = Figure((8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(measured["seconds"], measured["mebibytes"], color="tab:blue", label="memory (MiB)")
    axes.set(xlabel="seconds", ylabel="MiB", ylim=(0, None))
    files = axes.twinx()
    files.plot(measured["seconds"], measured["files"], color="tab:orange", label="open files")
    files.set(ylabel="open files", ylim=(0, None))
    figure.legend(loc="outside upper right", ncols=2)
    figure.savefig(path, dpi=120)


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--out", type=Path, help="what was measured, as JSON")
    parser.add_argument("--plot", type=Path, help="memory and open files over time, as a picture")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        measured = measure(args.steps, Path(folder))
    found = verdicts(measured)
    print(f"{len(measured['step_seconds'])} steps in {measured['seconds'][-1]:.0f} s")
    for name, (second, last, sound) in found.items():
        print(
            f"{name}: second quarter {second:.4g}, last {last:.4g} ({last / second - 1:+.1%}) {'' if sound else 'NO'}"
        )
    if args.out:
        args.out.write_text(json.dumps(measured) + "\n")
    if args.plot:
        draw(measured, args.plot)
    return int(not all(sound for *_, sound in found.values()))


if __name__ == "__main__":
    sys.exit(main())
