"""Two processes over gloo against one batch norm on the whole batch, in float64."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "sync_bn_processes.py"
CASES = json.loads((Path(__file__).parent / "sync_bn_cases.json").read_text())


@pytest.fixture(scope="module")
def differences(run_python, tmp_path_factory):
    """Largest absolute difference of each case, by quantity."""
    done = run_python(
        [str(SCRIPT), str(SCRIPT.with_name("sync_bn_cases.json"))], folder=tmp_path_factory.mktemp("group")
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_torchs_own_layer_refuses_the_cpu(unfixed, fixed):
    assert unfixed["sync_bn"]["error"].startswith("ValueError: SyncBatchNorm expected input tensor to be on GPU")
    assert fixed["sync_bn"]["error"] is None


def test_torchs_own_wrapper_refuses_the_cpu(unfixed, fixed):
    assert unfixed["wrap_sync_bn"]["error"] == "ValueError: SyncBatchNorm layers only work with GPU modules"
    keys = ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"]
    assert fixed["wrap_sync_bn"]["result"] == keys


def test_one_process_alone_is_plain_batch_norm(fixed):
    assert fixed["sync_bn"]["result"] < 1e-6


@pytest.mark.parametrize("case", CASES)
def test_two_processes_equal_one_batch_norm(differences, case):
    found = differences[case]
    assert {"output", "grad_input", "eval_output", "state"} <= set(found)
    assert found["same_on_both"] is True
    if CASES[case].get("affine", True):
        assert {"grad_weight", "grad_bias"} <= set(found)
    limit = CASES[case].get("limit", 1e-12)
    for quantity, difference in found.items():
        if quantity == "same_on_both":
            continue
        assert difference <= limit, quantity


def test_a_single_value_for_each_channel_is_refused(differences):
    assert "Expected more than 1 value per channel" in differences["one value"]["error"]


def test_ranks_stay_equal_when_a_wrapped_model_trains(differences):
    assert differences["training"]["between_ranks"] == 0.0
    assert differences["training"]["to_one_process"] < 1e-12
    assert differences["training"]["moved"] > 1e-3
