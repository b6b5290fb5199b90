"""What the words for a source of weights lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.published.sources import find_source

URL = "https://weights.example/pose/net-1a2b3c4d_20220909.pth"
REST = "In Collection: f, Metadata: {Training Data: d}, Results: [{Task: t, Dataset: d, Metrics: {AP: 0.5}}]"


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """An index of two models: with weights and a whole hash, without weights."""
    rows = [
        f"{{Name: net, Config: configs/x/net.py, {REST}, Weights: '{URL}', SHA256: {'1a2b3c4d' * 8}}}",
        f"{{Name: untrained, Config: configs/x/untrained.py, {REST}}}",
    ]
    for name, text in (("x", ", ".join(rows)), ("_base_/weights", f"{{Name: start, Weights: '{URL}'}}")):
        folder = tmp_path / "configs" / name
        folder.mkdir(parents=True)
        (folder / "metafile.yml").write_text(f"Models: [{text}]", encoding="utf-8")
    return tmp_path / "configs"


def test_a_name_is_looked_up_in_the_index(configs):
    source = find_source("hrnet://net", configs)
    assert (source.asked, source.name, source.url) == ("hrnet://net", "net", URL)
    assert (source.file_name, source.sha256) == ("net-1a2b3c4d_20220909.pth", "1a2b3c4d" * 8)
    assert source.fetchable


def test_where_the_index_has_no_hash_the_files_name_has(configs):
    assert find_source("hrnet://start", configs).sha256 == "1a2b3c4d"


def test_a_url_stands_for_itself():
    source = find_source(f"{URL}?token=1#top")
    assert (source.name, source.url, source.sha256) == (f"{URL}?token=1#top", f"{URL}?token=1#top", "1a2b3c4d")
    assert source.file_name == "net-1a2b3c4d_20220909.pth"


def test_other_schemes_name_a_file_that_cannot_be_fetched():
    source = find_source("torchvision://resnet50")
    assert (source.file_name, source.fetchable) == ("resnet50", False)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("hrnet://nett", r"weights 'nett': found no such name in the zoo\. Did you mean 'net'"),
        ("hrnet://../../x", r"weights '\.\./\.\./x': found no such name in the zoo"),
        ("hrnet://", r"weights '': found no such name in the zoo"),
        ("hrnet://untrained", r"weights 'untrained': found a model without published weights"),
        ("https://weights.example/", "found no file name at the end"),
        ("https://weights.example/zoo/..", "found no file name at the end"),
        ("https://weights.example/.hidden", "found no file name at the end"),
        ("https://weights.example/a\\b.pth", "found no file name at the end"),
    ],
)
def test_what_leads_nowhere_is_told(configs, asked, message):
    with pytest.raises(ConfigError, match=message):
        find_source(asked, configs)


def test_a_hash_that_is_none_is_refused(configs):
    metafile = configs / "x" / "metafile.yml"
    metafile.write_text(metafile.read_text().replace("1a2b3c4d" * 8, "unknown"), encoding="utf-8")
    with pytest.raises(ConfigError, match="net: SHA256: found 'unknown', expected 8 to 64 hexadecimal digits"):
        find_source("hrnet://net", configs)


def test_a_name_never_leaves_the_store():
    assert find_source("https://weights.example/../../etc/a%2f..%2fpasswd").file_name == "a%2f..%2fpasswd"
