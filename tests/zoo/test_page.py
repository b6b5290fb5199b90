"""The page of the zoo: up to date, whole, and true to the index."""

from __future__ import annotations

import re

import pytest

from hrnet_plugin.published.index import find_model, read_index, read_short_names
from hrnet_plugin.published.metafile import load_metafile
from hrnet_plugin.zoo import refresh
from hrnet_plugin.zoo.page import SECTIONS, write_page


@pytest.fixture(scope="module")
def page(project_root) -> str:
    return (project_root / "docs" / "model_zoo.md").read_text(encoding="utf-8")


def row_of(page: str, name: str) -> list[str]:
    """The cells of the line of a model."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| [{name}](")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_page_is_up_to_date(page):
    assert page == write_page(read_index(), read_short_names())


def test_every_model_has_one_line_in_a_table_of_equal_columns(page):
    for model in read_index():
        assert row_of(page, model.name)
    widths = {}
    for block in page.split("\n\n"):
        rows = [line.count("|") for line in block.splitlines() if line.startswith("|")]
        widths[block[:40]] = set(rows)
    assert all(len(found) <= 1 for found in widths.values())
    assert sum(line.startswith("### ") for line in page.splitlines()) == 33


def test_every_link_to_a_file_leads_to_one(page, project_root):
    links = set(re.findall(r"\]\(\.\./([^)]+)\)", page))
    assert len(links) > 180
    assert [link for link in links if not (project_root / link).is_file()] == []


def test_every_remark_stands_once_and_is_pointed_to(page):
    notes = re.findall(r"^\[\^(\d+)\]: (.+)$", page, flags=re.MULTILINE)
    numbers = [number for number, _ in notes]
    assert numbers == [str(number) for number in range(1, len(notes) + 1)]
    assert {model.remark for model in read_index() if model.remark} <= {text for _, text in notes}
    used = re.findall(r"\[\^(\d+)\](?!:)", page)
    assert set(used) == set(numbers)
    assert list(dict.fromkeys(used)) == numbers


def test_a_line_says_what_the_index_says(page):
    cells = row_of(page, "td-hm_hrnet-w32_8xb64-210e_coco-256x192")
    assert cells[1:4] == ["192x256", "28.54", "7.645"]
    assert cells[4].startswith("[28.5M, 7.1 GFLOPs](https://")
    assert cells[4].endswith("(2^30 MACs)")
    assert cells[5:9] == ["0.749", "0.906", "0.821", "0.804"]
    assert cells[9].startswith("[mmpose](https://github.com/open-mmlab/mmpose/blob/v1.3.2/")
    assert cells[10].startswith("[81c58e40](https://download.openmmlab.com/")


def test_people_cut_out_by_given_boxes_have_a_line_of_their_own(page):
    lines = page.splitlines()
    (number,) = [at for at, line in enumerate(lines) if "[td-hm_hrnet-w32_8xb64-210e_humanart-256x192]" in line]
    assert "<br>detected boxes | 192x256 |" in lines[number]
    assert lines[number + 1].startswith("| same, ground truth boxes | ")
    assert " 0.754 " in lines[number + 1]
    assert lines[number + 2].startswith("| same, on COCO, detected boxes | ")


def test_what_was_not_published_is_said(page):
    assert row_of(page, "ae_higherhrnet-w48_8xb10-300e_coco-640x640")[-1] == "none"
    assert row_of(page, "td-hm_hrnet-w32_8xb64-210e_exlpose-256x192")[-1].startswith("[no hash](")
    assert "Not measured again here" in page


def test_every_task_has_a_section():
    assert {model.config.parents[1].name for model in read_index()} == set(SECTIONS)


@pytest.fixture
def copy_of_faces(tmp_path, project_root):
    """A checkout with the configs of faces alone, of which one metafile and the page can be changed."""
    task = "face_2d_keypoint"
    (tmp_path / "configs" / task).mkdir(parents=True)
    (tmp_path / "configs" / task / "aflw").symlink_to(project_root / "configs" / task / "aflw")
    (tmp_path / "configs" / "_base_").symlink_to(project_root / "configs" / "_base_")
    content = load_metafile(project_root / "configs" / task / "metafile.yml")
    content["Models"] = [row for row in content["Models"] if "aflw" in row["Name"]]
    assert len(content["Models"]) == 2
    content["Models"][0]["Metadata"]["Parameters"] += 1
    file = tmp_path / "configs" / task / "metafile.yml"
    file.write_text("# Faces.\n", encoding="utf-8")
    refresh.dump_metafile(content, file)
    (tmp_path / "configs" / "short_names.yml").write_text("{}\n", encoding="utf-8")
    return tmp_path / "configs"


def test_refreshing_mends_figures_and_page_and_nothing_else(copy_of_faces):
    metafile, page = copy_of_faces / "face_2d_keypoint" / "metafile.yml", copy_of_faces.parent / "docs" / "model_zoo.md"
    wrong = metafile.read_text(encoding="utf-8")
    assert refresh.refresh(copy_of_faces, write=False) == [metafile, page]
    assert metafile.read_text(encoding="utf-8") == wrong
    assert not page.exists()
    named = []
    assert refresh.refresh(copy_of_faces, write=True, tell=named.append) == [metafile, page]
    assert len(named) == 2
    assert metafile.read_text(encoding="utf-8") == wrong.replace("9641120", "9641119")
    assert "td-hm_hrnetv2-w18_8xb64-60e_aflw-256x256" in page.read_text(encoding="utf-8")
    assert refresh.refresh(copy_of_faces, write=True) == []


def test_fields_that_are_computed_stand_after_the_training_data():
    model = find_model("dekr_hrnet-w32_8xb10-140e_coco-512x512")
    found = refresh.with_figures({**model.metadata, "Counted": "once"}, {"Input Size": "1x1", "Parameters": 1})
    assert list(found) == ["Training Data", "Input Size", "Parameters", "Published Complexity"]
