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


class Silent:
    """A store on a machine that does not answer, or that refuses."""

    def __init__(self, error: Exception | None):
        self.error = error

    def clone(self):
        return self

    def check(self, keys: list[str]) -> bool:
        if self.error is not None:
            raise self.error
        time.sleep(60)
        return False


@pytest.mark.parametrize("error", [None, RuntimeError("Broken pipe"), dist.DistNetworkError("gone")])
def test_a_machine_that_is_gone(monkeypatch, error):
    monkeypatch.setattr(distributed_c10d, "_get_default_store", lambda: Silent(error))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(patient_broadcast, "_PATIENCE", 1)
    with pytest.raises(LostProcess, match="one of them has ended, or its machine cannot be reached") as told:
        patient_broadcast.wait_for(0, 3)
    assert "\n" not in str(told.value)
