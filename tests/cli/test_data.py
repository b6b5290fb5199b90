from __future__ import annotations

import argparse

import pytest
from PIL import Image

from hrnet_plugin.cli import data
from hrnet_plugin.errors import ConfigError, DataError

SMALL = ["--train", "4", "--val", "1", "--test", "1", "--size", "96x64", "--workers", "1"]


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    data.add_arguments(parser)
    return data.run(parser.parse_args(argv))


def test_make_then_reuse_then_show(tmp_path, capsys):
    out, sheet = str(tmp_path / "people"), tmp_path / "sheets/sheet.png"
    assert run("make", "--out", out, *SMALL) == 0
    assert "written: 6 images" in capsys.readouterr().out
    assert run("make", "--out", out, *SMALL) == 0
    assert "reused, complete already: 6 images" in capsys.readouterr().out
    assert run("show", "--out", out, "--count", "3", "--to", str(sheet)) == 0
    assert capsys.readouterr().out.strip() == str(sheet)
    with Image.open(sheet) as picture:
        assert picture.width > 1900
        assert picture.height > 500
        assert len(picture.getcolors(1 << 24)) > 1000


@pytest.mark.parametrize(
    ("argv", "kind", "words"),
    [
        (["make", "--size", "big"], ConfigError, r"--size: found 'big', expected WIDTHxHEIGHT"),
        (["make", "--size", "256"], ConfigError, "WIDTHxHEIGHT"),
        (["make", "--size", "16x16"], ConfigError, "width: found 16"),
        (["make", "--train", "-3"], ConfigError, "number of train images: found -3"),
        (["make", "--workers", "0"], ConfigError, "workers: found 0"),
        (["make", "--seed", "-1"], ConfigError, "seed: found -1"),
        (["show"], DataError, "no readable dataset.json"),
        (["show", "--split", "dev"], ConfigError, "'dev'"),
        (["show", "--count", "0"], ConfigError, "1 or more"),
    ],
)
def test_wrong_options_are_one_line(tmp_path, argv, kind, words):
    with pytest.raises(kind, match=words) as caught:
        run(*argv, "--out", str(tmp_path / "none"))
    assert "\n" not in str(caught.value)


def test_show_names_a_missing_picture_and_an_empty_split(tmp_path):
    out = str(tmp_path / "people")
    run("make", "--out", out, "--train", "1", "--val", "0", "--test", "0", "--size", "96x64", "--workers", "1")
    with pytest.raises(DataError, match="no images"):
        run("show", "--out", out, "--split", "val")
    (tmp_path / "people/train/000000.jpg").write_bytes(b"broken")
    with pytest.raises(DataError, match="no readable image"):
        run("show", "--out", out, "--to", str(tmp_path / "sheet.png"))


def test_show_names_a_file_that_cannot_be_written(tmp_path):
    out = str(tmp_path / "people")
    run("make", "--out", out, "--train", "1", "--val", "0", "--test", "0", "--size", "96x64", "--workers", "1")
    with pytest.raises(DataError, match="a picture file that can be written"):
        run("show", "--out", out, "--to", str(tmp_path / "sheet.unknown"))
