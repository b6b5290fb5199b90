"""The Slurm scripts, with programs of Slurm's names that do what Slurm's do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

#: Prints its name and its arguments, one a line; `%s` is what it does then.
PROGRAM = """#!/usr/bin/env bash
printf '%s\\n' {name} "$@"
{body}
"""
#: The job runs as Slurm runs it: a copy of the script in a folder of Slurm's, or a line for `sh` (`--wrap`).
SBATCH = """
while (($#)); do
    case "$1" in
        -p) shift 2 ;;
        --wrap) printf '#!/bin/sh\\n%s\\n' "$2" >slurm_script; set -- "${@:3}"; break ;;
        --*) shift ;;
        *) cp "$1" slurm_script; shift; break ;;
    esac
done
chmod +x slurm_script
SLURM_JOB_ID=7 SLURM_CPUS_PER_TASK=5 exec ./slurm_script "$@"
"""


@pytest.fixture
def cluster(tmp_path) -> Path:
    """A folder with `sbatch`, which runs the job at once, `srun`, which ends with STEP_STATUS, and `scontrol`."""
    for name, body in (("sbatch", SBATCH), ("srun", "exit ${STEP_STATUS:-0}"), ("scontrol", "")):
        (tmp_path / name).write_text(PROGRAM.format(name=name, body=body))
        (tmp_path / name).chmod(0o755)
    return tmp_path


@pytest.fixture
def on_cluster(run, project_root, cluster):
    """Runs a script of tools/ there; returns the lines that it printed, or its one line on stderr."""

    def start(script: str, *arguments: str, status: int = 0, **environment: str) -> list[str]:
        clean = dict.fromkeys(("GPUS", "GPUS_PER_NODE", "CPUS_PER_TASK", "GRACE", "SRUN_ARGS", "SBATCH_ARGS"), "")
        done = run(
            *(project_root / "tools" / script, *arguments), status=status, cwd=cluster,
            **{**clean, "PATH": f"{cluster}:{os.environ['PATH']}", "PYTHON": "python3", **environment},
        )  # fmt: skip
        return (done.stderr if status == 2 else done.stdout).split("\n")[:-1]

    return start


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["--gres=gpu:8", "--ntasks=8", "--ntasks-per-node=8", "--cpus-per-task=5"]),
        ({"GPUS": "2"}, ["--gres=gpu:2", "--ntasks=2", "--ntasks-per-node=2", "--cpus-per-task=5"]),
        (
            {"GPUS": "16", "GPUS_PER_NODE": "4", "CPUS_PER_TASK": "3", "SRUN_ARGS": "--time 1:00  --qos=a"},
            ["--gres=gpu:4", "--ntasks=16", "--ntasks-per-node=4", "--cpus-per-task=3", "--time", "1:00", "--qos=a"],
        ),
    ],
)
@pytest.mark.parametrize("task", ["train", "test"])
def test_srun_gets_resources_and_arguments_as_given(task, given, expected, on_cluster, project_root):
    files = ["my configs/a.py", *(["b.pth"] if task == "test" else [])]
    ending = {"train": ["--kill-on-bad-exit=0", "--wait=300"], "test": ["--kill-on-bad-exit=1"]}
    assert on_cluster(f"slurm_{task}.sh", "queue", "my job", *files, "--work-dir", "a b", **given) == [
        *("srun", "-p", "queue", "--job-name=my job", *expected[:4], *ending[task], *expected[4:]),
        *("python3", "-u", str(project_root / f"tools/{task}.py"), "--launcher", "slurm"),
        *(*files, "--work-dir", "a b"),
    ]


@pytest.mark.parametrize(("step", "requeued"), [(0, False), (75, True), (138, True), (1, False), (137, False)])
def test_batch_job_goes_back_into_the_queue_where_it_made_room(on_cluster, project_root, step, requeued):
    odd = ["my configs/a.py", "--work-dir", "it's a b", "--cfg-options", "a.b='x y'", 'c=["$HOME"]', "", "*", "ü\\"]
    lines = on_cluster(
        *("slurm_submit.sh", "queue", "my job", *odd), status=0 if requeued else step,
        GPUS="16", SBATCH_ARGS="--time=8:00:00 --qos=b", GRACE="300", STEP_STATUS=str(step), LC_ALL="C",
    )  # fmt: skip
    sbatch, step_lines = lines[: lines.index("srun")], lines[lines.index("srun") :]
    assert sbatch[:-1] == [
        *("sbatch", "-p", "queue", "--job-name=my job", "--gres=gpu:8", "--ntasks=16", "--ntasks-per-node=8"),
        *("--cpus-per-task=5", "--requeue", "--open-mode=append", "--signal=USR1@300", "--output=%x-%j.out"),
        *("--time=8:00:00", "--qos=b", "--wrap"),
    ]
    assert step_lines == [
        *("srun", "--cpus-per-task=5", "--kill-on-bad-exit=0", "--wait=300"),
        *("python3", "-u", str(project_root / "tools/train.py"), "--launcher", "slurm", *odd),
        *(["scontrol", "requeue", "7"] if requeued else []),
    ]


@pytest.mark.parametrize("name", ["GPUS", "GPUS_PER_NODE", "CPUS_PER_TASK", "GRACE"])
@pytest.mark.parametrize("value", ["abc", "08", "-1", "1 2", "a[$(id)]"])
def test_numbers_are_checked(on_cluster, name, value):
    lines = on_cluster("slurm_submit.sh", "queue", "job", "a.py", status=2, **{name: value})
    assert lines == [f"{name} '{value}': expected a number from 1 to 999999"]
