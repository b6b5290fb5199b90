"""Two processes over gloo: what the second meets, both undo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("two_ranks.py")
CASES = {
    "image": {"fault": "image"},
    "image-sync-bn": {"fault": "image", "norm": "SyncBN"},
    "root-sync-bn": {"fault": "root", "norm": "SyncBN"},
    # The third batch is the first of an update, whose gradients stay on their rank.
    "root-accumulated": {"fault": "root", "wrapper": {"accumulative_counts": 2}},
    # Here it is the last, which brings all gradients together.
    "root-accumulated-3": {"fault": "root", "wrapper": {"accumulative_counts": 3}},
    "image-accumulated-3": {"fault": "image", "wrapper": {"accumulative_counts": 3}},
    "stopped": {"fault": "loss", "on_fault": "stop"},
}
SKIPPED = [name for name in CASES if name != "stopped"]
FIRST, SECOND = (["/images/8.jpg", "/images/9.jpg"], ["/images/10.jpg", "/images/11.jpg"])


@pytest.fixture(scope="module")
def ranks(project_root, tmp_path_factory):
    """What each rank found, by the case's name."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), json.dumps(CASES)],
        cwd=tmp_path_factory.mktemp("ranks"),
        env={**os.environ, "PYTHONPATH": str(project_root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("case", SKIPPED)
@pytest.mark.parametrize("rank", [0, 1])
def test_both_skip_as_if_it_had_not_been_there(ranks, rank, case):
    found = ranks[rank][case]
    assert found["error"] == ""
    assert found["losses"] == [True, True, False, True, True]
    assert found["changed"] == []
    assert found["between_ranks"] == []
    assert found["to_never_seen"] == []


@pytest.mark.parametrize("case", CASES)
def test_the_guilty_rank_is_named(ranks, case):
    told = ranks[0][case]["report"]
    assert told["guilty_ranks"] == [1]
    assert told["first_not_finite"].endswith("on rank 1")
    assert told["images"] == (SECOND if case == "stopped" else SECOND[1:])
    assert [rank["images"] for rank in told["ranks"]] == [FIRST, SECOND]
    assert ranks[0][case]["batches"] == [FIRST, SECOND]


def test_both_stop_as_they_were(ranks):
    for rank in (0, 1):
        found = ranks[rank]["stopped"]
        assert found["error"].startswith("training, iteration 3: found a loss that is not finite; first not finite: ")
        assert "head.loss_module" in found["error"]
        assert found["stopped_as_before"] == []
