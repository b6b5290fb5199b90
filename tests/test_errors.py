"""Errors of one line: what they show of names that nobody would give."""

from __future__ import annotations

import pytest

from hrnet_plugin.errors import DataError, UserError, visible
from hrnet_plugin.findings import ERROR, Finding, as_text

CLEAR_SCREEN = "\x1b[2J"


@pytest.mark.parametrize("text", ["plain", "größe 人", "a, b: c. d"])
def test_words_stay_as_they_are(text):
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"), [(CLEAR_SCREEN, "\\x1b[2J"), ("\ud800", "\\ud800"), ("a\u202eb", "a\\u202eb")]
)
def test_commands_to_the_terminal_and_halves_of_letters_are_shown_as_text(text, shown):
    assert visible(text) == shown
    assert str(DataError(f"image {text}", found=text)) == f"image {shown}: found {shown}"
    finding = Finding(ERROR, "image-missing", "images", text, examples=(text,))
    assert as_text([finding]).count(shown) == 2
    as_text([finding]).encode()


def test_a_name_of_any_length_leaves_the_other_parts_of_the_line():
    error = UserError("a" * 10**6, found="b" * 10**6, expected="a short name", do="Rename it")
    assert str(error).endswith("b...: expected a short name. Rename it".replace(":", ","))
    assert len(str(error)) < 1500
    assert error.found == "b" * 10**6
