"""The command itself: speed of the help, exit statuses, what is printed for which error."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hrnet_plugin.cli import main as command
from hrnet_plugin.errors import ConfigError, DataError, find_user_error

FLAGS = {
    "both": ("--work-dir", "--cfg-options", "--launcher", "--show", "--show-dir", "--interval", "--wait-time",
             "--data-root", "--gt-boxes", "--traceback"),
    "train": ("--resume", "--amp", "--no-validate", "--auto-scale-lr", "--require-pretrained"),
    "test": ("--dump", "--out", "--tta"),
}  # fmt: skip


def _verb(run) -> SimpleNamespace:
    return SimpleNamespace(HELP="a verb", add_arguments=lambda parser: None, run=run)


def _raising(error: BaseException):
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


@pytest.fixture
def train_does(monkeypatch: pytest.MonkeyPatch):
    """Replace what `hrnet train` does."""

    def replace(run) -> None:
        monkeypatch.setattr(command, "_verb", lambda name: _verb(run))

    return replace


def _process(project_root: Path, *arguments: str, **options) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONPATH", None)
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def test_help_imports_nothing_heavy(project_root: Path, tmp_path: Path):
    program = (
        f"import sys; sys.path.insert(0, {str(project_root)!r})\n"
        "from hrnet_plugin.cli.main import build_parser\n"
        "text = build_parser().format_help()\n"
        "assert all(verb in text for verb in ('train', 'test', 'data', 'doctor', 'demo')), text\n"
        "heavy = {'torch', 'numpy', 'mmengine', 'mmcv', 'mmpose', 'mmseg', 'cv2', 'PIL', 'rich', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    process = _process(project_root, "-S", "-c", program, cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert out.strip() == "[]", err


@pytest.mark.parametrize("verb", ["train", "test"])
def test_tools_run_from_anywhere_without_installation(verb: str, project_root: Path, tmp_path: Path):
    process = _process(project_root, str(project_root / "tools" / f"{verb}.py"), "--help", cwd=tmp_path)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    for flag in (*FLAGS["both"], *FLAGS[verb]):
        assert flag in out


def _program(run: str) -> str:
    """A program whose `hrnet train` executes these lines."""
    return (
        "import sys, time\nfrom types import SimpleNamespace\nfrom hrnet_plugin.cli import main as command\n"
        f"def run(args):\n    {run}\n"
        "verb = SimpleNamespace(HELP='', add_arguments=lambda parser: None, run=run)\n"
        "command._verb = lambda name: verb\n"
        "sys.exit(command.main(['train']))\n"
    )


@pytest.mark.parametrize(
    "does",
    [
        "print('a line')",
        "import logging; logging.basicConfig(stream=sys.stdout); [logging.error('a line') for _ in range(2)]; print()",
    ],
    ids=["print", "log"],
)
def test_a_closed_reader_is_no_error(project_root: Path, does: str):
    process = _process(project_root, "-c", _program(f"time.sleep(0.5); {does}"), cwd=project_root)
    process.stdout.close()
    assert process.wait(timeout=60) == command.BROKEN_PIPE
    assert process.stderr.read() == ""


def test_unknown_verb_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        command.main(["trian"])
    assert caught.value.code == 2
    assert "invalid choice: 'trian'" in capsys.readouterr().err


def test_status_of_the_verb_is_returned(train_does):
    train_does(lambda args: 1)
    assert command.main(["train"]) == 1


def test_user_error_is_one_line(train_does, capsys: pytest.CaptureFixture[str]):
    train_does(_raising(ConfigError("thing", found="a", expected="b", do="Do c")))
    assert command.main(["train"]) == 2
    assert capsys.readouterr().err == "hrnet: error: thing: found a, expected b. Do c\n"


def test_traceback_on_request(train_does):
    train_does(_raising(ConfigError("thing")))
    with pytest.raises(ConfigError):
        command.main(["train", "--traceback"])


def test_a_defect_keeps_its_trace(train_does):
    train_does(_raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        command.main(["train"])


def test_missing_packages_are_named_with_the_way_to_get_them(project_root: Path, tmp_path: Path):
    program = (
        f"import sys; sys.path.insert(0, {str(project_root)!r})\n"
        "from hrnet_plugin.cli.main import main\n"
        "sys.exit(main(['train', 'hrnet_w32_coco']))"
    )
    process = _process(project_root, "-S", "-c", program, cwd=tmp_path)  # -S: no installed packages
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith("hrnet: error: package mmengine: found not installed. `hrnet doctor` prints the commands")
    assert len(err.splitlines()) == 1


def test_ranks_other_than_the_first_say_who_they_are(train_does, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "3")
    train_does(_raising(ConfigError("thing")))
    assert command.main(["train"]) == 2
    assert capsys.readouterr().err == "hrnet: [rank 3] error: thing\n"


def test_interrupt_ends_with_130(project_root: Path):
    program = _program("print('started', flush=True); time.sleep(60)")
    # A shell starts what it puts into the background with SIGINT ignored, and every child inherits that.
    program = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{program}"
    process = _process(project_root, "-c", program, cwd=project_root)
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "hrnet: stopped\n"


def test_innermost_user_error_wins():
    inner, middle, outer = DataError("image a.jpg"), KeyError("somewhere"), ConfigError("wrapper")
    middle.__cause__, outer.__context__ = inner, middle
    assert find_user_error(outer) is inner
    outer.__suppress_context__ = True  # `raise ... from None`
    assert find_user_error(outer) is outer
    assert find_user_error(KeyError("a")) is None


def test_error_of_a_data_worker_is_told_as_it_was_raised():
    from torch._utils import ExceptionWrapper

    try:
        raise DataError("image a.jpg", found="nothing", expected="an image", do="Restore it")
    except DataError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    with pytest.raises(DataError) as caught:
        wrapped.reraise()
    assert str(find_user_error(caught.value)) == "image a.jpg: found nothing, expected an image. Restore it"
