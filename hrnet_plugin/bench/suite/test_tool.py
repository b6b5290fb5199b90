"""The test tool against mmpose's own: whole processes, with the same weights, on the same images."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from ...checkpoints.atomic import save_atomically
from ...checkpoints.contents import read_contents
from ...errors import LaunchError
from ...locations import PACKAGE, project_dir
from ..plans import Settings
from ..results import Measured, Run
from ..subjects import Network, Subject
from .subjects import w32
from .whole_processes import TEST_DATA, Given, count_test_images, run_tool

NAME = "test-tool"
MMPOSE, DEFAULT = "mmpose tools/test.py", "tools/test.py"
#: Through which the test tool is timed besides its default.
_RUNTIMES = ("onnxruntime", "openvino", "ncnn")
#: Both tools measure the same network on the same images: more than rounding must not lie between them, also where a
#: network that was trained at another size finds little.
_AP_TOLERANCE, _AP_SHARE = 0.005, 0.05


def run_test_tool(given: Given, settings: Settings, tell: Callable[[str], None]) -> Run:
    """Times `tools/test.py` and mmpose's, whole processes, by turns: each turn counts as a process.

    Raises:
        LaunchError: mmpose's fails; names the file with what it said. Ours that fail, or find another accuracy, are
            left out.
    """
    commands = _commands(given, settings.folder, settings.threads)
    times: dict[str, list[tuple[float]]] = {name: [] for name in commands}
    accuracy: dict[str, float] = {}
    refused: dict[str, str] = {}
    names = list(commands)
    for turn in range(settings.processes):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if name in refused:
                continue
            tell(f"{name}, turn {turn + 1} of {settings.processes}")
            try:
                seconds, accuracy[name] = run_tool(commands[name], settings, name)
                times[name].append((seconds,))
            except LaunchError as error:
                if name == MMPOSE:
                    raise
                refused[name], times[name] = str(error), []
    for name in accuracy:
        if not _agree(accuracy[name], accuracy[MMPOSE]):
            refused[name] = f"AP {accuracy[name]:.4f}, where mmpose's tool finds {accuracy[MMPOSE]:.4f}"
            times[name] = []
    images = count_test_images(given.data_root)
    measured = tuple(_measured(name, times[name], accuracy, refused, images) for name in names)
    title = "tools/test.py, whole process: HRNet-W32, 256x192, flip test, generated images"
    return Run(NAME, title, measured, settings.processes, 1, settings.threads, settled=False)


def _agree(ours: float, theirs: float) -> bool:
    return theirs > 0 and abs(ours - theirs) <= min(_AP_TOLERANCE, _AP_SHARE * theirs)


def _measured(
    name: str, times: list[tuple[float]], accuracy: dict[str, float], refused: dict[str, str], images: int
) -> Measured:
    theirs, ours = (Network(one.config, size=one.size, batch=images) for one in w32())
    runtime = "torch" if name == DEFAULT else name.rpartition(" ")[2]
    subject = Subject(name, theirs) if name == MMPOSE else Subject(name, ours, theirs, runtime=runtime)
    values = {"AP": accuracy[name]} if times else {}
    return Measured(subject, tuple(times), values=values, refused=refused.get(name, ""))


def _commands(given: Given, folder: Path, threads: int) -> dict[str, list[str]]:
    theirs, ours = w32()
    # The weights alone, which mmpose's tool loads with any torch.
    weights = folder / "people.pth"
    save_atomically({"state_dict": dict(read_contents(given.checkpoint).weights)}, weights)
    data = TEST_DATA.format(root=str(given.data_root.resolve()), boxes=", bbox_file=None")
    configs = {}
    for name, base in (("theirs", theirs.config), ("ours", ours.config)):
        configs[name] = folder / f"people_{name}.py"
        configs[name].write_text(f"_base_ = [{base!r}]\n{data}", encoding="utf-8")
    script = Path(importlib.util.find_spec("mmpose").origin).parent / ".mim/tools/test.py"
    tool = [sys.executable, "-m", f"{PACKAGE.name}.bench.framework_tool", str(script)]
    own = [sys.executable, str(project_dir("tools") / "test.py"), str(configs["ours"]), str(weights)]
    own += ["--threads", str(threads)]
    return {
        MMPOSE: [*tool, str(configs["theirs"]), str(weights)],
        DEFAULT: own,
        **{f"{DEFAULT} --runtime {runtime}": [*own, "--runtime", runtime] for runtime in _RUNTIMES},
    }
