"""`hrnet check-config`: what it prints, writes and returns."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest


def test_a_sound_config(hrnet, project_root: Path):
    outcome = hrnet("check-config", "quickstart_pose")
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"{project_root / 'configs/quickstart_pose.py'}: no findings\n"


def test_faults_are_told_worst_first_each_under_its_key(hrnet):
    options = ("model.head.out_channels=21", "train_cfg.val_interval=3", "model.head.decoder.sigma=2")
    outcome = hrnet("check-config", "quickstart_pose", "--cfg-options", *options)
    assert outcome.status == 1
    lines = outcome.out.splitlines()
    assert lines[0].startswith("error  model.head.out_channels: found 21, expected 17")
    assert lines[1].startswith("note   model.head.decoder.sigma: found 2, expected 1")
    assert lines[-1].endswith("quickstart_pose.py: 1 error, 1 note")
    assert len(lines) == 3


def test_notes_alone_are_no_reason_to_fail(hrnet):
    outcome = hrnet(
        "check-config", "quickstart_pose", "--cfg-options", "train_dataloader.batch_size=1", "codec.sigma=3"
    )
    assert outcome.status == 0
    assert outcome.out.splitlines()[-1].endswith(": 2 notes")


def test_the_same_in_val_and_test_is_told_once(hrnet):
    options = [f"{split}_dataloader.dataset.pipeline.2.input_size=[192,256]" for split in ("val", "test")]
    outcome = hrnet("check-config", "quickstart_pose", "--cfg-options", *options)
    lines = outcome.out.splitlines()
    assert lines[0].startswith("error  val_dataloader.dataset.pipeline.2.input_size: ")
    assert lines[1] == "       the same at test_dataloader.dataset.pipeline.2.input_size"
    assert lines[-1].endswith(": 1 error")


def test_json_holds_everything(hrnet):
    outcome = hrnet("check-config", "quickstart_seg", "--json", "--cfg-options", "model.decode_head.num_classes=5")
    report = json.loads(outcome.out)
    assert outcome.status == 1
    assert (report["errors"], report["notes"]) == (1, 0)
    assert report["config"].endswith("quickstart_seg.py")
    (finding,) = report["findings"]
    assert (finding["level"], finding["check"], finding["where"]) == (
        "error", "class-count", "model.decode_head.num_classes"
    )  # fmt: skip


def test_what_a_config_prints_is_no_part_of_the_findings(hrnet, project_root: Path, workplace: Path):
    base = str(project_root / "configs/quickstart_pose.py")
    Path("talks.py").write_text(f"_base_ = [{base!r}]\nsaid = print('hello')\n")
    outcome = hrnet("check-config", "talks.py", "--json")
    assert json.loads(outcome.out)["findings"] == []
    assert "hello" in outcome.err


def test_a_page(hrnet, workplace: Path):
    options = ("model.head.out_channels=21", "train_dataloader.batch_size=1")
    outcome = hrnet("check-config", "quickstart_pose", "--html", "a.html", "--cfg-options", *options)
    assert outcome.status == 1
    page = (workplace / "a.html").read_text()
    assert "model.head.out_channels" in page
    assert page.index("Errors") < page.index("Notes")
    assert "train_dataloader.batch_size" in page


def test_text_of_a_config_is_not_taken_for_markup(hrnet):
    outcome = hrnet("check-config", "quickstart_pose", "--cfg-options", "model.head.type=[bold]Head")
    assert "'[bold]Head'" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quickstart_pos",), "config 'quickstart_pos': found no such file"),
        (("broken.py",), "config broken.py: found a syntax error in line 1"),
        (("empty.py",), "config empty.py: found no `model`"),
        (("raises.py",), "config raises.py: found ZeroDivisionError"),
        (("quickstart_pose", "--cfg-options", "model.head"), "--cfg-options model.head: found no key=value"),
        (("quickstart_pose", "--html", "empty.py/a.html"), "page empty.py/a.html: found"),
    ],
)
def test_wrong_inputs(refused, workplace: Path, arguments, words):
    Path("broken.py").write_text("model = dict(")
    Path("empty.py").write_text("a = 1")
    Path("raises.py").write_text("model = dict(a=1 / 0)")
    assert words in refused("check-config", *arguments)


def test_a_configs_own_modules_lie_beside_it(hrnet, project_root: Path):
    assert hrnet("check-config", project_root / "configs/examples/own_head_pose.py").status == 0


def test_garbage_is_collected_again_afterwards(hrnet):
    assert gc.isenabled()
    hrnet("check-config", "quickstart_pose")
    assert gc.isenabled()


def test_nothing_is_written(hrnet, workplace: Path):
    hrnet("check-config", "quickstart_seg", "--cfg-options", "test_evaluator.output_dir=out")
    assert list(workplace.iterdir()) == []
