"""The first process is waited for as long as its machine answers, and no longer."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch.distributed as dist
from torch.distributed import distributed_c10d

from hrnet_plugin.compat import patient_broadcast
from hrnet_plugin.errors import LostProcess

TWO = """
import sys, time
from datetime import timedelta
import torch.distributed as dist
import hrnet_plugin
from mmengine.dist import broadcast_object_list
from hrnet_plugin.errors import LostProcess

rank = int(sys.argv[1])
where = dict(init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
dist.init_process_group("gloo", timeout=timedelta(seconds=2), **where)
if rank == 0:
    time.sleep(5)  # an evaluation longer than the timeout
data = ["from the first"] if rank == 0 else [None]
broadcast_object_list(data)
again = [2] if rank == 0 else [None]
broadcast_object_list(again)
print(data, again)
"""


def test_longer_than_the_timeout(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", TWO]
    processes = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
        for rank in (0, 1)
    ]
    assert [process.communicate(timeout=120)[0] for process in processes] == ["['from the first'] [2]\n"] * 2


class Store:
    """A store on a machine that does not answer, or that says that it is gone."""

    def __init__(self, error: Exception | None):
        self.error = error

    def clone(self):
        return self

    def check(self, keys: list[str]) -> bool:
        if self.error is not None:
            raise self.error
        time.sleep(60)
        return False

    def add(self, key: str, number: int) -> int:
        if self.error is not None:
            raise self.error
        return 1

    def set(self, key: str, value: bytes) -> None:
        if self.error is not None:
            raise self.error


@pytest.fixture
def use(monkeypatch):
    """Has the processes met by a store."""

    def use(store: Store, rank: int) -> None:
        monkeypatch.setattr(distributed_c10d, "_get_default_store", lambda: store)
        monkeypatch.setattr(dist, "get_rank", lambda: rank)
        monkeypatch.setattr(dist, "get_world_size", lambda: 2)
        monkeypatch.setattr(patient_broadcast, "_PATIENCE", 1)

    return use


@pytest.mark.parametrize("wait", [lambda: patient_broadcast.wait_for(0), patient_broadcast.meet])
def test_a_machine_that_does_not_answer(use, wait):
    use(Store(None), rank=1)
    with pytest.raises(LostProcess, match="one of them has ended, or its machine cannot be reached") as told:
        wait()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("error", [RuntimeError("Broken pipe"), dist.DistNetworkError("gone")])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_store_whose_process_has_ended(use, error, rank):
    """The processes may reach each other without it: they find out by what they do next."""
    use(Store(error), rank)
    patient_broadcast.wait_for(0)
    patient_broadcast.meet()
