"""`hrnet zoo`: what list, show, page and verify print, and their exit status."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.cli.main import WRONG_INPUT, main
from hrnet_plugin.config_files import find_config
from hrnet_plugin.published import index

NAME = "td-hm_hrnetv2-w18_8xb64-60e_cofw-256x256"
HEADLINE = "td-hm_hrnet-w32_8xb64-210e_coco-256x192"


def test_the_json_holds_each_model(capsys):
    assert main(["zoo", "verify", NAME, "--json", "--steps", "resolved,forward"]) == 0
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


def test_names_may_follow_the_steps(capsys):
    assert main(["zoo", "verify", "--steps", "resolved", NAME]) == 0
    assert "1 passed" in capsys.readouterr().out


def test_an_unknown_step_is_told(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["zoo", "verify", "--steps", "resolved,forwards"])
    assert "found 'forwards', expected resolved, forward, trained" in capsys.readouterr().err


def listed(capsys, *words: str) -> list[dict]:
    assert main(["zoo", "list", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_everything_is_listed(capsys):
    models = index.read_index()
    assert [row["Name"] for row in listed(capsys)] == [model.name for model in models]
    assert main(["zoo", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(models) + 2
    remarks = sum(bool(model.remark) for model in models)
    assert lines[-1] == f"{len(models)} models, {remarks} with a remark (*): hrnet zoo show NAME"
    assert sum(line.endswith("*") for line in lines[:-1]) == remarks > 30


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["--task", "body", "--dataset", "crowd", "--arch", "DEKR"], ["dekr_hrnet-w32", "dekr_hrnet-w48"]),
        (["--dataset", "pascal context 59"], ["fcn_hr48_4xb4-40k", "fcn_hr48_4xb4-80k"]),
        (["--task", "face", "--arch", "awing"], ["td-hm_hrnetv2-w18_awing"]),
        (["--name", "in1k", "--arch", "w64"], ["hrnet-w64_3rdparty_8xb32"]),
    ],
)
def test_filters_must_all_match(capsys, words, names):
    found = [row["Name"] for row in listed(capsys, *words)]
    assert len(found) == len(names)
    assert all(name.startswith(start) for name, start in zip(found, names, strict=True))


def test_a_filter_that_nothing_matches_is_told(capsys):
    assert main(["zoo", "list", "--task", "body", "--arch", "w33"]) == WRONG_INPUT
    line = capsys.readouterr().err
    assert line == "hrnet: error: zoo list --task body --arch w33: found no model. `hrnet zoo list` names all\n"


def test_a_model_is_shown_with_its_remark(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    assert main(["zoo", "show", "configs/hrnet_w32_coco.py"]) == 0
    out = capsys.readouterr().out
    for word in ("Metrics: {AP: 0.749,", "Parameters: 28536113", "SHA256: 81c58e40", "Figure: 7.1 GFLOPs", "AP 0.746"):
        assert word in out
    assert f"Stored: no; hrnet zoo fetch {HEADLINE}" in out
    assert max(len(line) for line in out.splitlines() if "://" not in line) <= 120


def test_a_wrong_file_in_the_store_is_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("HRNET_WEIGHTS", str(tmp_path))
    (tmp_path / index.find_model(HEADLINE).weights.file_name).write_bytes(b"something else")
    assert main(["zoo", "show", HEADLINE, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["Name"] == HEADLINE
    assert "expected 81c58e40 as published" in row["Stored"]


def test_a_config_of_our_own_has_nothing_published(capsys):
    assert main(["zoo", "show", "configs/litehrnet_wider_naive_coco.py"]) == 2
    assert "found a config of our own, the network of PP-TinyPose" in capsys.readouterr().err


def test_an_unknown_model_is_not_shown(capsys):
    assert main(["zoo", "show", "hrnet_w33_coco"]) == WRONG_INPUT
    assert "found no such name in the zoo" in capsys.readouterr().err


def test_an_installed_package_has_no_page(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("hrnet_plugin.cli.zoo_page.project_dir", lambda name: tmp_path / name)
    assert main(["zoo", "page"]) == WRONG_INPUT
    assert "found an installed package" in capsys.readouterr().err


@pytest.mark.parametrize(("write", "status", "word"), [(False, 1, "out of date"), (True, 0, "written")])
def test_the_page_command_says_what_has_changed(capsys, monkeypatch, write, status, word):
    configs = index.project_dir("configs")
    asked = []
    changed = [configs / "face_2d_keypoint" / "metafile.yml"]
    monkeypatch.setattr("hrnet_plugin.zoo.refresh.refresh", lambda *args: asked.append(args[:2]) or changed)
    assert main(["zoo", "page", *(["--write"] if write else [])]) == status
    assert asked == [(configs, write)]
    assert capsys.readouterr().out == f"{word}: configs/face_2d_keypoint/metafile.yml\n"
