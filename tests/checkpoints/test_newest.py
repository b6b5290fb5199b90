"""The newest checkpoint that is what was written, and what is wrong with the others."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
import torch

from hrnet_plugin.checkpoints.atomic import serialise
from hrnet_plugin.checkpoints.newest import NUMBER, Newest, find_newest
from hrnet_plugin.checkpoints.sums import fault_of, sum_file, write_with_sum


def save(
    folder: Path, name: str, iteration: int, *, number: object = None, optimizer: bool = True, summed: bool = True
) -> Path:
    meta = {"iter": iteration, "epoch": 1} | ({} if number is None else {NUMBER: number})
    content = {"meta": meta, "state_dict": {"weight": torch.arange(5000.0)}}
    content |= {"optimizer": {"state": {}}, "message_hub": {}} if optimizer else {}
    path = folder / name
    write_with_sum(serialise(content), path)
    if not summed:
        sum_file(path).unlink()
    return path


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1  # in the numbers of the weight
    path.write_bytes(data)


DAMAGES = (truncate, halve, zero, empty, flip)


def test_sums_are_those_of_sha256sum(tmp_path):
    path = save(tmp_path, "epoch_1.pth", 5)
    assert sum_file(path).read_text() == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  epoch_1.pth\n"
    subprocess.run(["sha256sum", "--check", "--status", "epoch_1.pth.sha256"], cwd=tmp_path, check=True)


@pytest.mark.parametrize("summed", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damages_are_found_with_and_without_a_sum(tmp_path, damage, summed):
    path = save(tmp_path, "epoch_1.pth", 5, summed=summed)
    assert fault_of(path) == ""
    damage(path)
    fault = fault_of(path)
    assert fault
    assert "\n" not in fault
    if summed:
        assert "epoch_1.pth.sha256 says" in fault


def test_a_sum_that_is_none_is_passed_over(tmp_path):
    path = save(tmp_path, "epoch_1.pth", 5)
    sum_file(path).write_bytes(b"\xff\xfe nothing")
    assert fault_of(path) == ""
    flip(path)
    assert fault_of(path)


def test_a_missing_file_has_a_fault(tmp_path):
    assert fault_of(tmp_path / "epoch_1.pth")


def test_the_number_of_the_saving_counts_and_not_the_iterations(tmp_path):
    upstream = save(tmp_path, "epoch_9.pth", 900)
    first = save(tmp_path, "epoch_2.pth", 80, number=1)
    last = save(tmp_path, "epoch_3.pth", 60, number=2)
    assert find_newest([upstream, first, last]).path == last
    assert find_newest([upstream, first]).path == first
    for strange in ("9", -9, 9.0, True, [9]):
        assert find_newest([first, save(tmp_path, "epoch_4.pth", 99, number=strange)]).path == first


def test_other_programs_checkpoints_are_passed_over_in_silence(tmp_path):
    last = save(tmp_path, "epoch_2.pth", 20)
    old = tmp_path / "old.pth"  # of mmcv 1
    old.write_bytes(serialise({"meta": {"iter": 99999, "epoch": 210}, "state_dict": {}, "optimizer": {}}))
    assert find_newest([old, last]) == Newest(last, ())


def test_without_numbers_the_most_iterations_count_and_not_the_name_or_the_time(tmp_path):
    paths = [save(tmp_path, "epoch_9.pth", 90), save(tmp_path, "epoch_10.pth", 100), save(tmp_path, "iter_95.pth", 95)]
    for age, path in enumerate(reversed(paths)):
        os.utime(path, (1000 + age, 1000 + age))
    assert find_newest(paths).path == paths[1]
    assert find_newest(paths).skipped == ()


@pytest.mark.parametrize("summed", [True, False])
@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_that_is_sound(tmp_path, damage, summed):
    paths = [save(tmp_path, f"epoch_{epoch}.pth", epoch * 10, summed=summed) for epoch in (1, 2, 3)]
    damage(paths[2])
    newest = find_newest(paths)
    assert newest.path == paths[1]
    ((path, fault),) = newest.skipped
    assert path == paths[2]
    assert fault
    before = [path.read_bytes() for path in paths]
    damage(paths[1])
    damage(paths[0])
    newest = find_newest(paths)
    assert newest.path is None
    assert {path for path, _ in newest.skipped} == set(paths)
    assert [path.exists() for path in paths] == [True] * len(before)  # nothing is removed


def test_weights_alone_are_passed_over_in_silence(tmp_path):
    best = save(tmp_path, "best_AP_epoch_3.pth", 30, optimizer=False)
    last = save(tmp_path, "epoch_2.pth", 20)
    (tmp_path / "weights.pth").write_bytes(serialise({"weight": torch.zeros(3)}))
    newest = find_newest([best, last, tmp_path / "weights.pth"])
    assert newest.path == last
    assert newest.skipped == ()


def test_a_checkpoint_that_asks_to_run_code_is_not_read(tmp_path):
    class Runs:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"meta": {"iter": 99}, "optimizer": Runs()}, tmp_path / "epoch_9.pth")
    last = save(tmp_path, "epoch_2.pth", 20)
    newest = find_newest([tmp_path / "epoch_9.pth", last])
    assert newest.path == last
    assert "mkdir" in newest.skipped[0][1]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("moment", ["sum removed", "file written", "done"])
def test_a_kill_while_one_is_written_anew_leaves_one_that_is_sound(tmp_path, monkeypatch, moment):
    path = save(tmp_path, "epoch_1.pth", 5)
    before = path.read_bytes()

    class Killed(BaseException):
        pass

    real, seen = os.replace, []

    def replace(source, target):
        if moment == "sum removed":
            raise Killed
        real(source, target)
        seen.append(target)
        if moment == "file written":
            raise Killed

    monkeypatch.setattr(os, "replace", replace)
    try:
        save(tmp_path, "epoch_1.pth", 6)
    except Killed:
        assert moment != "done"
    assert fault_of(path) == ""
    assert (path.read_bytes() == before) == (moment == "sum removed")
