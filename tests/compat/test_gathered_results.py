"""Results of an evaluation come together in the order of upstream, without a folder, however late a process is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

#: One of several processes, each in a folder of its own, as on machines without a common disk.
PROCESS = """
import json, sys, time
from datetime import timedelta
import torch.distributed as dist

rank, world = int(sys.argv[1]), int(sys.argv[2])
where = dict(init_method=f"file://{sys.argv[3]}", rank=rank, world_size=world)
dist.init_process_group("gloo", timeout=timedelta(seconds=float(sys.argv[4])), **where)
if sys.argv[5] == "fixed":
    import hrnet_plugin
from mmengine.dist import collect_results

if rank == 1:
    time.sleep(float(sys.argv[6]))
found = []
# As many as all have, of whom the last have one less; one alone; none; more than one message.
for count in (7, 1, 0, 200):
    part = [[rank, number, "x" * number] for number in range(rank, count, world)]
    found.append([collect_results(part, count, *how) for how in (("cpu",), ("gpu",), ("cpu", sys.argv[7]))])
print(json.dumps(found))
"""


def start(folder: Path, world: int, *, how: str, silence: float = 60, late: float = 0) -> list[subprocess.Popen]:
    """The processes, each of which prints what it has collected."""
    started = []
    for rank in range(world):
        home = folder / str(rank)
        home.mkdir()
        arguments = [rank, world, folder / "store", silence, how, late, folder / "common"]
        started.append(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", PROCESS, *map(str, arguments)],
                cwd=home,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return started


def test_what_breaks(tmp_path):
    """Upstream writes into a folder that is not there on the second machine."""
    first, second = start(tmp_path, 2, how="plain")
    assert "FileNotFoundError: [Errno 2] No such file or directory: '.dist_test/" in second.communicate(timeout=60)[1]
    first.kill()
    first.communicate()


def test_the_same_results_in_the_same_order(tmp_path):
    world = 3
    # The second comes later than silence is suffered.
    processes = start(tmp_path, world, how="fixed", silence=2, late=5)
    told = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * world, told
    first, *others = [json.loads(out) for out, _ in told]
    assert [[len(found) for found in ways] for ways in first] == [[7] * 3, [1] * 3, [0] * 3, [200] * 3]
    for message, device, folder in first:
        assert message == device == folder
        assert [number for _, number, _ in message] == list(range(len(message)))
    assert all(found is None for ways in (one for other in others for one in other) for found in ways)
    assert [list((tmp_path / str(rank)).iterdir()) for rank in range(world)] == [[]] * world
