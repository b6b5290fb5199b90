"""Networks of four stages in two processes, and every option of how gradients are joined, against one process."""

from __future__ import annotations

import pytest
import torch
from comparing import check_end, check_first_step, relative, whole_batch

pytestmark = pytest.mark.slow
TASKS = ("pose", "seg")
#: Options of `speed` that change a training by rounding alone, or not at all.
EXACT = {
    "view": {"gradient_view": True},
    "static": {"static_graph": True},
    "channels last": {"channels_last": True},
    "fast, view": {"gradient_view": True, "channels_last": True, "fused_optimizer": True},
    "recomputed": {"static_graph": True, "checkpoint_activations": True},
    "nested": {"static_graph": True, "gradient_view": True, "checkpoint_activations": "nested"},
    "accumulated": {"gradient_view": True, "accumulate": 2},
}


@pytest.fixture(scope="module")
def joined(run_processes) -> dict[str, list[dict]]:
    """Both processes on networks of four stages."""
    cases = {f"{task} float32": {"task": task, "steps": 2} for task in TASKS}
    cases |= {f"{task} float64": {"task": task, "double": True} for task in TASKS}
    options = {**EXACT, "bf16": {"bf16_gradients": True}}
    cases |= {name: {"task": "pose", "double": True, "speed": speed} for name, speed in options.items()}
    cases["plain norms"] = {"task": "pose", "double": True, "steps": 2, "norm": "BN"}
    return {name: found[2] for name, found in run_processes({2: cases}, timeout=900).items()}


@pytest.mark.parametrize("task", TASKS)
def test_networks_of_four_stages(task, joined, alone):
    check_first_step(joined[f"{task} float32"], alone(task, steps=2), 1e-5)
    # mmseg adds float32's epsilon to the number of pixels that it divides by: the mean of two halves is not the whole.
    check_first_step(joined[f"{task} float64"], alone(task, double=True), 1e-12 if task == "pose" else 1e-10)
    check_end(joined[f"{task} float64"], alone(task, double=True))


def test_norms_that_see_half_a_batch_are_another_training(joined, alone):
    expected = alone("pose", double=True, steps=2)
    assert relative(whole_batch(joined["plain norms"]), expected["outputs"]) > 1e-3


@pytest.mark.parametrize("name", EXACT)
def test_each_option_by_itself(name, joined, alone):
    expected = alone("pose", double=True, accumulate=EXACT[name].get("accumulate", 1))
    check_first_step(joined[name], expected, 1e-12)
    check_end(joined[name], expected)


def test_gradients_in_bf16_are_rounded_and_no_more(joined, alone):
    ranks, expected = joined["bf16"], alone("pose", double=True)
    assert relative(whole_batch(ranks), expected["outputs"]) <= 1e-12
    for name, theirs in expected["gradients"].items():
        assert torch.equal(ranks[0]["gradients"][name], ranks[1]["gradients"][name])
        # Each of two summands and their sum is rounded to 8 bits; where summands cancel, the sum is smaller than they.
        assert float((ranks[0]["gradients"][name] - theirs).norm() / theirs.norm()) < 2e-2, name
    whole, exact = (torch.cat([g[n].flatten() for n in expected["gradients"]]) for g in
                    (ranks[0]["gradients"], expected["gradients"]))  # fmt: skip
    assert 1e-4 < float((whole - exact).norm() / exact.norm()) < 4e-3
    assert ranks[0]["losses"][-1] < 0.9 * ranks[0]["losses"][0]
