"""Whole batches of heatmaps against mmpose's codecs, which decode sample by sample."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.codecs import MSRAHeatmap, UDPHeatmap

from hrnet_plugin.decoding import HeatmapDecoding, decode_heatmaps
from hrnet_plugin.errors import ConfigError

#: (width, height) of maps and input, sigma, blur kernel: those of released networks and of the quickstart.
SIZES = {
    "256x192": ((48, 64), (192, 256), 2, 11),
    "384x288": ((72, 96), (288, 384), 3, 17),
    "128x96": ((24, 32), (96, 128), 1, 5),
}
PIXELS = 1e-4


def codec_of(method: str, size: str):
    cells, pixels, sigma, kernel = SIZES[size]
    if method == "udp":
        return UDPHeatmap(pixels, cells, sigma=sigma, blur_kernel_size=kernel)
    return MSRAHeatmap(pixels, cells, sigma=sigma, unbiased=method == "dark", blur_kernel_size=kernel)


def theirs(method: str, size: str, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    codec = codec_of(method, size)
    with np.errstate(all="ignore"):  # theirs divides by maxima of zero
        decoded = [codec.decode(one) for one in maps]
    return np.concatenate([pair[0] for pair in decoded]), np.concatenate([pair[1] for pair in decoded])


def ours(method: str, size: str, maps: np.ndarray | torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    _, pixels, _, kernel = SIZES[size]
    return decode_heatmaps(maps, HeatmapDecoding(method, pixels, kernel))


def people(size: str, *, seed: int, batch: int = 6, joints: int = 17, noise: float = 0.0, faint: bool = False):
    """Gaussians of all heights, some with their centre outside the map."""
    (width, height), _, sigma, _ = SIZES[size]
    random = np.random.default_rng(seed)
    centre = random.uniform(-0.55, 0.55, (batch, joints, 2, 1, 1)) * np.array([width, height])[:, None, None]
    centre += np.array([width / 2, height / 2])[:, None, None]
    rows, columns = np.mgrid[:height, :width]
    square = (columns - centre[:, :, 0]) ** 2 + (rows - centre[:, :, 1]) ** 2
    lowest, highest = (5e-4, 1e-2) if faint else (0.02, 1.0)
    maps = np.exp(-square / (2 * sigma**2)) * random.uniform(lowest, highest, (batch, joints, 1, 1))
    return (maps + noise * random.standard_normal(maps.shape)).astype(np.float32)


def assert_equal(method: str, size: str, maps: np.ndarray) -> None:
    expected, scores = theirs(method, size, maps)
    found, values = ours(method, size, maps)
    assert found.shape == expected.shape == (*maps.shape[:2], 2)
    np.testing.assert_array_equal(values, scores)
    # Where the curvature is next to none, a step goes thousands of images far: there float32 itself is coarser.
    np.testing.assert_allclose(found, expected, rtol=np.finfo(np.float32).eps, atol=PIXELS)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("method", ["plain", "dark", "udp"])
@pytest.mark.parametrize(
    "kind", [{}, {"noise": 0.002}, {"faint": True, "noise": 3e-4}], ids=["clean", "noisy", "faint"]
)
def test_equal_to_mmpose(method, size, kind):
    assert_equal(method, size, people(size, seed=1, **kind))


@pytest.mark.parametrize("method", ["plain", "dark", "udp"])
def test_maps_of_noise_and_without_a_positive_value(method):
    random = np.random.default_rng(2)
    noise = random.standard_normal((3, 17, 32, 24)).astype(np.float32)
    assert_equal(method, "128x96", noise)
    noise[0, 3] = -np.abs(noise[0, 3])
    noise[1, 0] = -np.abs(noise[1, 0])
    noise[2, 16] = -1.0
    assert_equal(method, "128x96", noise)
    assert (ours(method, "128x96", noise)[1][0, 3]) <= 0


@pytest.mark.parametrize("method", ["plain", "dark", "udp"])
@settings(max_examples=30, deadline=None)
@given(
    row=st.integers(0, 31),
    column=st.integers(0, 23),
    high=st.floats(1e-4, 80.0),
    base=st.sampled_from([0.0, 1e-6, 1e-3, 0.1]),
    second=st.tuples(st.integers(0, 31), st.integers(0, 23)),
)
def test_single_cells_anywhere_ties_and_plateaus(method, row, column, high, base, second):
    maps = np.full((1, 2, 32, 24), base, np.float32)
    maps[0, 0, row, column] = maps[0, 0, second[0], second[1]] = high
    maps[0, 1, row : row + 2, column : column + 2] = high
    assert_equal(method, "128x96", maps)


@pytest.mark.parametrize("method", ["plain", "dark", "udp"])
def test_tensors_of_any_precision_are_read_and_left_alone(method):
    maps = torch.from_numpy(people("128x96", seed=3, batch=2))
    before = maps.clone()
    from_tensor = ours(method, "128x96", maps)
    assert torch.equal(maps, before)
    np.testing.assert_array_equal(from_tensor[0], ours(method, "128x96", maps.numpy())[0])
    halved = maps.bfloat16()
    np.testing.assert_array_equal(ours(method, "128x96", halved)[0], ours(method, "128x96", halved.float().numpy())[0])


def test_an_empty_batch_gives_an_empty_result():
    keypoints, scores = ours("dark", "128x96", np.zeros((0, 17, 32, 24), np.float32))
    assert keypoints.shape == (0, 17, 2)
    assert scores.shape == (0, 17)


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (lambda: HeatmapDecoding("drak", (96, 128)), "drak"),
        (lambda: HeatmapDecoding("dark", (96, 128), 4), "odd"),
        (lambda: decode_heatmaps(np.zeros((17, 32, 24)), HeatmapDecoding("plain", (96, 128))), "(N, K, H, W)"),
    ],
)
def test_wrong_choices_are_one_line(made, word):
    with pytest.raises(ConfigError, match=word.replace("(", r"\(").replace(")", r"\)")) as caught:
        made()
    assert "\n" not in str(caught.value)
