"""What the pages show of commands is what the commands print, on the faults that are planted for them."""

from __future__ import annotations

import pytest
from command_outputs import fault_of, in_folder_with, in_process, matches, printed, sections, with_outputs
from page_blocks import DOCS, pages
from planted_faults import FAULTS

SHOWN = [(page, block) for page in pages(DOCS) for block in with_outputs(page.read_text(encoding="utf-8"))]
#: The same block of several pages is run once.
DISTINCT = {(block.mark, block.text): (page, block) for page, block in SHOWN}


def test_every_planted_fault_is_shown():
    assert {fault_of(block) for _, block in SHOWN} == {"", *FAULTS}


@pytest.mark.parametrize(
    "block",
    [block for _, block in DISTINCT.values()],
    ids=[f"{page.stem}-{fault_of(block) or block.text.split()[3]}" for page, block in DISTINCT.values()],
)
def test_the_command_prints_what_the_page_shows(block, forget_runs):
    with in_folder_with(fault_of(block)):
        for command, shown in sections(block.text):
            real = printed(command, in_process)
            assert matches(shown, real), "\n".join(real[-60:])
            forget_runs()


def test_what_differs_is_noticed():
    real = ["one", "two", "three"]
    assert matches(["one", "...", "three"], real)
    assert matches(["...", "thr..."], real)
    assert not matches(["one", "three"], real)
    assert not matches(["...", "two"], real)
    assert not matches(["on", "...", "three"], real)
