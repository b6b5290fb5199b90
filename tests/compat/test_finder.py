"""The finder, on packages of its own."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest

import hrnet_plugin.compat as compat
from hrnet_plugin.compat.finder import FixFinder
from hrnet_plugin.compat.fix import AfterImport, DuringImport, Finding, StandIn


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes modules of the package `brokenlib` and forgets them afterwards."""
    (tmp_path / "brokenlib").mkdir()
    (tmp_path / "brokenlib" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> Path:
        path = tmp_path / "brokenlib" / f"{name}.py"
        path.write_text(text)
        importlib.invalidate_caches()
        return path

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] == "brokenlib"]:
        del sys.modules[name]


@pytest.fixture
def install():
    """Installs a finder with the given fixes for the length of one test."""
    installed = []

    def install(*fixes) -> FixFinder:
        finder = FixFinder(fixes)
        finder.install()
        installed.append(finder)
        return finder

    yield install
    for finder in installed:
        sys.meta_path.remove(finder)


def after(act, detect=lambda module: Finding(True, "seen"), target="brokenlib.part") -> AfterImport:
    return AfterImport(name="after", breakage="it fails", since="1", target=target, detect=detect, act=act)


def stand_in(source: Path, broken: bool = True) -> StandIn:
    finding = Finding(broken, "gone" if broken else "built for another Python")
    return StandIn(
        name="stand-in", breakage="", since="", target="brokenlib.part", detect=lambda folders: finding, source=source
    )


def set_answer(module: ModuleType) -> None:
    module.answer = 42


def test_a_module_is_mended_after_its_import(package, install):
    path = package("part", "answer = 1\n")
    finder = install(after(set_answer))
    assert finder.reports["after"].state == "waiting"
    part = importlib.import_module("brokenlib.part")
    assert part.answer == 42
    assert finder.reports["after"].state == "applied"
    assert finder.reports["after"].why == "seen"
    assert inspect.getsource(part) == "answer = 1\n"
    assert type(part.__spec__.loader) is type(part.__loader__) is importlib.machinery.SourceFileLoader
    assert part.__file__ == str(path)


def test_a_module_that_is_imported_already_is_mended_at_once(package, install):
    package("part", "answer = 1\n")
    part = importlib.import_module("brokenlib.part")
    finder = install(after(set_answer))
    assert part.answer == 42
    assert finder.reports["after"].state == "applied"


def test_a_reloaded_module_is_mended_again(package, install):
    package("part", "answer = 1\n")
    install(after(set_answer))
    assert importlib.reload(importlib.import_module("brokenlib.part")).answer == 42


def test_nothing_happens_where_nothing_is_broken(package, install):
    package("part", "answer = 1\n")
    finder = install(after(set_answer, detect=lambda module: Finding(False, "new enough")))
    assert importlib.import_module("brokenlib.part").answer == 1
    assert (finder.reports["after"].state, finder.reports["after"].why) == ("not needed", "new enough")


def test_a_fix_that_fails_warns_and_lets_the_import_pass(package, install):
    package("part", "answer = 1\n")
    finder = install(after(lambda module: module.no_such_name))
    with pytest.warns(RuntimeWarning, match=r"could not apply its fix 'after' to brokenlib\.part .*no_such_name"):
        assert importlib.import_module("brokenlib.part").answer == 1
    assert finder.reports["after"].state == "failed"


def test_an_error_of_the_module_itself_is_not_hidden(package, install):
    package("part", "raise OSError('its own error')\n")
    finder = install(after(set_answer))
    with pytest.raises(OSError, match="its own error"):
        importlib.import_module("brokenlib.part")
    assert finder.reports["after"].state == "waiting"


def test_a_stand_in_takes_the_place_of_a_missing_module(package, install, tmp_path):
    source = tmp_path / "stand_in.py"
    source.write_text("answer = 7\n")
    finder = install(stand_in(source))
    part = importlib.import_module("brokenlib.part")
    assert (part.answer, part.__name__, part.__spec__.name) == (7, "brokenlib.part", "brokenlib.part")
    assert importlib.util.find_spec("brokenlib.part") is part.__spec__
    assert importlib.reload(part).answer == 7
    assert finder.reports["stand-in"].state == "applied"


@pytest.mark.parametrize("text", ["answer = 1\n", "raise ImportError('its own error')\n"])
def test_a_stand_in_never_hides_a_module_that_is_there(package, install, tmp_path, text):
    package("part", text)
    finder = install(stand_in(tmp_path / "never_read.py"))
    if "raise" in text:
        with pytest.raises(ImportError, match="its own error"):
            importlib.import_module("brokenlib.part")
    else:
        assert importlib.import_module("brokenlib.part").answer == 1
    assert finder.reports["stand-in"].state == "not needed"


def test_a_refused_stand_in_leaves_pythons_own_error(package, install, tmp_path):
    finder = install(stand_in(tmp_path / "never_read.py", broken=False))
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'brokenlib\.part'"):
        importlib.import_module("brokenlib.part")
    assert finder.reports["stand-in"].why == "built for another Python"


def test_a_context_surrounds_the_execution_only(package, install):
    package("part", "import brokenlib\nseen = list(brokenlib.trace)\n")
    library = importlib.import_module("brokenlib")
    library.trace = []

    @contextlib.contextmanager
    def context():
        library.trace.append("in")
        yield
        library.trace.append("out")

    install(
        DuringImport(
            name="during",
            breakage="",
            since="",
            target="brokenlib.part",
            detect=lambda: Finding(True, ""),
            context=context,
        )
    )
    assert importlib.import_module("brokenlib.part").seen == ["in"]
    assert library.trace == ["in", "out"]


def test_two_such_finders_do_not_ask_each_other_for_ever(package, install):
    package("part", "answer = 1\n")
    install(after(set_answer))
    install(after(set_answer))
    assert importlib.import_module("brokenlib.part").answer == 42
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("brokenlib.absent")


def test_apply_acts_once():
    before = list(sys.meta_path)
    compat.apply()
    compat.apply()
    assert sys.meta_path == before
    assert sum(isinstance(finder, FixFinder) for finder in sys.meta_path) == 1
    assert set(compat.reports()) == {fix.name for fix in compat.FIXES}


def test_each_fix_says_what_broke_since_when_and_what_is_done():
    assert len({fix.name for fix in compat.FIXES}) == len(compat.FIXES) >= 16
    for fix in compat.FIXES:
        assert fix.breakage, fix.name
        assert fix.since, fix.name
    folder = Path(compat.__file__).parent
    homes = {fix.detect.__module__.rpartition(".")[2] for fix in compat.FIXES}
    assert len(homes) >= 12
    for home in homes:
        text = (folder / f"{home}.py").read_text()
        for word in ("What broke:", "Since ", "Detected:", "Done:"):
            assert word in text.split('"""')[1], (home, word)


def test_importing_the_package_loads_nothing_heavy(run_python):
    code = "import sys, hrnet_plugin, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = run_python(["-W", "error", "-c", code])
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "hrnet_plugin" in loaded
    assert not loaded & {"torch", "numpy", "mmengine", "mmcv", "mmpose", "mmseg", "cv2", "rich", "matplotlib"}


def test_the_filter_ignores_one_message_and_keeps_those_of_imported_modules():
    from hrnet_plugin.compat.import_warnings import ignored

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with ignored("noise", UserWarning):
            warnings.warn("noise of old", UserWarning, stacklevel=1)
            warnings.warn("some noise", UserWarning, stacklevel=1)
            warnings.warn("noise", DeprecationWarning, stacklevel=1)
            # What a module sets for itself while it is imported must outlive the import.
            warnings.filterwarnings("ignore", message="set by a module")
        warnings.warn("noise", UserWarning, stacklevel=1)
        warnings.warn("set by a module", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in seen] == ["some noise", "noise", "noise"]
