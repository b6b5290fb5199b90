"""`hrnet load-report` says what loads, and its exit status whether that is enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch


@pytest.fixture
def weights(pose_config: Path) -> dict[str, torch.Tensor]:
    """Those of the network of `pose_config`."""
    from mmengine.config import Config
    from mmengine.registry import MODELS, DefaultScope

    cfg = Config.fromfile(pose_config)
    with DefaultScope.overwrite_default_scope("mmpose"):
        return MODELS.build(cfg.model).state_dict()


def test_released_weights_fill_the_network_of_their_config(hrnet, project_root: Path, shared_dir: Path):
    checkpoint = shared_dir / "weights/litehrnet_wider_naive_coco_256x192.pth"
    outcome = hrnet(
        "load-report", project_root / "configs/litehrnet_wider_naive_coco.py", checkpoint, "--min-loaded", 1
    )
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"weights of {checkpoint}: 100.0 % of 1.32 M parameters, 1342 of 1342 keys\n"


def test_the_share_decides_over_the_exit_status(hrnet, pose_config: Path, weights):
    part = {key: value for key, value in weights.items() if key.startswith("backbone.stage4.")}
    torch.save(part, "part.pth")
    names = {key for key in part if not key.endswith(("running_mean", "running_var", "tracked"))}
    network = {
        key: value for key, value in weights.items() if not key.endswith(("running_mean", "running_var", "tracked"))
    }
    share = sum(part[key].numel() for key in names) / sum(value.numel() for value in network.values())
    assert 0.3 < share < 0.8
    for least, status in ((share - 0.001, 0), (share + 0.001, 1)):
        assert hrnet("load-report", pose_config, "part.pth", "--min-loaded", least).status == status
    outcome = hrnet("load-report", pose_config, "part.pth")
    assert outcome.status == 1
    assert outcome.out.endswith("less than the 90 % of --min-loaded\n")
    assert len(outcome.out.splitlines()) < 6


def test_json_has_every_key(hrnet, pose_config: Path, weights):
    weights["head.final_layer.bias"] = torch.ones(4)
    torch.save({"state_dict": {f"module.{key}": value for key, value in weights.items()}, "more.a": 1}, "a.pth")
    outcome = hrnet("load-report", pose_config, "a.pth", "--json")
    assert outcome.status == 0
    report = json.loads(outcome.out)
    assert report["enough"] is True
    assert report["missing"] == report["new_outputs"] == report["unexpected"] == []
    assert report["mismatched"] == [{"key": "head.final_layer.bias", "found": [4], "needed": [17]}]
    assert sorted([*report["loaded"], "head.final_layer.bias"]) == sorted(weights)


def test_another_number_of_channels_and_keypoints(hrnet, pose_config: Path, weights):
    torch.save(weights, "a.pth")
    options = ("model.backbone.in_channels=1", "model.head.out_channels=5")
    outcome = hrnet("load-report", pose_config, "a.pth", "--cfg-options", *options)
    assert outcome.status == 0
    assert outcome.out.splitlines()[1:] == [
        "  adapted: backbone.conv1.weight from 3 to 1 channels",
        "  left at random, of another number of outputs: head.final_layer (17, here 5)",
    ]


def test_nothing_is_initialised(hrnet, pose_config: Path, weights, monkeypatch: pytest.MonkeyPatch):
    from mmengine.model import BaseModule

    torch.save(weights, "a.pth")
    monkeypatch.setattr(BaseModule, "init_weights", lambda self: pytest.fail("initialised"))
    assert hrnet("load-report", pose_config, "a.pth").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.pth",), "checkpoint absent.pth: found no such file"),
        (("text.pth",), "checkpoint text.pth: found"),
        (("epoch.pth",), "checkpoint epoch.pth: found a dict with epoch, expected weights by key"),
        (("hrnet://no_such_name",), "no_such_name"),
        (("epoch.pth", "--min-loaded", "1.5"), "--min-loaded: found 1.5, expected a share from 0 to 1"),
    ],
)
def test_wrong_inputs(refused, pose_config: Path, arguments, words):
    Path("text.pth").write_text("no checkpoint")
    torch.save({"epoch": 3}, "epoch.pth")
    assert words in refused("load-report", pose_config, *arguments)


def test_a_wrong_config_is_refused(refused, workplace: Path):
    torch.save({"a": torch.ones(1)}, "a.pth")
    assert "config 'hrnet_w3_coco'" in refused("load-report", "hrnet_w3_coco", "a.pth")


def test_weights_of_another_family(hrnet, pose_config: Path):
    torch.save({f"layer{number}.0.conv1.weight": torch.ones(2, 2, 3, 3) for number in range(1, 5)}, "resnet.pth")
    outcome = hrnet("load-report", pose_config, "resnet.pth")
    assert outcome.status == 1
    assert "the checkpoint holds 4 weights such as layer1.0.conv1.weight" in outcome.out


def test_training_prints_the_report_in_a_few_lines(hrnet, data: Path, pose_config: Path, weights):
    weights["head.final_layer.weight"], weights["head.final_layer.bias"] = torch.ones(4, 8, 1, 1), torch.ones(4)
    torch.save({"state_dict": weights, "meta": {"mmseg_version": "1.2.2"}}, "a.pth")
    command = ("train", pose_config, "--data-root", data, "--no-validate", "--work-dir", "run")
    assert hrnet(*command, "--cfg-options", "load_from=a.pth").status == 0
    (log,) = Path("run").glob("*/*.log")
    text = log.read_text()
    lines = text[text.index("weights of a.pth") :].splitlines()
    assert lines[1] == "  left at random, of another number of outputs: head.final_layer (4, here 17)"
    assert "the weights are of a network with upsample_mode='bilinear'" in lines[2]
    assert not lines[3].startswith(" ")
    assert "do not match exactly" not in text
