"""Metafiles: what is refused, and that writing keeps what stood there."""

from __future__ import annotations

import copy
import os
import re

import pytest
import yaml

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.locations import project_dir
from hrnet_plugin.published.index import metafiles
from hrnet_plugin.published.metafile import (
    MODEL_FIELDS,
    WEIGHTS_FIELDS,
    check_metafile,
    dump_metafile,
    load_metafile,
)
from hrnet_plugin.published.yaml_text import to_yaml

CONTENT = {
    "Collections": [{"Name": "HRNet", "Paper": {"Title": "t", "URL": "https://paper.example"}}],
    "Models": [
        {
            "Name": "net",
            "In Collection": "HRNet",
            "Config": "configs/a/net.py",
            "Metadata": {"Training Data": ["COCO", "AIC"], "Parameters": 3},
            "Results": [{"Task": "t", "Dataset": "d", "Metrics": {"AP": 0.5, "AP@0.5": 0.7}}],
            "Weights": "https://weights.example/net-12345678_20220901.pth",
            "SHA256": "12345678",
            "Remark": "word " * 60 + "end: it is 'quoted'",
        }
    ],
}


def changed(*path: object, to: object = None) -> dict:
    """The content with one value changed, or taken out."""
    content = copy.deepcopy(CONTENT)
    node = content
    for key in path[:-1]:
        node = node[key]
    if to is None:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return content


@pytest.mark.parametrize("field", MODEL_FIELDS)
def test_a_missing_field_is_named_with_file_and_row(field, tmp_path):
    file = tmp_path / "metafile.yml"
    file.write_text(yaml.safe_dump(changed("Models", 0, field)), encoding="utf-8")
    row = "Models, row 1" if field == "Name" else "net"
    with pytest.raises(ConfigError, match=rf"^{re.escape(str(file))}: {row}: found no {field}, expected ") as raised:
        load_metafile(file)
    assert "\n" not in str(raised.value)


FIRST = ("Models", 0)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (changed(*FIRST, "Results", 0, "Metrics"), "net: found no Metrics, expected Task, Dataset, Metrics"),
        (changed(*FIRST, "Results", 0, "Metrics", "AP", to="0.5"), "net: Metrics: AP: found '0.5', expected a number"),
        (changed(*FIRST, "Results", 0, "Metrics", to=[1]), "net: Metrics: found [1], expected numbers by name"),
        (changed(*FIRST, "Results", to=[]), "net: Results: found [], expected a list of results"),
        (changed(*FIRST, "Results", to="AP"), "net: Results: found 'AP', expected a list of results"),
        (changed(*FIRST, "Metadata", "Training Data"), "net: found no Metadata: Training Data"),
        (changed(*FIRST, "In Collection", to="DEKR"), "net: In Collection: found 'DEKR', expected one of HRNet"),
        (changed(*FIRST, "SHA256", to=12345678), "net: SHA256: found 12345678, expected text, in quotes"),
        (changed(*FIRST, "SHA256", to="unknown"), "net: SHA256: found 'unknown', expected 8 to 64 hexadecimal digits"),
        (changed(*FIRST, "SHA256", to="87654321"), "net: SHA256: found '87654321', expected 12345678, as the file"),
        (changed(*FIRST, to="net"), "Models, row 1: found no Name"),
        (changed("Collections", 0, "Paper", "URL"), "HRNet: Paper: found {'Title': 't'}, expected Title and URL"),
        (changed("Models"), "metafile m.yml: found no list Models"),
        (changed("Models", to=[*CONTENT["Models"]] * 2), "net: found a second row of this name"),
        (["Models"], "metafile m.yml: found no list Models"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(content, line):
    with pytest.raises(ConfigError, match=re.escape(line)) as raised:
        check_metafile(content, "m.yml")
    assert "m.yml" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_rows_of_weights_need_no_results():
    check_metafile({"Models": [{"Name": "start", "Weights": "https://weights.example/a.pth"}]}, "m.yml", WEIGHTS_FIELDS)
    with pytest.raises(ConfigError, match="start: found no Weights"):
        check_metafile({"Models": [{"Name": "start"}]}, "m.yml", WEIGHTS_FIELDS)


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"Models: [\n", r"in line \d"), (b"\xff\xfe\x00", "no UTF-8"), (None, "no such file or directory")],
)
def test_a_file_that_is_none_is_refused(data, found, tmp_path):
    file = tmp_path / "metafile.yml"
    if data is not None:
        file.write_bytes(data)
    with pytest.raises(ConfigError, match=found) as raised:
        load_metafile(file)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_written_is_read_and_the_header_stays(tmp_path):
    file = tmp_path / "metafile.yml"
    file.write_text("# One.\n# Two.\nModels: []\n", encoding="utf-8")
    dump_metafile(CONTENT, file)
    assert load_metafile(file) == CONTENT
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# One.\n# Two.\nCollections:\n- Name: HRNet\n")
    assert "    Metrics: {AP: 0.5, AP@0.5: 0.7}\n" in text
    assert "    Training Data: [COCO, AIC]\n" in text
    dump_metafile(load_metafile(file), file)
    assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_content_that_would_be_refused_is_not_written(tmp_path):
    file = tmp_path / "metafile.yml"
    file.write_text("# mine\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="found no Config"):
        dump_metafile(changed(*FIRST, "Config"), file)
    assert file.read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize("number", [28, 13])
def test_where_it_cannot_be_written_the_old_file_stands(tmp_path, monkeypatch, number):
    file = tmp_path / "metafile.yml"
    file.write_text("# mine\n", encoding="utf-8")

    def refuse(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(ConfigError, match=os.strerror(number).lower()):
        dump_metafile(CONTENT, file)
    assert file.read_text(encoding="utf-8") == "# mine\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("file", metafiles(), ids=lambda file: file.parent.name)
def test_our_metafiles_are_in_the_one_form(file):
    text = file.read_text(encoding="utf-8")
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert body == to_yaml(load_metafile(file))


def test_the_weights_that_training_starts_from_are_listed():
    rows = load_metafile(project_dir("configs") / "_base_" / "weights" / "metafile.yml", WEIGHTS_FIELDS)["Models"]
    assert len(rows) > 5
    assert all(row["SHA256"] in row["Weights"] for row in rows)
