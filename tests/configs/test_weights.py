"""The weights that configs start from stand in the index, by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hrnet_plugin.published.sources import find_source

NAMED = re.compile(r"'(hrnet://[^']*)'")


@pytest.fixture(scope="module")
def texts(project_root) -> dict[Path, str]:
    """All config files."""
    return {path: path.read_text(encoding="utf-8") for path in (project_root / "configs").rglob("*.py")}


def test_every_name_in_a_config_leads_to_a_file_with_a_hash(texts):
    names = {name for text in texts.values() for name in NAMED.findall(text)}
    assert {"hrnet://hrnet_w32_imagenet", "hrnet://hrnetv2_w18_imagenet", "hrnet://kpt_rescore_coco"} <= names
    for name in names:
        source = find_source(name)
        assert source.fetchable
        assert source.sha256, name


def test_no_config_names_weights_by_url(texts):
    assert [path for path, text in texts.items() if re.search(r"https?://\S+\.pth|open-?mmlab://|mmcls://", text)] == []
