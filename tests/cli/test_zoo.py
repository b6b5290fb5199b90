"""`hrnet zoo verify`: its table, its JSON, its exit status."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.cli.main import WRONG_INPUT, main
from hrnet_plugin.cli.run_config import find_config
from hrnet_plugin.zoo import index

NAME = "td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256"


def test_the_json_holds_each_model(capsys):
    assert main(["zoo", "verify", NAME, "--json", "--steps", "resolved", "forward"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["resolved"] == found["forward"] == {"passed": 1}
    assert found["largest_difference"] == {"mmpose": 0.0}
    (row,) = found["rows"]
    assert row["name"] == NAME
    assert row["comparison"]["parameters"] == row["comparison"]["upstream_parameters"] > 9e6


def test_a_failure_is_told_and_is_the_exit_status(capsys, monkeypatch, tmp_path):
    model = index.find_model(NAME)
    config = tmp_path / "a.py"
    config.write_text(f"_base_ = ['{model.config.as_posix()}']\nlog_level = 'DEBUG'\n", encoding="utf-8")
    changed = index.ZooModel(NAME, config, model.upstream, model.tasks, model.dataset)
    monkeypatch.setattr(index, "read_index", lambda: (changed,))
    assert main(["zoo", "verify", "--steps", "resolved"]) == 1
    out = capsys.readouterr().out
    assert f"{NAME}: resolved: log_level: ours 'DEBUG', upstream 'INFO'" in out
    assert "1 failed" in out


@pytest.mark.parametrize("name", ["hrnet-w18_3rdparty_8xb32-ssld_in1k", "hrnet-w18_4xb32_in1k"])
def test_a_published_model_is_a_config(name):
    assert find_config(name).name == "hrnet-w18_4xb32_in1k.py"


def test_a_name_that_is_near_to_none_gives_a_short_line(capsys):
    assert main(["zoo", "verify", "x"]) == WRONG_INPUT
    line = capsys.readouterr().err
    assert "Known: ae_higherhrnet" in line
    assert len(line) < 1500


@pytest.mark.parametrize("name", ["td-hm_hrnetv2-w18_8xb64-60e_cofw", "hrnet-w18_4xb32_in1"])
def test_the_nearest_name_is_suggested(capsys, name):
    assert main(["zoo", "verify", name]) == WRONG_INPUT
    line = capsys.readouterr().err
    assert line.startswith(f"hrnet: error: model '{name}': found no such name in the zoo. Did you mean ")
    assert line.count("\n") == 1
