"""Small pieces of the sentences in error messages."""

from __future__ import annotations

from collections.abc import Collection

from .errors import nearest

_FEW = 20


def in_short(error: BaseException, limit: int = 160) -> str:
    """An exception's text on one line, cut to `limit` characters; its type where it has none."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def suggestion(name: str, known: Collection[str]) -> str | None:
    """A sentence with the names nearest to a misspelt one, all of them where there are few, or None."""
    words = nearest(name, known) if known else ""
    return None if not words or (words.startswith("Known") and len(known) > _FEW) else words
