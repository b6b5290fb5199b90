"""Measures what `docs/scaling.md` reckons with: joined gradients and data loading on this machine.

    python docs/scripts/measure_scaling.py --write      # into docs/scaling.json; about 15 minutes

Needs Linux with `unshare`, `ip` and `tc`, and HRNET_SHARED (default ../shared), whose real pictures are loaded. Then
`python docs/scripts/scaling_numbers.py --write` puts the numbers into the page.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from measured_gradients import ALONE, BATCH, WAYS

DOCS = Path(__file__).resolve().parent.parent
RESULTS = DOCS / "scaling.json"
#: Gbit/s of the link, each way; 0 is the loopback device as it is.
LINKS = (0.25, 0.0)
#: (width, height) of Cityscapes' pictures.
CITYSCAPES = (2048, 1024)


def joined(names: Sequence[str], turns: int, gigabits: float) -> dict:
    """Steps in two processes, as `measured_gradients.py` writes them."""
    with tempfile.TemporaryDirectory() as folder:
        script = str(Path(__file__).with_name("measured_gradients.py"))
        inside = ["unshare", "-rn", sys.executable, script, folder, ",".join(names), str(turns), str(gigabits)]
        paths = os.pathsep.join((str(DOCS.parent), os.environ.get("PYTHONPATH", "")))
        quiet = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": paths}
        subprocess.run(inside, check=True, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return json.loads(Path(folder, "answers.json").read_text(encoding="utf-8"))


def gradients(turns: int) -> dict:
    """Seconds and bytes of a step by link and way, and the memory of gradients and their buffers by way."""
    names = [ALONE, *WAYS]
    links = []
    for gigabits in LINKS:
        answers = joined(names, turns, gigabits)
        ways = answers["ways"]
        links.append(
            {
                "gigabits": gigabits,
                "seconds": {name: [round(one, 4) for one in found["seconds"]] for name, found in ways.items()},
                "sent": {name: round(median(found["sent"])) for name, found in ways.items()},
            }
        )
    return {"batch": BATCH, "turns": turns, "links": links, "held": answers["held"]}


def loading(shared: Path, seconds: float) -> dict[str, float]:
    """Pictures that one process prepares in a second of its own time, by config."""
    pictures = shared / "data/coco_open"
    with tempfile.TemporaryDirectory() as folder:
        as_cityscapes(pictures, Path(folder))
        return {
            "hrnet_w32_coco": prepared("hrnet_w32_coco", f"{pictures}/", seconds),
            "hrnet_w18_cityscapes": prepared("hrnet_w18_cityscapes", f"{folder}/", seconds),
        }


def as_cityscapes(pictures: Path, folder: Path) -> None:
    """Photographs and masks in Cityscapes' size, files and layout."""
    images, masks = folder / "leftImg8bit/train", folder / "gtFine/train"
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for file in sorted((pictures / "val2017").glob("*.jpg")):
        mask = cv2.imread(str(pictures / "masks/val2017" / f"{file.stem}.png"), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(images / f"{file.stem}_leftImg8bit.png"), cv2.resize(cv2.imread(str(file)), CITYSCAPES))
        large = cv2.resize(mask, CITYSCAPES, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(masks / f"{file.stem}_gtFine_labelTrainIds.png"), large)


def prepared(name: str, root: str, seconds: float) -> float:
    """Samples of a config's training pipeline a second, in this process alone."""
    import importlib

    from mmengine.registry import DATASETS, DefaultScope

    from hrnet_plugin.config_files import find_config, load_config

    cfg = load_config(find_config(name))
    importlib.import_module(f"{cfg.default_scope}.datasets")
    cv2.setNumThreads(0)  # as mmengine does in its loaders
    np.random.seed(0)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset = DATASETS.build({**cfg.train_dataloader.dataset, "data_root": root})
        dataset[0]
        started, count = time.process_time(), 0
        while time.process_time() - started < seconds:
            dataset[count % len(dataset)]
            count += 1
        return round(count / (time.process_time() - started), 2)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints what was measured, or writes it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=8, help="steps of each way")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each data pipeline")
    parser.add_argument("--write", action="store_true", help="into docs/scaling.json")
    args = parser.parse_args(argv)
    from hrnet_plugin.bench.machine import describe_machine

    shared = Path(os.environ.get("HRNET_SHARED", DOCS.parent.parent / "shared"))
    found = {
        "machine": asdict(describe_machine()),
        "date": date.today().isoformat(),
        "loading": loading(shared, args.seconds),
        "gradients": gradients(args.turns),
    }
    text = json.dumps(found, indent=1) + "\n"
    if args.write:
        RESULTS.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
