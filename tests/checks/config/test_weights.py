"""What a network starts from."""

from __future__ import annotations

import pytest

from hrnet_plugin.checks.config import check_config
from hrnet_plugin.findings import ERROR, NOTE

POSE, SEG = "quickstart_pose", "quickstart_seg"
BACKBONE = "model.backbone"


def pretrained(checkpoint: str) -> dict[str, object]:
    """The backbone from a checkpoint."""
    return {f"{BACKBONE}.init_cfg": {"type": "Pretrained", "checkpoint": checkpoint}}


@pytest.mark.parametrize(
    ("base", "change", "where"),
    [
        (POSE, {"load_from": "hrnet://hrnet_w3_coco"}, "load_from"),
        (POSE, pretrained("hrnet://no_such_weights"), f"{BACKBONE}.init_cfg.checkpoint"),
        (SEG, {"model.pretrained": "a.pth", **pretrained("b.pth")}, "model.pretrained"),
    ],
)
def test_a_run_stops_at(planted, base, change, where):
    assert planted(base, change, "start-weights", where).level == ERROR


@pytest.mark.parametrize(
    ("base", "change", "where", "level"),
    [
        (POSE, {f"{BACKBONE}.frozen_stages": 1}, f"{BACKBONE}.frozen_stages", ERROR),
        (POSE, {f"{BACKBONE}.norm_eval": True}, f"{BACKBONE}.norm_eval", ERROR),
        (POSE, pretrained("weights/hrnet_w32-36af842e.pth"), f"{BACKBONE}.init_cfg.checkpoint", ERROR),
        (SEG, pretrained("open-mmlab://msra/hrnetv2_w48"), f"{BACKBONE}.init_cfg.checkpoint", ERROR),
        (POSE, {"resume": True, "load_from": "work_dirs/a/epoch_3.pth"}, "resume", NOTE),
    ],
)
def test_the_frameworks_say_nothing_of(planted, base, change, where, level):
    assert planted(base, change, "start-weights", where).level == level


@pytest.mark.parametrize(
    "change",
    [
        pretrained("weights/hrnet_w16.pth"),
        pretrained("weights/mine.pth"),
        {**pretrained("weights/mine.pth"), f"{BACKBONE}.frozen_stages": 2, f"{BACKBONE}.norm_eval": True},
        {"load_from": "epoch_3.pth", f"{BACKBONE}.frozen_stages": 2},
        {"load_from": "hrnet://td-hm_hrnet-w32_8xb64-210e_coco-256x192"},
    ],
)
def test_sound_sources(changed, change):
    assert check_config(changed(POSE, change)) == []
