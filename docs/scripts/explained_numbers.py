"""The numbers of `docs/hrnet_explained.md` and its translations: computed by the package, written into the pages.

    python docs/scripts/explained_numbers.py            # print them
    python docs/scripts/explained_numbers.py --write    # put them into the pages

A number of the text stands between comments, `<!--NAME-->1,234<!---->`; the cells of a table, but for its head and
first column, follow `<!-- numbers: NAME -->`. `tests/docs/test_explained_numbers.py` computes all of them again and
refuses any other.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from counted_networks import Table
from part_numbers import numbers_of_parts
from path_numbers import numbers_of_paths

PAGES = ("hrnet_explained.md", "zh/hrnet_explained.md")

_VALUE = re.compile(r"<!--(?P<name>[a-z][\w.]*)-->(?P<text>.*?)<!---->", re.DOTALL)
_TABLE = re.compile(r"<!-- numbers: (?P<name>\w+) -->\n\n(?P<head>\|.*\n\|.*\n)(?P<rows>(?:\|.*\n)+)")


def compute() -> tuple[dict[str, str], dict[str, Table]]:
    """All values by name, and all tables by name: a list of cells a row, without the first column."""
    (part_values, part_tables), (path_values, path_tables) = numbers_of_parts(), numbers_of_paths()
    return part_values | path_values, part_tables | path_tables


def fill(markdown: str, values: Mapping[str, str], tables: Mapping[str, Table]) -> str:
    """A page with its values and tables as they were computed.

    Raises:
        KeyError: the page asks for a number that is not computed.
        ValueError: a table of the page has another number of rows.
    """

    def fill_table(match: re.Match[str]) -> str:
        rows, cells = match["rows"].splitlines(), tables[match["name"]]
        if len(rows) != len(cells):
            raise ValueError(f"table {match['name']}: found {len(rows)} rows, expected {len(cells)}")
        first = [row.split("|")[1].strip() for row in rows]
        filled = "".join(f"| {' | '.join([name, *row])} |\n" for name, row in zip(first, cells, strict=True))
        return f"<!-- numbers: {match['name']} -->\n\n{match['head']}{filled}"

    markdown = _TABLE.sub(fill_table, markdown)
    return _VALUE.sub(lambda match: f"<!--{match['name']}-->{values[match['name']]}<!---->", markdown)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the numbers, or writes them into the pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put them into the pages")
    write = parser.parse_args(argv).write
    values, tables = compute()
    if not write:
        for name, value in values.items():
            print(f"{name:<28} {value}")
        for name, rows in tables.items():
            print(f"\n{name}", *(" | ".join(row) for row in rows), sep="\n  ")
        return
    for name in PAGES:
        page = Path(__file__).resolve().parent.parent / name
        page.write_text(fill(page.read_text(encoding="utf-8"), values, tables), encoding="utf-8")


if __name__ == "__main__":
    main()
