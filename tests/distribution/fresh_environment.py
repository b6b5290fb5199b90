"""The package in an environment that has nothing, used from an empty folder as somebody would who has just got it.

    python tests/distribution/fresh_environment.py [--kinds wheel,sdist] [--folder DIR]

Builds the distribution from a copy of the checkout, makes an environment with nothing but pip, installs the file, runs
the commands that `hrnet doctor` prints, and then goes through the steps below. Each kind takes a few minutes and
1.5 GB. `test_fresh_environment.py` (slow) runs the same steps as tests.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from building import ROOT, build, copy_checkout

KINDS = ("wheel", "sdist")
#: A training of seconds: six pictures, one pass.
SMALL_DATA = ("--train", "6", "--val", "3", "--test", "3", "--workers", "1")
ONE_EPOCH = (
    "--cfg-options",
    "train_cfg.max_epochs=1",
    "train_dataloader.batch_size=4",
    "default_hooks.logger.interval=1",
)
TWO_STEPS = ("--cfg-options", "train_cfg.max_iters=2", "train_cfg.val_interval=2", "train_dataloader.batch_size=2")
OWN_CONFIG = """
_base_ = ["mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"]
model = dict(
    backbone=dict(_delete_=True, type="hrnet_plugin.HRNet", arch="w18_small_v1", multiscale_output=False),
    head=dict(in_channels=16))
people = dict(data_root="data/people/", ann_file="annotations/person_keypoints_train.json")
people.update(data_prefix=dict(img="train/"))
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False, dataset=people)
param_scheduler = []
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=1))
"""
_FIND_ALL = """
import json, sys
from pathlib import Path
import hrnet_plugin
from hrnet_plugin.config_files import find_config
inside = Path(hrnet_plugin.__file__).parent / ".mim" / "configs"
names = [row["Name"] for row in json.load(open(sys.argv[1]))] + sys.argv[2:]
assert all(find_config(name).is_relative_to(inside) for name in names)
print(len(names))
"""


@dataclass(frozen=True)
class FreshEnvironment:
    """An environment made for one distribution.

    Args:
        file: The wheel or the source distribution.
        venv: Folder of the environment.
        home: The folder, empty at first, from which commands are run.
    """

    file: Path
    venv: Path
    home: Path

    @classmethod
    def create(cls, kind: str, folder: Path, python: str = sys.executable) -> FreshEnvironment:
        """Builds a distribution and makes an environment that holds nothing but pip and what comes with it."""
        file = build(kind, copy_checkout(folder / "source"), folder / "dist")
        # By the interpreter that an environment was made with: one of another environment would lend its packages.
        python = os.path.realpath(python)
        subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True, timeout=300)
        (folder / "home").mkdir()
        return cls(file, folder / "venv", folder / "home")

    def run(self, *words: object, status: int = 0, timeout: int = 1200) -> str:
        """Runs a program of the environment in the folder; returns what it wrote to standard output.

        Raises:
            RuntimeError: the exit status is another one.
        """
        programs = self.venv / ("Scripts" if os.name == "nt" else "bin")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HRNET_", "VIRTUAL"))}
        environment = {
            **kept,
            **{"PATH": os.pathsep.join((str(programs), os.environ["PATH"])), "PYTHONNOUSERSITE": "1"},
            **{"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HRNET_WEIGHTS": str(self.venv / "weights")},
        }
        command = [str(programs / str(words[0])) if words[0] in ("python", "hrnet") else str(words[0])]
        command += map(str, words[1:])
        done = subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True, timeout=timeout)
        if done.returncode != status:
            told = f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
            raise RuntimeError(f"{shlex.join(command)}: exit status {done.returncode}, expected {status}\n{told}")
        return done.stdout

    def python(self, code: str, *arguments: object) -> str:
        """Runs a piece of Python and returns what it printed."""
        return self.run("python", "-c", code, *arguments).strip()

    @property
    def site(self) -> Path:
        """Where the environment's packages lie."""
        return Path(self.python("import sysconfig; print(sysconfig.get_path('purelib'))"))


def installs_with_pip(fresh: FreshEnvironment) -> None:
    """pip installs the file; the command and the import work before torch is there."""
    assert {"torch", "numpy", "mmengine"}.isdisjoint(_packages(fresh))
    fresh.run("python", "-m", "pip", "install", "--quiet", fresh.file)
    assert "torch" not in _packages(fresh)
    version = fresh.file.name.split("-")[1].removesuffix(".tar.gz")
    assert version in fresh.run("hrnet", "--version")
    assert Path(fresh.python("import hrnet_plugin; print(hrnet_plugin.__file__)")).is_relative_to(fresh.site)


def is_completed_by_what_doctor_prints(fresh: FreshEnvironment) -> None:
    """`hrnet doctor` names what is missing; its commands, run as printed, complete the environment."""
    found = json.loads(fresh.run("hrnet", "doctor", "--json", status=1))
    assert "torch==2.13.0" in " ".join(found["commands"]["needed"])
    for command in found["commands"]["needed"]:
        fresh.run(*shlex.split(command))
    assert "Everything needed is there." in fresh.run("hrnet", "doctor")
    assert not json.loads(fresh.run("hrnet", "doctor", "--json"))["commands"]["needed"]


def finds_every_config_by_name(fresh: FreshEnvironment) -> None:
    """Each published model and each config of ours is found by name, inside the installed package."""
    listing = fresh.venv / "zoo.json"
    listing.write_text(fresh.run("hrnet", "zoo", "list", "--json"), encoding="utf-8")
    own = [path.stem for path in (ROOT / "configs").glob("*.py")]
    assert int(fresh.python(_FIND_ALL, listing, *own)) >= 180 + len(own)
    name = "td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192"
    assert name in fresh.run("hrnet", "zoo", "list")
    assert "28.5" in fresh.run("hrnet", "zoo", "show", name)
    fresh.run("hrnet", "zoo", "verify", name, "--steps", "resolved")


def makes_data(fresh: FreshEnvironment) -> None:
    """`hrnet data make` writes pictures and annotations into the current folder."""
    assert not list(fresh.home.iterdir())
    fresh.run("hrnet", "data", "make", *SMALL_DATA)
    assert len(list(fresh.home.glob("data/people/train/*.jpg"))) == 6
    assert (fresh.home / "data/people/annotations/person_keypoints_train.json").is_file()


def trains_and_tests_poses(fresh: FreshEnvironment) -> None:
    """The pose quickstart by name: a few steps, then a test of the checkpoint."""
    assert "loss" in fresh.run("hrnet", "train", "quickstart_pose", *ONE_EPOCH)
    checkpoint = fresh.home / "work_dirs/quickstart_pose/epoch_1.pth"
    assert "coco/AP" in fresh.run("hrnet", "test", "quickstart_pose", checkpoint)


def trains_and_tests_masks(fresh: FreshEnvironment) -> None:
    """The segmentation quickstart by name: two steps, then a test of the checkpoint."""
    fresh.run("hrnet", "train", "quickstart_seg", *TWO_STEPS)
    checkpoint = fresh.home / "work_dirs/quickstart_seg/iter_2.pth"
    assert "mIoU" in fresh.run("hrnet", "test", "quickstart_seg", checkpoint)


def trains_a_config_of_ones_own(fresh: FreshEnvironment) -> None:
    """A config in the current folder, on a framework's, with `type='hrnet_plugin.HRNet'`."""
    (fresh.home / "own.py").write_text(OWN_CONFIG, encoding="utf-8")
    fresh.run("hrnet", "check-config", "own.py")
    assert "loss" in fresh.run("hrnet", "train", "own.py", "--no-validate")
    assert (fresh.home / "work_dirs/own/epoch_1.pth").is_file()


def has_its_tools(fresh: FreshEnvironment) -> None:
    """The scripts inside the package run: train.py, test.py, and dist_test.sh with two processes."""
    tools = fresh.site / "hrnet_plugin/.mim/tools"
    checkpoint = fresh.home / "work_dirs/quickstart_pose/epoch_1.pth"
    fresh.run("python", tools / "train.py", "quickstart_pose", *ONE_EPOCH, "--work-dir", "work_dirs/by_tool")
    tested = fresh.run("python", tools / "test.py", "quickstart_pose", checkpoint, "--work-dir", "work_dirs/by_tool")
    assert "coco/AP" in tested
    fresh.run("bash", tools / "dist_test.sh", "quickstart_pose", checkpoint, 2, "--work-dir", "work_dirs/by_two")


def draws_a_page(fresh: FreshEnvironment) -> None:
    """The templates of pages are in the package: a report of a test, in one file."""
    checkpoint = fresh.home / "work_dirs/quickstart_pose/epoch_1.pth"
    fresh.run("hrnet", "test", "quickstart_pose", checkpoint, "--report", "report")
    assert list(fresh.home.glob("report/*.html"))


def tells_a_wrong_input_in_one_line(fresh: FreshEnvironment) -> None:
    """A config that is not there: exit status 2."""
    fresh.run("hrnet", "train", "hrnet_w32_cocoa", status=2)


def leaves_nothing_behind(fresh: FreshEnvironment) -> None:
    """Runs wrote into the current folder alone, and pip takes the package away without a rest."""
    written = {path.name for path in fresh.home.iterdir()}
    assert written == {"data", "work_dirs", "own.py", "report"}, written
    site = fresh.site
    fresh.run("python", "-m", "pip", "uninstall", "--yes", "--quiet", "hrnet_plugin")
    assert not list(site.glob("hrnet_plugin*"))


#: In this order: later ones use what earlier ones made.
STEPS = (
    *(installs_with_pip, is_completed_by_what_doctor_prints, finds_every_config_by_name, makes_data),
    *(trains_and_tests_poses, trains_and_tests_masks, trains_a_config_of_ones_own, has_its_tools, draws_a_page),
    *(tells_a_wrong_input_in_one_line, leaves_nothing_behind),
)


def _packages(fresh: FreshEnvironment) -> set[str]:
    return {row["name"] for row in json.loads(fresh.run("python", "-m", "pip", "list", "--format", "json"))}


def go_through(kinds: Sequence[str], folder: Path) -> int:
    """Runs every step for each kind and prints what came of it.

    Returns:
        How many failed.
    """
    failed = 0
    for kind in kinds:
        fresh = FreshEnvironment.create(kind, folder / kind)
        for step in STEPS:
            began = time.monotonic()
            try:
                step(fresh)
            except (RuntimeError, AssertionError, OSError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"{kind}: {step.__doc__}\n  failed: {type(error).__name__} {error}", flush=True)
            else:
                print(f"{kind}: {step.__doc__} ({time.monotonic() - began:.0f} s)", flush=True)
    return failed


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", default=",".join(KINDS), help="of wheel, sdist (default: both)")
    parser.add_argument("--folder", type=Path, help="where environments are made and stay (default: removed again)")
    args = parser.parse_args()
    kinds = args.kinds.split(",")
    if set(kinds) - set(KINDS):
        parser.error(f"--kinds: found {args.kinds}, expected some of {', '.join(KINDS)}")
    if args.folder:
        return min(1, go_through(kinds, args.folder))
    with tempfile.TemporaryDirectory(prefix="hrnet_fresh_") as folder:
        return min(1, go_through(kinds, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
