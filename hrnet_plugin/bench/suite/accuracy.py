"""What each precision keeps of the accuracy, measured by the test tool on images that the network never saw."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ...errors import LaunchError
from ...locations import project_dir
from ..plans import Settings
from ..results import Measured, Run
from ..subjects import Network, Subject
from .whole_processes import TEST_DATA, Given, run_tool

NAME = "accuracy"
RUNTIME = "openvino"
_PRECISIONS = ("fp32", "bf16", "int8")
#: The test tool calibrates with images of the training set: here those of the validation, of which no test knows.
_CALIBRATION = """train_dataloader = dict(dataset=dict(
    data_root={root!r}, ann_file='annotations/person_keypoints_val.json', data_prefix=dict(img='val/')))
"""
_W32 = "model = dict(backbone=dict(arch='w32'), head=dict(in_channels=32))\n"


def run_accuracy(given: Given, settings: Settings, tell: Callable[[str], None]) -> Run:
    """The AP of each precision on generated people, and with real weights on real ones where they are at hand."""
    root = str(given.data_root.resolve())
    config = settings.folder / "accuracy.py"
    base = str(project_dir("configs") / "quickstart_pose.py")
    data = TEST_DATA.format(root=root, boxes="") + _CALIBRATION.format(root=root)
    config.write_text(f"_base_ = [{base!r}]\n{_W32}{data}", encoding="utf-8")
    network = Network(str(config), checkpoint=str(given.checkpoint), size=(96, 128))
    measured = [_measure(network, "", precision, [], settings, tell) for precision in _PRECISIONS]
    if given.shared is not None:
        config = project_dir("configs") / "litehrnet_wider_naive_coco.py"
        weights = given.shared / "weights/litehrnet_wider_naive_coco_256x192.pth"
        data = ["--data-root", str((given.shared / "data/coco_open").resolve()), "--gt-boxes"]
        network = Network(str(config), checkpoint=str(weights))
        measured += [_measure(network, "real ", precision, data, settings, tell) for precision in _PRECISIONS]
    title = f"Accuracy kept by each precision, through {RUNTIME}"
    return Run(NAME, title, tuple(measured), 1, 1, settings.threads, settled=False)


def _measure(
    network: Network, prefix: str, precision: str, data: list[str], settings: Settings, tell: Callable[[str], None]
) -> Measured:
    name = f"{prefix}{precision}"
    tell(f"AP of {name}")
    script = str(project_dir("tools") / "test.py")
    threads = ["--threads", str(settings.threads)]
    command = [sys.executable, script, network.config, network.checkpoint, *threads, *data]
    subject = Subject(name, Network(Path(network.config).name, size=network.size), runtime=RUNTIME, precision=precision)
    try:
        _, accuracy = run_tool([*command, "--runtime", RUNTIME, "--precision", precision], settings, name)
    except LaunchError as error:
        return Measured(subject, refused=str(error))
    return Measured(subject, values={"AP": accuracy})
