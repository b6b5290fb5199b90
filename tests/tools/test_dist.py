"""The launch scripts: what they ask for, and two CPU processes that train and test the headline configs."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hrnet_plugin.errors import LaunchError

SCRIPTS = {"dist_train.sh": 2, "dist_test.sh": 3, "slurm_train.sh": 3, "slurm_test.sh": 4, "slurm_submit.sh": 3}

# Asks each rank for a digest of all its weights and statistics, and for how they are kept equal.
RANK_STATE = """
import hashlib
import json
import os

from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm


@HOOKS.register_module()
class RankState(Hook):
    priority = 'LOWEST'

    def after_train(self, runner):
        model = runner.model
        digests = {
            name: hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()
            for name, tensor in [*model.module.named_parameters(), *model.module.named_buffers()]
        }
        norms = sorted({type(layer).__name__ for layer in model.modules() if isinstance(layer, _BatchNorm)})
        state = dict(
            digests=digests,
            wrapper=type(model).__name__,
            find_unused_parameters=model.find_unused_parameters,
            norms=norms,
            loss=runner.message_hub.get_scalar('train/loss').current(),
        )
        with open(os.path.join(runner.work_dir, f'rank{runner.rank}.json'), 'w') as file:
            json.dump(state, file)
"""


@pytest.fixture(scope="module")
def with_rank_state(tmp_path_factory):
    """Wrap a config so that each rank writes down its state; returns the wrapped config."""
    folder = tmp_path_factory.mktemp("rank_state")
    (folder / "rank_state.py").write_text(RANK_STATE)

    def wrap(config: Path, hooks: str) -> Path:
        path = folder / config.name
        path.write_text(
            f"_base_ = ['{config}']\n"
            "custom_imports = dict(imports=['rank_state'])\n"
            f"custom_hooks = [dict(type='mmengine.RankState'){hooks}]\n"
        )
        return path

    return wrap


@pytest.fixture
def fake_python(tmp_path) -> Path:
    """A program that prints its arguments, one a line."""
    path = tmp_path / "fake python"
    path.write_text('#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def launch(project_root, monkeypatch):
    """tools/launch.py as a module, in an environment that says nothing about the launch."""
    for name in ("PORT", "NNODES", "NODE_RANK", "MASTER_ADDR", "MAX_RESTARTS", "RDZV_ID", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    spec = importlib.util.spec_from_file_location("launch", project_root / "tools/launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS)
def test_missing_arguments_are_told_in_one_line(script, run, project_root):
    done = run(project_root / "tools" / script, *["x"] * (SCRIPTS[script] - 1), status=2)

    (line,) = done.stderr.splitlines()
    assert line.startswith(f"found {SCRIPTS[script] - 1} arguments, expected at least {SCRIPTS[script]}: {script} ")


@pytest.mark.parametrize(
    ("script", "given", "passed_on"),
    [
        ("train", ("my configs/a.py", "4"), ("4", "{tools}/train.py", "my configs/a.py")),
        ("test", ("a.py", "my runs/b.pth", "2"), ("2", "{tools}/test.py", "a.py", "my runs/b.pth")),
    ],
)
def test_arguments_are_passed_on_as_given(script, given, passed_on, run, project_root, fake_python):
    odd = ("--cfg-options", "model.a='x y'", "b=[1, 2]", "", "*")
    tools = project_root / "tools"
    done = run(tools / f"dist_{script}.sh", *given, *odd, PYTHON=str(fake_python))

    passed_on = [part.format(tools=tools) for part in passed_on]
    assert done.stdout.split("\n")[:-1] == [str(tools / "launch.py"), *passed_on, *odd]


@pytest.mark.parametrize("gpus", ["0", "-1", "two", "\u0663", "9" * 5000, "configs/x.py", ""])
def test_number_of_processes_is_checked(gpus, launch):
    with pytest.raises(LaunchError, match=f"^GPUS '{gpus[:99]}.*: expected the number of processes to start"):
        launch.torchrun_options(gpus)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "abc"), ("PORT", "70000"), ("NODE_RANK", "a"), ("MAX_RESTARTS", "-1"), ("PORT", "9" * 5000)],
)
def test_environment_is_checked(name, value, launch, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(LaunchError, match=f"^{name} '{value[:99]}.*: expected a number from 0 to 65535"):
        launch.torchrun_options("2")


def test_nodes_and_ports_as_in_openmmlab(launch, monkeypatch):
    first, second = (launch.torchrun_options("2") for _ in range(2))
    assert first[:3] == ["--nnodes=1", "--node_rank=0", "--master_addr=127.0.0.1"]
    signals = "--signals_to_handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
    assert first[4:] == ["--nproc_per_node=2", "--max_restarts=0", signals]
    assert 1024 <= int(first[3].removeprefix("--master_port=")) <= 65535
    assert first[3] != second[3]

    for name, value in (("NNODES", "3"), ("NODE_RANK", "1"), ("MASTER_ADDR", "10.1.2.3")):
        monkeypatch.setenv(name, value)
    expected = ["--nnodes=3", "--node_rank=1", "--master_addr=10.1.2.3", "--master_port=29500"]
    assert launch.torchrun_options("4") == [*expected, "--nproc_per_node=4", "--max_restarts=0", signals]
    monkeypatch.setenv("PORT", "12345")
    assert launch.torchrun_options("4")[3] == "--master_port=12345"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"NNODES": "2"}, "NNODES 2: found no MASTER_ADDR. Set it to the address of the first machine, on all of them"),
        ({"NNODES": "1:2"}, "NNODES 1:2: found no MASTER_ADDR"),
        (
            {"NNODES": "2", "NODE_RANK": "2", "MASTER_ADDR": "a"},
            "NODE_RANK 2: expected a number from 0 to 1, of",
        ),
        ({"NODE_RANK": "1"}, "NODE_RANK 1: expected a number from 0 to 0"),
    ],
)
def test_machines_that_could_never_meet_are_refused(launch, monkeypatch, given, told):
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(LaunchError, match=f"^{told}"):
        launch.torchrun_options("2")


@pytest.mark.parametrize(("nodes", "elastic"), [("2", None), ("2:2", None), ("1:2", "1")])
def test_processes_know_that_machines_come_and_go(launch, monkeypatch, nodes, elastic):
    """torchrun starts them anew then, and does not count it."""
    monkeypatch.setenv("NNODES", nodes)
    assert launch.environment().get("HRNET_ELASTIC") == elastic


def test_machines_that_come_and_go_meet_at_one_that_stays(launch, monkeypatch):
    for name, value in (("NNODES", "1:3"), ("MASTER_ADDR", "10.1.2.3"), ("MAX_RESTARTS", "5"), ("RDZV_ID", "job 7")):
        monkeypatch.setenv(name, value)
    assert launch.torchrun_options("4")[:6] == [
        *("--nnodes=1:3", "--rdzv_backend=c10d", "--rdzv_endpoint=10.1.2.3:29500", "--rdzv_id=job 7"),
        *("--nproc_per_node=4", "--max_restarts=5"),
    ]


def test_processes_that_may_be_started_anew_meet_anew(launch, monkeypatch):
    monkeypatch.setenv("MAX_RESTARTS", "2")
    options = launch.torchrun_options("4")
    assert options[:2] == ["--nnodes=1:1", "--rdzv_backend=c10d"]
    assert options[2].startswith("--rdzv_endpoint=127.0.0.1:")
    assert options[3:7] == ["--rdzv_id=hrnet", "--local_addr=127.0.0.1", "--nproc_per_node=4", "--max_restarts=2"]


@pytest.mark.parametrize("value", ["-1", "0", "a", "1:2:3", "3:2", ":2", "2:"])
def test_number_of_machines_is_checked(value, launch, monkeypatch):
    monkeypatch.setenv("NNODES", value)
    with pytest.raises(LaunchError, match=f"^NNODES '{value}': expected a number of machines, or MIN:MAX"):
        launch.torchrun_options("2")


def test_port_in_use_is_told_in_one_line(run, project_root):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run(project_root / "tools/dist_test.sh", "config.py", "a.pth", 2, status=2, PORT=port)

    (line,) = done.stderr.splitlines()
    assert line.startswith(f"hrnet: error: port {port}: found it is in use by another process, expected a free port")


RANKS_THAT_FAIL = """
import os
import signal
import sys

if os.environ["RANK"] == "1":
    {ending}
signal.pause()
"""


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("sys.exit(7)", 7, "hrnet: rank 1 stopped with exit status 7; its message stands above"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, "hrnet: rank 1 was ended by SIGKILL, and the others with it"),
    ],
    ids=["exit", "kill"],
)
def test_failed_rank_gives_its_status_and_one_line(ending, status, told, run, project_root, tmp_path):
    script = tmp_path / "ranks.py"
    script.write_text(RANKS_THAT_FAIL.format(ending=ending))
    done = run(sys.executable, project_root / "tools/launch.py", 2, script, status=status)
    assert done.stderr.splitlines() == [told]


RANKS_THAT_ARE_ASKED = """
import os
import signal
import sys
import time

rank = int(os.environ["RANK"])
def end(number, frame):
    {ending}
signal.signal(signal.SIGTERM, end)
open("ready" + str(rank), "w").close()
while True:
    time.sleep(0.02)
"""


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("sys.exit(75 if rank else 0)", 75, []),
        ("sys.exit(0)", 0, []),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137, ["hrnet: rank 0 was ended by SIGKILL, and the others with it"]),
        ("signal.signal(number, signal.SIG_DFL); os.kill(os.getpid(), number)", 143, []),
    ],
    ids=["made room", "done", "killed", "as by default"],
)
def test_after_a_signal_the_status_is_that_of_the_processes(ending, status, told, project_root, tmp_path):
    """75 has a job requeued: not where the processes could not save."""
    script = tmp_path / "train.py"
    script.write_text(RANKS_THAT_ARE_ASKED.format(ending=ending))
    environment = {**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, project_root / "tools/launch.py", "2", script]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not all((tmp_path / f"ready{rank}").exists() for rank in (0, 1)) and process.poll() is None:
            time.sleep(0.02)
        process.terminate()
        assert process.communicate(timeout=60)[1].splitlines() == told
    assert process.returncode == status


def check_ranks(work_dir: Path, weights: int) -> dict:
    """Both ranks ended with the same weights and statistics, from different data; returns rank 0's state."""
    first, second = (json.loads((work_dir / f"rank{rank}.json").read_text()) for rank in (0, 1))
    assert len(first["digests"]) >= weights
    assert first["digests"] == second["digests"]
    assert first["loss"] != second["loss"]
    assert first["find_unused_parameters"] is False
    return first


def test_two_processes_train_and_test_the_pose_config(
    run, project_root, short_pose_config, with_rank_state, tmp_path, logged, tested
):
    config = with_rank_state(short_pose_config, ", dict(type='SyncBuffersHook')")
    work_dir = tmp_path / "work"
    path = str(config.parent)
    run(project_root / "tools/dist_train.sh", config, 2, "--work-dir", work_dir, path=path)

    state = check_ranks(work_dir, weights=1500)
    assert state["wrapper"] == "MMDistributedDataParallel"
    assert state["norms"] == ["BatchNorm2d"]
    assert len(logged(work_dir, "loss")) == 2  # 8 persons, 2 ranks of 2 a step
    last = (work_dir / "last_checkpoint").read_text()
    assert Path(last).name == "epoch_1.pth"

    run(project_root / "tools/dist_test.sh", config, last, 2, "--work-dir", tmp_path / "tested", path=path)
    (found,) = logged(work_dir, "EPE")
    assert found > 0
    assert tested(tmp_path / "tested")["EPE"] == pytest.approx(found, rel=1e-4)


def test_two_processes_train_and_test_the_segmentation_config_with_syncbn(
    run, project_root, short_seg_config, with_rank_state, tmp_path, logged, tested
):
    config = with_rank_state(short_seg_config, "")
    work_dir = tmp_path / "work"
    path = str(config.parent)
    run(project_root / "tools/dist_train.sh", config, 2, "--work-dir", work_dir, path=path)

    state = check_ranks(work_dir, weights=1500)
    assert len(state["norms"]) == 1
    assert "Sync" in state["norms"][0]
    assert len(logged(work_dir, "loss")) == 2
    last = (work_dir / "last_checkpoint").read_text()
    assert Path(last).name == "iter_2.pth"

    run(project_root / "tools/dist_test.sh", config, last, 2, "--work-dir", tmp_path / "tested", path=path)
    (found,) = logged(work_dir, "mIoU")
    assert found > 0
    assert tested(tmp_path / "tested")["mIoU"] == pytest.approx(found, rel=1e-4)
