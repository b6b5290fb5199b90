"""mmpose's heads decode whole batches, with the results that they had."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from mmpose.codecs import MSRAHeatmap, SimCCLabel, UDPHeatmap
from mmpose.models.heads import HeatmapHead

from hrnet_plugin.engine.batch_decoding import WholeBatchCodec, decode_whole_batches, how_to_decode

CODECS = {
    "plain": {"type": "MSRAHeatmap", "input_size": (96, 128), "heatmap_size": (24, 32), "sigma": 1},
    "dark": {"type": "MSRAHeatmap", "input_size": (96, 128), "heatmap_size": (24, 32), "sigma": 1, "unbiased": True},
    "udp": {"type": "UDPHeatmap", "input_size": (96, 128), "heatmap_size": (24, 32), "sigma": 1},
}


@pytest.mark.parametrize("name", CODECS)
def test_a_head_decodes_as_before(name):
    head = HeatmapHead(in_channels=4, out_channels=5, deconv_out_channels=None, decoder=CODECS[name])
    quick = copy.deepcopy(head)
    assert decode_whole_batches(torch.nn.Sequential(quick))
    assert quick.decoder.support_batch_decoding
    assert quick.decoder.input_size == head.decoder.input_size
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(24), indexing="ij")
    centres = torch.rand(3, 5, 2, 1, 1) * 20
    maps = torch.exp(-((columns - centres[:, :, 0]) ** 2 + (rows - centres[:, :, 1]) ** 2) / 2)
    for before, after in zip(head.decode(maps), quick.decode(maps), strict=True):
        assert after.keypoints.shape == before.keypoints.shape == (1, 5, 2)
        np.testing.assert_allclose(after.keypoints, before.keypoints, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(after.keypoint_scores, before.keypoint_scores)


def test_other_codecs_stay():
    class Own(MSRAHeatmap):
        pass

    udp_with_offsets = UDPHeatmap((96, 128), (24, 32), heatmap_type="combined")
    assert how_to_decode(SimCCLabel((96, 128))) is None
    assert how_to_decode(udp_with_offsets) is None
    assert how_to_decode(Own((96, 128), (24, 32), sigma=1)) is None
    assert how_to_decode(None) is None
    assert not decode_whole_batches(torch.nn.Linear(2, 2))


def test_twice_is_once():
    head = HeatmapHead(in_channels=4, out_channels=5, deconv_out_channels=None, decoder=CODECS["udp"])
    assert decode_whole_batches(head)
    first = head.decoder
    assert not decode_whole_batches(head)
    assert head.decoder is first
    assert isinstance(copy.deepcopy(first), WholeBatchCodec)
