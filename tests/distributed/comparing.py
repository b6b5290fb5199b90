"""What two processes found, against one process that had the whole batch."""

from __future__ import annotations

import pytest
import torch


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference as a share of the largest value."""
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).abs().max() / expected.double().abs().max())


def whole_batch(ranks: list[dict]) -> torch.Tensor:
    """The head's outputs in the order of one process: the samplers deal out samples in turns."""
    return torch.stack([rank["outputs"] for rank in ranks], 1).flatten(0, 1)


def check_first_step(ranks: list[dict], expected: dict, limit: float) -> None:
    """Outputs, loss, gradients and running statistics are those of the whole batch."""
    assert whole_batch(ranks).shape[0] == 16
    assert relative(whole_batch(ranks), expected["outputs"]) <= limit
    assert ranks[0]["losses"][0] != ranks[1]["losses"][0]  # mmengine logs the loss of each process's own samples
    assert sum(rank["losses"][0] for rank in ranks) / 2 == pytest.approx(expected["losses"][0], rel=limit)
    for rank in ranks:
        assert list(rank["gradients"]) == list(expected["gradients"])
        ours, theirs = (
            torch.cat([gradients[name].flatten() for name in expected["gradients"]]).double()
            for gradients in (rank["gradients"], expected["gradients"])
        )
        assert float((ours - theirs).norm() / theirs.norm()) <= limit
        running = [name for name in expected["buffers"] if "running_" in name]
        assert len(running) > 20
        assert max(relative(rank["buffers"][name], expected["buffers"][name]) for name in running) <= limit


def check_end(ranks: list[dict], expected: dict, limit: float = 1e-8) -> None:
    """Losses all the way, and weights and running statistics at the end; both processes hold the same bits."""
    means = [sum(losses) / 2 for losses in zip(*(rank["losses"] for rank in ranks), strict=True)]
    assert len(means) == 20
    assert means == pytest.approx(expected["losses"], rel=limit)
    assert means[-1] < 0.9 * means[0]
    first, second = (rank["state"] for rank in ranks)
    assert list(first) == list(expected["state"])
    assert sum("running_" in name for name in first) > 20
    for name, value in expected["state"].items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(first[name].double(), value.double(), rtol=limit, atol=limit), name
