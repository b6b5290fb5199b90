"""The Chinese pages say what the English ones say: the same blocks, pictures, numbers, links, sections and tables."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

import pytest
from page_blocks import blocks
from site_links import links


@pytest.fixture(params=["getting_started.md", "hrnet_explained.md"])
def pair(request, docs: Path) -> tuple[str, str]:
    """An English page and its translation."""
    return tuple((docs / folder / request.param).read_text(encoding="utf-8") for folder in ("", "zh"))


def test_every_translation_has_its_page(docs):
    assert sorted(page.name for page in (docs / "zh").glob("*.md")) == ["getting_started.md", "hrnet_explained.md"]


def test_the_same_blocks(pair):
    english, chinese = ([(block.language, block.mark, block.text) for block in blocks(page)] for page in pair)
    assert english == chinese


def test_the_same_numbers(pair):
    english, chinese = (sorted(re.findall(r"<!--([^>]*?)-->", page)) for page in pair)
    assert english == chinese


def test_the_same_sections_and_tables(pair):
    for pattern in (r"^(#+) ", r"^(\|[ :|-]+\|)$", r"^(\d\.|-) "):
        english, chinese = (
            re.findall(pattern, re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE) for page in pair
        )
        assert english == chinese, pattern


def test_the_same_links(pair):
    def targets(page: str, folder: str) -> list[str]:
        found = [posixpath.normpath(posixpath.join("docs", folder, path)) for path, _ in links(page) if path]
        return sorted({target.replace("/zh/", "/") for target in found})

    english, chinese = targets(pair[0], ""), targets(pair[1], "zh")
    assert english == chinese
    outside = [set(re.findall(r"\]\((https?://[^)]*)\)", page)) for page in pair]
    assert outside[0] == outside[1]


def test_code_words_are_the_same(pair):
    english, chinese = (
        set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))) for page in pair
    )
    assert english == chinese
