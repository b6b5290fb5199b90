"""Fixtures that every test folder may use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from PIL.Image import Image

ROOT = Path(__file__).resolve().parent.parent
#: Folders whose files take minutes each: begun last, they would keep one core busy while the others wait.
_LONG = ("zoo", "tools")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

# The suite proves the CPU paths on any machine: numbers are compared to the last bit, and two ranks must start where
# there is one GPU. Subprocesses inherit it.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# Several workers share the cores: threads of their own would wait for each other.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def forget_runs() -> Callable[[], None]:
    """Takes away what mmengine keeps of a run in the process: its scope, and a logger whose stream may be closed."""

    def forget() -> None:
        if "mmengine.runner" not in sys.modules and "mmengine.registry" not in sys.modules:
            return
        from mmengine.logging import MessageHub, MMLogger
        from mmengine.registry import DefaultScope
        from mmengine.visualization import Visualizer

        for kind in (MMLogger, MessageHub, DefaultScope, Visualizer, *_descendants(Visualizer)):
            kind._instance_dict.clear()

    return forget


def _descendants(kind: type) -> Iterator[type]:
    """Subclasses, and theirs in turn."""
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


@pytest.fixture(autouse=True, scope="module")
def _forget_the_runs_of_a_file(forget_runs: Callable[[], None]) -> Iterator[None]:
    yield
    forget_runs()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """torch computes with one thread in the tests of a file."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def project_root() -> Path:
    """The checkout under test."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with real images and weights, named by HRNET_SHARED (default ../shared)."""
    path = Path(os.environ.get("HRNET_SHARED", ROOT.parent / "shared")).resolve()
    if not path.is_dir():
        message = f"the shared data is not at {path}; set HRNET_SHARED to its folder"
        if os.environ.get("HRNET_REQUIRE_SHARED") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path


@dataclass(frozen=True)
class Browser:
    """A browser without a window, which opens files.

    Args:
        program: Path of the program.
        folder: A folder of its own: profile, and the pictures on their way.
    """

    program: str
    folder: Path

    def screenshot(self, html: Path, size: tuple[int, int] = (1200, 1600)) -> Image:
        """What the browser shows of a page, from its top, in a window of `size` (width, height)."""
        from PIL import Image

        picture = self.folder / "page.png"
        picture.unlink(missing_ok=True)
        self._open(html, f"--screenshot={picture}", f"--window-size={size[0]},{size[1]}")
        with Image.open(picture) as shown:
            return shown.convert("RGB")

    def dump_dom(self, html: Path) -> str:
        """The page as the browser understood it, as HTML."""
        return self._open(html, "--dump-dom")

    def _open(self, html: Path, *flags: str) -> str:
        quiet = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-extensions")
        command = [self.program, *quiet, f"--user-data-dir={self.folder / 'profile'}", *flags, html.resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A headless browser; a test of a page is skipped where there is none."""
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser ({', '.join(_BROWSERS)}) to open the page in")
    return Browser(program, tmp_path_factory.mktemp("browser"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--forbid-skips` is for environments that have everything: there a skip hides something."""
    parser.addoption("--forbid-skips", action="store_true", help="count every skipped test as failed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets the files that take longest begin first; in each, the order stays."""
    items.sort(key=lambda item: _LONG.index(folder) if (folder := item.path.parent.name) in _LONG else len(_LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """Turns skips into failures where they are forbidden."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--forbid-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which --forbid-skips forbids: {report.longrepr[-1]}"
    return report
