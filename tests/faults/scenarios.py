"""What may happen to a training: done to one, and what was lost.

Each scenario says what is promised, makes it happen, and returns what came of it. It asserts the promise.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from subject import INTERVAL, Run, Subject, largest_differences, logged, newest

from hrnet_plugin.checkpoints.sums import sum_file
from hrnet_plugin.cli.launch import SILENCE


@dataclass
class Outcome:
    """What came of a scenario.

    Args:
        fault: In a few words.
        promised: What is.
        happened: What was seen.
        tried, survived: How often.
        repeated: The most iterations that were done once more after one fault.
        lost: Checkpoints that stood before and do not stand after, but for those that a newer one pushed out.
    """

    fault: str
    promised: str
    happened: str
    tried: int = 1
    survived: int = 1
    repeated: int = 0
    lost: int = 0


Scenario = Callable[[Subject, random.Random, int], Outcome]
SCENARIOS: dict[str, Scenario] = {}


def scenario(run: Scenario) -> Scenario:
    """Puts a function among the scenarios."""
    SCENARIOS[run.__name__] = run
    return run


def straight(subject: Subject) -> Path:
    """The work dir of a training to which nothing happened."""
    folder = subject.folder / "straight"
    if not (folder / "last_checkpoint").exists():
        assert subject.train("straight").process.returncode == 0
    return folder


def straight_in_two(subject: Subject) -> Path:
    """The work dir of a training of two processes to which nothing happened."""
    folder = subject.folder / "two"
    if not (folder / "last_checkpoint").exists():
        assert subject.train("two", processes=2).process.returncode == 0
    return folder


def assert_equal(subject: Subject, work_dir: Path) -> None:
    """The training ended as the one to which nothing happened: losses, weights, optimizer, random streams."""
    assert logged(work_dir) == logged(straight(subject))
    differences = largest_differences(straight(subject), work_dir)
    assert set(differences.values()) == {0.0}, differences


def stop_after(subject: Subject, name: str, iteration: int) -> Path:
    """The work dir of a training that was killed once it had logged an iteration."""
    run = subject.start(name, PAUSE=0.02)
    run.wait_for_iteration(iteration)
    run.kill()
    return run.work_dir


def assert_goes_on(subject: Subject, work_dir: Path) -> Run:
    """Resumed, it ends as if nothing had happened."""
    run = subject.train(work_dir.name, "--resume")
    assert run.process.returncode == 0, run.output()[-3000:]
    assert_equal(subject, work_dir)
    return run


@scenario
def killed(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """SIGKILL at random moments, every second one while a checkpoint is being written."""
    work_dir = subject.folder / "killed"
    worst = lost = in_saves = 0
    for number in range(times):
        before = newest(work_dir)
        run = subject.start("killed", *(["--resume"] if before else []), PAUSE=0.02)
        if number % 2:
            saves = chance.randint(1, 2)
            for _ in range(saves):
                run.wait_until(lambda: not any(work_dir.glob(".*.partial")), every=0.0002)
                run.wait_until(lambda: any(work_dir.glob(".*.pth.*.partial")), every=0.0002)
            in_saves += run.process.poll() is None
        else:
            run.wait_until(lambda stood=before: newest(work_dir) > stood)
            time.sleep(chance.uniform(0, 1.0))
        run.kill()
        done, kept = max(logged(work_dir), default=0), newest(work_dir)
        lost += kept < before
        worst = max(worst, done - kept)
        if run.process.returncode == 0:  # it was done before it could be killed: begin once more
            assert_equal(subject, work_dir)
            shutil.rmtree(work_dir)
    assert lost == 0
    assert worst <= INTERVAL
    if newest(work_dir):
        assert_goes_on(subject, work_dir)
    return Outcome(
        "SIGKILL", "a loadable state at any moment; at most one interval is repeated; the end is the same",
        f"{in_saves} of the kills during a save; each resumed run equals the unbroken one to the last bit",
        times, times, worst, lost,
    )  # fmt: skip


def _truncate(path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def _zero(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    begin = chance.randrange(len(data) - 4096)
    data[begin : begin + 4096] = bytes(4096)
    path.write_bytes(data)


def _flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


@scenario
def damaged(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """Checkpoints truncated, zeroed, with a bit flipped; with their sums and without."""
    folder = stop_after(subject, "damaged", 10)
    survived = 0
    paths = sorted(folder.glob("*.pth"), key=lambda path: int(path.stem[5:]))
    sound = [int(path.stem[5:]) for path in paths]
    for number in range(times):
        newest_path = paths[-1]
        kept, kept_sum = newest_path.read_bytes(), sum_file(newest_path).read_bytes()
        damage = (_truncate, _zero, _flip)[number % 3]
        damage(newest_path, chance)
        if newest_path.read_bytes() == kept:  # 4096 zeros where there were zeros
            survived += newest(folder) == sound[-1]
            continue
        if chance.random() < 0.5:
            sum_file(newest_path).unlink()
        survived += newest(folder) == sound[-2]
        newest_path.write_bytes(kept)
        sum_file(newest_path).write_bytes(kept_sum)
    assert survived == times
    _flip(paths[-1], chance)
    run = assert_goes_on(subject, folder)
    assert f"--resume passes over {paths[-1]}: SHA-256" in " ".join(run.output().split())
    return Outcome(
        "checkpoints truncated, zeroed, a bit flipped",
        "--resume takes the newest that is sound and says which it passed over",
        "each damage found, with its sum and without; resumed from the one before", times, survived,
        sound[-1] - sound[-2],
    )  # fmt: skip


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A tmpfs at a folder."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextlib.contextmanager
def made_read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be opened for writing any more, whatever is open in it."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Leaves no room on a disk."""
    path = disk / "filler"
    # Unbuffered: what a buffer could not write it would try to write once more when the file is closed.
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(2**16)):
            pass
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1)):
            pass
    return path


@scenario
def full_disk(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """A disk that fills up during the training, and has room again before its end."""
    with small_disk(subject.folder / "full", 400) as disk:
        run = subject.start("full", PAUSE=0.05)
        run.wait_for_iteration(INTERVAL + 1)
        kept = newest(disk)
        filler = fill(disk)
        run.wait_until(lambda: "No space left on device" in run.output())
        while_full = newest(disk)
        done = max(logged(disk))
        run.wait_until(lambda: run.output().count("Training goes on without it") >= 2)
        filler.unlink()
        status = run.wait()
        assert kept <= while_full
        assert status == 0, run.output()[-3000:]
        differences = largest_differences(straight(subject), disk)
        assert set(differences.values()) == {0.0}
        told = run.output().count("Training goes on without it")
    with small_disk(subject.folder / "full2", 400) as disk:
        run = subject.start("full2", PAUSE=0.05)
        run.wait_for_iteration(INTERVAL + 1)
        fill(disk)
        run.wait_until(lambda: "No space left on device" in run.output())
        kept = newest(disk)
        status = run.wait()
        assert kept >= INTERVAL
        assert (status, newest(disk)) == (2, kept), run.output()[-3000:]
        assert "No space left on device" in run.message()
        (disk / "filler").unlink()
        run = subject.train("full2", "--resume")
        assert run.process.returncode == 0
        assert set(largest_differences(straight(subject), disk).values()) == {0.0}
    return Outcome(
        "full disk", "told; training goes on; what stood stands; an error only at the end",
        f"told {told} times while full (from iteration {done} on); with room again the end is the same; without, one "
        "line and exit status 2, and a resumed run ends the same", 2, 2,
    )  # fmt: skip


@scenario
def unreadable_image(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """An image that can no longer be decoded, in the middle of an epoch."""
    straight(subject)
    run = subject.start("image", PAUSE=0.05)
    run.wait_for_iteration(INTERVAL + 1)
    images = sorted((subject.data / "train").iterdir())
    kept = {path: path.read_bytes() for path in images}
    for path in images:
        path.write_bytes(b"no image")
    status = run.wait()
    for path, data in kept.items():
        path.write_bytes(data)
    assert status == 2, run.output()[-3000:]
    assert str(subject.data / "train") in run.message()
    done, stands = max(logged(run.work_dir)), newest(run.work_dir)
    assert_goes_on(subject, run.work_dir)
    return Outcome("images unreadable in an epoch", "one line that names the image; the checkpoint stands",
                   f"'{run.message()[:90]}...'; resumed, the end is the same", repeated=done - stands)  # fmt: skip


@scenario
def killed_worker(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """A process that loads data is killed."""
    workers = ["--cfg-options", "train_dataloader.num_workers=2", "train_dataloader.persistent_workers=True"]
    run = subject.start("worker", *workers, PAUSE=0.05)
    run.wait_for_iteration(INTERVAL + 1)
    children = psutil.Process(run.process.pid).children()
    chance.choice([child for child in children if "hrnet_plugin" in " ".join(child.cmdline())]).kill()
    status = run.wait()
    assert status == 2, run.output()[-3000:]
    assert "worker" in run.message()
    done, stands = max(logged(run.work_dir)), newest(run.work_dir)
    assert_goes_on(subject, run.work_dir)
    return Outcome("a loader's process killed", "one line; the checkpoint stands",
                   f"'{run.message()[:90]}...'; resumed, the end is the same", repeated=done - stands)  # fmt: skip


@scenario
def loss_not_finite(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """A target that is not a number."""
    run = subject.train("nan", "--health", FAULT=f"nan@{INTERVAL + 2}")
    assert run.process.returncode == 2, run.output()[-3000:]
    assert "not finite" in run.message()
    stands, done = newest(run.work_dir), max(logged(run.work_dir))
    assert (run.work_dir / f"health/iter_{INTERVAL + 2}/report.txt").exists()
    assert_goes_on(subject, run.work_dir)
    return Outcome("a loss that is not finite", "caught before the weights, named, stopped; the checkpoint stands",
                   f"'{run.message()[:90]}...'; resumed, the end is the same", repeated=done - stands)  # fmt: skip


@scenario
def preempted(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """SIGTERM and SIGUSR1, to one process and to torchrun."""
    worst = 0
    for number, (name, sent) in enumerate(
        [("term", signal.SIGTERM), ("usr1", signal.SIGUSR1), ("term2", signal.SIGTERM), ("usr2", signal.SIGUSR1)]
    ):
        run = subject.start(name, PAUSE=0.05, processes=2 if number > 1 else 0)
        run.wait_for_iteration(chance.randint(2, 8))
        time.sleep(chance.uniform(0, 0.05))
        run.process.send_signal(sent)
        assert run.wait(60) == 75, run.output()[-3000:]
        worst = max(worst, max(logged(run.work_dir)) - newest(run.work_dir))
        if number < 2:
            assert_goes_on(subject, run.work_dir)
    worst = max(worst, *(_preempted_with_workers(subject, processes) for processes in (0, 2)))
    assert worst == 0
    return Outcome(
        "SIGTERM, SIGUSR1", "a checkpoint at the next step, exit status 75",
        "to a process, to its group with processes that load data, to torchrun, which passes it on to whole groups; "
        "resumed, the end is the same", 6, 6, worst,
    )  # fmt: skip


def _preempted_with_workers(subject: Subject, processes: int) -> int:
    """SIGTERM to all processes of a group, among them those that load data; returns iterations that were lost."""
    name = f"workers{processes}"
    loading = [f"train_dataloader.{key}" for key in ("num_workers=2", "persistent_workers=True")]
    run = subject.start(name, "--cfg-options", *loading, PAUSE=0.05, processes=processes)
    run.wait_for_iteration(4)
    if processes:
        run.process.send_signal(signal.SIGTERM)
    else:
        os.killpg(run.process.pid, signal.SIGTERM)
    assert run.wait(60) == 75, run.output()[-3000:]
    lost = max(logged(run.work_dir)) - newest(run.work_dir)
    run = subject.train(name, "--resume", "--cfg-options", *loading, processes=processes)
    assert run.process.returncode == 0, run.output()[-3000:]
    whole = straight_in_two(subject) if processes else straight(subject)
    assert set(largest_differences(whole, run.work_dir).values()) == {0.0}
    return lost


@scenario
def lost_rank(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """One of two processes dies."""
    run = subject.start("rank", processes=2, PAUSE=0.05, FAULT=f"die@{INTERVAL + 2}")
    run.wait_for_iteration(INTERVAL + 1)
    began = time.monotonic()
    status = run.wait(120)
    took = time.monotonic() - began
    assert status == 137, run.output()[-3000:]
    assert took < 60
    assert run.message() == "hrnet: rank 1 was ended by SIGKILL, and the others with it"
    assert newest(run.work_dir) == INTERVAL
    run = subject.train("rank", "--resume", processes=2)
    assert run.process.returncode == 0, run.output()[-3000:]
    return Outcome(
        "a rank is lost", "the job is down within a minute, with one message; the checkpoint stands",
        f"down after {took:.0f} s: 'rank 1 was ended by SIGKILL, and the others with it'", repeated=1,
    )  # fmt: skip


@scenario
def elastic_restart(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """One of two processes dies, and torchrun starts both anew."""
    whole = straight_in_two(subject)
    run = subject.train("elastic", processes=2, MAX_RESTARTS=1, FAULT=f"die@{2 * INTERVAL + 2}")
    assert run.process.returncode == 0, run.output()[-3000:]
    assert logged(run.work_dir) == logged(whole)
    differences = largest_differences(whole, run.work_dir)
    assert set(differences.values()) == {0.0}, differences
    return Outcome(
        "a rank is lost, with MAX_RESTARTS=1", "started anew, from the newest checkpoint",
        "the end is that of two processes that nothing happened to, to the last bit", repeated=1,
    )  # fmt: skip


@scenario
def lost_launcher(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """torchrun itself is killed; what it has started is not."""
    whole = straight_in_two(subject)
    run = subject.start("launcher", processes=2, PAUSE=0.05)
    run.wait_for_iteration(INTERVAL + 1)
    launcher, *ranks = run.processes()
    launcher.kill()
    began = time.monotonic()
    assert not psutil.wait_procs(ranks, 60)[1]
    took = time.monotonic() - began
    done, stands = max(logged(run.work_dir)), newest(run.work_dir)
    run = subject.train("launcher", "--resume", processes=2)
    assert run.process.returncode == 0, run.output()[-3000:]
    assert set(largest_differences(whole, run.work_dir).values()) == {0.0}
    return Outcome("torchrun is killed", "what it has started saves and ends",
                   f"all gone after {took:.0f} s; resumed, the end is the same", repeated=done - stands)  # fmt: skip


@scenario
def long_evaluation(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """An evaluation on the first process that takes far longer than silence is suffered."""
    options = ["--cfg-options", "env_cfg.dist_cfg.timeout=10"]
    run = subject.train("evaluation", *options, processes=2, SLOW_EVALUATION=25)
    assert run.process.returncode == 0, run.output()[-3000:]
    return Outcome("an evaluation of 25 s where silence is suffered for 10 s", "the others wait for it",
                   "three times in a training; it ended as it should")  # fmt: skip


@scenario
def two_jobs(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """Two trainings of two processes each, started at once on one machine."""
    runs = [subject.start(name, processes=2) for name in ("one", "other")]
    assert [run.wait() for run in runs] == [0, 0], runs[0].output()[-2000:] + runs[1].output()[-2000:]
    assert logged(runs[0].work_dir) == logged(runs[1].work_dir)
    return Outcome("two jobs at once on one machine", "each finds a port of its own", "both ended, alike", 2, 2)


@scenario
def no_network(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """No network at all, not even to the machine itself."""
    run = subject.train("alone", before=["unshare", "--net"])
    assert run.process.returncode == 0, run.output()[-3000:]
    assert_equal(subject, run.work_dir)
    return Outcome("no network", "a training needs none", "the end is the same")


@scenario
def read_only(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """A work dir that cannot be written, from the beginning and from some moment on."""
    with small_disk(subject.folder / "ro", 400) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        run = subject.train("ro")
        assert run.process.returncode == 2, run.output()[-3000:]
        first = run.message()
        assert "ro" in first
        assert "Traceback" not in run.output()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        run = subject.start("ro", PAUSE=0.05)
        run.wait_for_iteration(INTERVAL + 1)
        with made_read_only(disk):
            stands = newest(disk)
            assert run.wait() == 2, run.output()[-3000:]
            assert newest(disk) == stands >= INTERVAL
        done, later = max(logged(disk)), run.message()
        assert "Read-only file system" in later
        assert_goes_on(subject, disk)
    return Outcome(
        "a work dir that is read-only, or becomes so", "one line before anything is built; what stands is kept",
        f"'{first[:90]}...'; later '{later[:90]}...'; resumed, the end is the same", 2, 2, done - stands,
    )  # fmt: skip


@contextlib.contextmanager
def two_nodes() -> Iterator[list[tuple[str, str, str]]]:
    """Two network namespaces with a link between them: name, address and interface of each."""
    tag = f"hr{os.getpid() % 10000}"
    nodes = [(f"{tag}{letter}", f"10.77.0.{number}", f"v{tag}{letter}") for number, letter in ((1, "a"), (2, "b"))]

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    try:
        for name, _, _ in nodes:
            ip("netns", "add", name)
        ip("link", "add", nodes[0][2], "type", "veth", "peer", "name", nodes[1][2])
        for name, address, link in nodes:
            ip("link", "set", link, "netns", name)
            ip("-n", name, "addr", "add", f"{address}/24", "dev", link)
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", link, "up")
        yield nodes
    finally:
        for name, _, _ in nodes:
            subprocess.run(["ip", "netns", "del", name], check=False)


def _start_on(
    subject: Subject, nodes: list[tuple[str, str, str]], name: str | tuple[str, str], *flags: str, **variables: object
) -> list[Run]:
    """One process on each node, in one work dir or each in its own."""
    runs = []
    for rank, (node, _, link) in enumerate(nodes):
        work_dir = name if isinstance(name, str) else name[rank]
        where = {
            "MASTER_ADDR": nodes[0][1], "NNODES": 2, "NODE_RANK": rank, "PORT": 29500, "GLOO_SOCKET_IFNAME": link,
            "TP_SOCKET_IFNAME": link,
        }  # fmt: skip
        before = ["ip", "netns", "exec", node]
        runs.append(subject.start(work_dir, *flags, processes=1, before=before, **{**where, **variables}))
    return runs


@scenario
def two_machines(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """Two machines, a process on each, as two processes on one."""
    whole = straight_in_two(subject)
    with two_nodes() as nodes:
        runs = _start_on(subject, nodes, "nodes")
        assert [run.wait() for run in runs] == [0, 0], runs[0].output()[-3000:] + runs[1].output()[-3000:]
    assert logged(runs[0].work_dir) == logged(whole)
    assert set(largest_differences(whole, runs[0].work_dir).values()) == {0.0}
    return Outcome("two machines (network namespaces)", "the training of two processes on one",
                   "the same to the last bit")  # fmt: skip


@scenario
def no_common_disk(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """Two machines whose work dirs are not on one disk: only the first has checkpoints."""
    whole = straight_in_two(subject)
    names = ("first_disk", "second_disk")
    with two_nodes() as nodes:
        runs = _start_on(subject, nodes, names, PAUSE=0.05)
        runs[0].wait_for_iteration(INTERVAL + 1)
        for run in runs:
            run.kill()
    first, second = (run.work_dir for run in runs)
    stands, done = newest(first), max(logged(first))
    assert newest(second) == 0 < stands
    with two_nodes() as nodes:  # as a scheduler starts a job anew
        runs = _start_on(subject, nodes, names, SLURM_RESTART_COUNT=1)
        assert all(run.wait() for run in runs)
        outputs = [" ".join(run.output().split()) for run in runs]
    told = next(text.partition("hrnet: error: ")[2] for text in outputs if "the processes do not begin" in text)
    assert newest(first) == stands
    for path in first.glob("*.pth*"):
        shutil.copy(path, second)
    with two_nodes() as nodes:
        runs = _start_on(subject, nodes, names, SLURM_RESTART_COUNT=1)
        assert [run.wait() for run in runs] == [0, 0], runs[0].output()[-3000:]
    assert set(largest_differences(whole, first).values()) == {0.0}
    return Outcome(
        "two machines without a common disk", "they evaluate; a restart that finds one checkpoint of two is refused",
        f"'{told[:90]}...'; with a copy of the checkpoint the end is the same to the bit", repeated=done - stands,
    )  # fmt: skip


def _cut(
    subject: Subject,
    times: int,
    fault: str,
    name: str,
    is_time: Callable[[Run], object],
    *flags: str,
    **variables: object,
) -> Outcome:
    """The link is cut at some time. `times` over 5 takes the silence that is suffered by default."""
    most, limit = (120, SILENCE) if times > 5 else (65, 20)
    if times <= 5:
        flags = (*(flags or ["--cfg-options"]), f"env_cfg.dist_cfg.timeout={limit}")
    with two_nodes() as nodes:
        runs = _start_on(subject, nodes, name, *flags, **variables)
        assert is_time(runs[0])
        subprocess.run(["ip", "-n", nodes[0][0], "link", "set", nodes[0][2], "down"], check=True)
        began = time.monotonic()
        statuses = [run.wait(limit + 90) for run in runs]
        took = time.monotonic() - began
    assert all(statuses), statuses
    assert any("cannot be reached" in run.output() for run in runs), [run.message() for run in runs]
    assert took < most, took
    stands, done = newest(runs[0].work_dir), max(logged(runs[0].work_dir))
    assert done - stands <= INTERVAL
    with two_nodes() as nodes:
        runs = _start_on(subject, nodes, name, "--resume")
        assert [run.wait() for run in runs] == [0, 0], runs[0].output()[-3000:]
    return Outcome(
        fault, f"down within {most} s, one line; the checkpoint stands",
        f"both down after {took:.0f} s; resumed to the end", repeated=done - stands,
    )  # fmt: skip


@scenario
def cut_link(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """The link between two machines is cut."""
    return _cut(
        subject, times, "the link between two machines is cut", "cut",
        lambda run: run.wait_for_iteration(INTERVAL + 1), PAUSE=0.05,
    )  # fmt: skip


@scenario
def cut_in_validation(subject: Subject, chance: random.Random, times: int) -> Outcome:
    """The link is cut while both machines validate, and exchange nothing but whether to go on."""
    return _cut(
        subject, times, "the link is cut during a validation", "cut_validation",
        lambda run: run.wait_until(lambda: "Epoch(val) [1][" in run.output(), every=0.02),
        "--cfg-options", "val_dataloader.batch_size=1", SLOW_VALIDATION=2,
    )  # fmt: skip
