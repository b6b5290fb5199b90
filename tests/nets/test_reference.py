"""Outputs of three presets against stored ones, so that a change of numerics shows without any framework.

Weights and image come from whole-number arithmetic, not from a random generator: they are the same on every machine and
with every torch. The stored values were worked out in float64.

Run as a script (`python tests/nets/test_reference.py`), this file writes `reference/*.json` anew. That is right only
after a change that is meant to alter the outputs, with `tests/models/test_parity.py` passing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from hrnet_plugin.archs import ZOO
from hrnet_plugin.nets import HRNet

FOLDER = Path(__file__).parent / "reference"
#: Presets, with what each adds to the description: between them both ways of upsampling, one output and several.
CASES = {
    "w18_small_v2": {"upsample_mode": "bilinear"},
    "w18": {},
    "w32": {"multiscale_output": False},
}
HEIGHT, WIDTH = 64, 96
SAMPLES, DIGITS = 24, 12
#: Of an output's largest value. Other processors and libraries add in other orders. In float64 that changes the last
#: of 16 digits and stays below what is lost by storing 12 of them (2e-12). In float32, other memory formats, libraries
#: and numbers of threads were seen to differ by up to 6e-7. Doubling the epsilon of one norm changes 1e-6, another
#: epsilon throughout (1e-3) 1e-2, aligned corners 8e-2.
TOLERANCE = {torch.float64: 1e-11, torch.float32: 5e-6}


def spread(start: int, count: int) -> torch.Tensor:
    """`count` values of [0, 1) in float64, from a hash of the numbers from `start` on; exact in 32 bits."""
    mask = 2**32 - 1
    number = (torch.arange(start, start + count) * 2654435761) & mask
    number = ((number ^ (number >> 15)) * 2246822519) & mask
    return (number ^ (number >> 13)).double() / 2**32


def build(arch: str) -> HRNet:
    """The preset in float64 and evaluation mode; no activation vanishes or overflows."""
    with torch.device("meta"):
        net = HRNet(ZOO[arch].with_choices(**CASES[arch]))
    values, start = {}, 0
    for name, tensor in net.state_dict().items():
        value = spread(start, tensor.numel()).reshape(tensor.shape)
        start += tensor.numel()
        if tensor.ndim > 1:
            value = (value * 2 - 1) * (3 / tensor[0].numel()) ** 0.5
        elif name.endswith(("bias", "running_mean")):
            value = value * 0.4 - 0.2
        elif tensor.ndim == 1:
            value = value + 0.25
        values[name] = value if tensor.ndim else torch.zeros((), dtype=torch.int64)
    net.load_state_dict(values, strict=True, assign=True)
    return net.eval()


def run(net: HRNet, dtype: torch.dtype) -> list[torch.Tensor]:
    """All outputs, in float64 whatever they were worked out in."""
    image = spread(7, 3 * HEIGHT * WIDTH).reshape(1, 3, HEIGHT, WIDTH).mul(2).sub(1)
    with torch.no_grad():
        return [output.double() for output in net.to(dtype)(image.to(dtype))]


def describe(output: torch.Tensor) -> dict:
    """Shape, statistics and evenly spaced values."""
    flat = output.flatten()
    positions = torch.arange(SAMPLES) * (len(flat) - 1) // (SAMPLES - 1)
    return {
        "shape": list(output.shape),
        "mean": flat.mean().item(),
        "standard_deviation": flat.std().item(),
        "largest": flat.abs().max().item(),
        "values": flat[positions].tolist(),
    }


def numbers(described: dict) -> list[float]:
    """What is compared of an output, in one list."""
    return [described["mean"], described["standard_deviation"], described["largest"], *described["values"]]


def relative_difference(outputs: list[torch.Tensor], stored: list[dict]) -> float:
    """The largest difference of any stored number, in terms of its output's largest value."""
    differences = [
        abs(ours - theirs) / expected["largest"]
        for output, expected in zip(outputs, stored, strict=True)
        for ours, theirs in zip(numbers(describe(output)), numbers(expected), strict=True)
    ]
    return max(differences)


def read(arch: str) -> list[dict]:
    """The stored outputs of a preset."""
    return json.loads((FOLDER / f"{arch}.json").read_text(encoding="utf-8"))["outputs"]


@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=["float64", "float32"])
@pytest.mark.parametrize("arch", CASES)
def test_outputs_are_those_stored(arch, dtype):
    stored, outputs = read(arch), run(build(arch), dtype)
    assert [list(output.shape) for output in outputs] == [expected["shape"] for expected in stored]
    assert len(stored) == (1 if CASES[arch].get("multiscale_output") is False else 4)
    assert all(len(set(expected["values"])) > SAMPLES // 3 for expected in stored)
    assert relative_difference(outputs, stored) < TOLERANCE[dtype]


def test_one_changed_norm_is_seen():
    net = build("w18_small_v2")
    net.layer1[0].bn1.eps = 2e-5
    assert relative_difference(run(net, torch.float64), read("w18_small_v2")) > 1000 * TOLERANCE[torch.float64]


def test_the_made_up_values_are_the_same_everywhere():
    assert (spread(0, 4) * 2**32).long().tolist() == [0, 1561565218, 3573156908, 251002245]
    assert int(spread(30_000_000, 1)[0] * 2**32) == 132996306


def write() -> None:
    """Writes the stored outputs anew."""
    for arch, choices in CASES.items():
        outputs = [describe(output) for output in run(build(arch), torch.float64)]
        text = json.dumps({"arch": arch, **choices, "outputs": outputs}, indent=1)
        rounded = json.loads(text, parse_float=lambda number: float(f"{float(number):.{DIGITS}g}"))
        (FOLDER / f"{arch}.json").write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
