"""Rows for readers are the rows of the metafiles."""

from __future__ import annotations

import pytest

from hrnet_plugin.published.index import find_model, metafiles, read_index
from hrnet_plugin.published.metafile import load_metafile
from hrnet_plugin.published.rows import LEADING, as_row, lead_metric


def test_a_row_is_given_as_its_metafile_has_it():
    rows = [row for metafile in metafiles() for row in load_metafile(metafile)["Models"]]
    assert len(rows) > 180
    assert [as_row(model) for model in read_index()] == rows


@pytest.mark.parametrize(
    ("name", "metric"),
    [
        ("td-hm_hrnet-w32_8xb64-210e_coco-256x192", "AP"),
        ("td-hm_hrnet-w32_8xb64-210e_coco-wholebody-256x192", "Whole AP"),
        ("td-hm_hrnet-w32_8xb64-20e_posetrack18-256x192", "Total"),
        ("fcn_hr18_4xb2-160k_cityscapes-512x1024", "mIoU"),
        ("htc_hrnetv2p-w18_20e_coco", "box AP"),
        ("hrnet-w18_3rdparty_8xb32_in1k", "Top 1 Accuracy"),
    ],
)
def test_the_leading_metric(name, metric):
    assert lead_metric(find_model(name)) == metric


def test_every_published_result_has_a_leading_metric():
    assert all(lead_metric(model) in LEADING for model in read_index())
