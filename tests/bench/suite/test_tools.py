"""Rows that run whole test tools, with the processes replaced: what they would run, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.bench.plans import Settings
from hrnet_plugin.bench.suite import accuracy, test_tool
from hrnet_plugin.bench.suite.whole_processes import Given
from hrnet_plugin.errors import LaunchError


@pytest.fixture
def given(tmp_path: Path) -> Given:
    folder = tmp_path / "people" / "annotations"
    folder.mkdir(parents=True)
    (folder / "person_keypoints_test.json").write_text('{"images": [{}, {}]}')
    torch.save({"state_dict": {"a": torch.zeros(1)}, "meta": {}}, tmp_path / "w32.pth")
    return Given(tmp_path / "w32.pth", tmp_path / "people")


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch):
    """`tools(answers)`: the commands that were run; `answers` gives seconds and AP by name, or raises."""

    def replace(module, answers) -> list[tuple[str, list[str]]]:
        ran: list[tuple[str, list[str]]] = []

        def run_tool(command, settings, name):
            ran.append((name, list(command)))
            return answers(name)

        monkeypatch.setattr(module, "run_tool", run_tool)
        return ran

    return replace


def test_all_tools_have_the_same_threads_weights_and_images(tools, given, tmp_path):
    ran = tools(test_tool, lambda name: (2.0 if name == test_tool.MMPOSE else 1.0, 0.5))
    run = test_tool.run_test_tool(given, Settings(tmp_path, processes=2, threads=3), lambda text: None)
    names = [one.subject.name for one in run.measured]
    assert sorted(name for name, _ in ran) == sorted(names * 2)
    assert [round(run.speed_up(one).median, 2) for one in run.timed] == [1, 2, 2, 2, 2]
    assert run.timed[0].throughput.median == pytest.approx(2 / 2.0)  # two images
    commands = dict(ran)
    theirs = commands.pop(test_tool.MMPOSE)
    for command in commands.values():
        assert command[command.index("--threads") + 1] == "3"
        assert command[3] == theirs[-1]  # the weights
    for config in (theirs[-2], commands[test_tool.DEFAULT][2]):
        cfg = Config.fromfile(config)
        assert cfg.test_dataloader.dataset.data_root == str(given.data_root)
        assert cfg.test_dataloader.dataset.bbox_file is None
        assert cfg.model.test_cfg.flip_test is True


def test_a_tool_that_fails_or_finds_something_else_is_left_out(tools, given, tmp_path):
    def answer(name: str) -> tuple[float, float]:
        if name.endswith("ncnn"):
            raise LaunchError("test tool", found="exit status 1")
        return 1.0, 0.4 if name.endswith("openvino") else 0.5

    tools(test_tool, answer)
    run = test_tool.run_test_tool(given, Settings(tmp_path, processes=2), lambda text: None)
    refused = {one.subject.name.rpartition(" ")[2]: one.refused for one in run.measured if one.refused}
    assert refused["openvino"] == "AP 0.4000, where mmpose's tool finds 0.5000"
    assert "exit status 1" in refused["ncnn"]
    assert len(refused) == 2
    assert len(run.timed) == 3


@pytest.mark.parametrize(("ours", "theirs", "agree"), [(0.002, 0.002, True), (0.0, 0.002, False), (0.0, 0.0, False)])
def test_little_accuracy_is_compared_too(ours, theirs, agree, tools, given, tmp_path):
    tools(test_tool, lambda name: (1.0, theirs if name == test_tool.MMPOSE else ours))
    run = test_tool.run_test_tool(given, Settings(tmp_path, processes=1), lambda text: None)
    assert (run.find(test_tool.DEFAULT) is not None) is agree


def test_without_mmposes_own_there_is_no_ratio(tools, given, tmp_path):
    def fail(name: str) -> tuple[float, float]:
        raise LaunchError("test tool", found="exit status 1")

    tools(test_tool, fail)
    with pytest.raises(LaunchError):
        test_tool.run_test_tool(given, Settings(tmp_path, processes=1), lambda text: None)


def test_accuracy_is_calibrated_with_images_that_are_not_tested(tools, given, tmp_path):
    ran = tools(accuracy, lambda name: (1.0, {"fp32": 0.5, "bf16": 0.499}.get(name, 0.49)))
    run = accuracy.run_accuracy(given, Settings(tmp_path), lambda text: None)
    assert {one.subject.name: one.values["AP"] for one in run.measured} == {"fp32": 0.5, "bf16": 0.499, "int8": 0.49}
    for name, command in ran:
        assert command[command.index("--precision") + 1] == name
        assert command[command.index("--runtime") + 1] == accuracy.RUNTIME
        cfg = Config.fromfile(command[2])
        assert cfg.model.backbone.arch == "w32"
        parts = [cfg[f"{split}_dataloader"].dataset for split in ("train", "test")]
        assert [part.data_root for part in parts] == [str(given.data_root)] * 2
        assert [part.data_prefix.img for part in parts] == ["val/", "test/"]
        assert [Path(part.ann_file).stem for part in parts] == ["person_keypoints_val", "person_keypoints_test"]
