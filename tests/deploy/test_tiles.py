"""Tiles cover the image and agree with each other."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.deploy.tiles import tiled


@pytest.mark.parametrize("size", [(40, 50), (16, 16), (17, 33), (10, 40)])
def test_what_is_computed_pixel_by_pixel_is_the_same_in_tiles(size):
    images = torch.randn(2, 3, *size)
    seen = []

    def twice(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tuple(tile.shape[2:]))
        return torch.cat([tile * 2, tile[:, :1]], 1)

    assert torch.allclose(tiled(images, twice, (16, 20), (10, 13)), twice(images))
    assert set(seen[:-1]) == {(min(16, size[0]), min(20, size[1]))}


def test_overlaps_are_averaged():
    given = iter([1.0, 3.0])
    logits = tiled(torch.zeros(1, 3, 4, 6), lambda tile: torch.full((1, 1, 4, 4), next(given)), (4, 4), (4, 2))
    assert logits[0, 0, 0].tolist() == [1, 1, 2, 2, 3, 3]
