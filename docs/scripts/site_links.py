"""A hook of MkDocs: what a page links to outside of docs/ becomes a page of the site as well.

Pages link to code and configs by relative paths, as they do on any host of the repository. In the site such a link
leads to `repository/PATH.html`, which shows the file: a page of Markdown as one, anything else as highlighted text, a
folder as a list. So the site is whole in itself, and a link to what is not there is a warning, which `make docs` takes
for an error.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

DOCS = "docs"
#: Where files from outside of docs/ stand in the site.
SHOWN = "repository"
_LINK = re.compile(r"(?P<before>\]\()(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?P<after>\))")
_CODE = re.compile(r"(^ *(`{3,}|~{3,}).*?^ *\2 *$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
#: Of computed numbers (`explained_numbers.py`).
_NUMBER_MARKS = re.compile(r"<!--([a-z][\w.]*)?-->")
_CHINESE_LINE_END = re.compile(r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])\n *(?=[^\s|#!<`>0-9*-])")
_LANGUAGES = {".py": "python", ".yml": "yaml", ".json": "json", ".sh": "bash", ".toml": "toml", ".txt": "text"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each file outside of docs/ that a page links to, and for what those link to in turn."""
    from mkdocs.structure.files import File

    root = Path(config.config_file_path).parent
    pages = [f"{DOCS}/{file.src_uri}" for file in files.documentation_pages()]
    waiting = sorted({target for page in pages for target in _outside(page, root)} | _in_nav(config.nav))
    done: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in done:
            continue
        done.add(path)
        if path.endswith(".md"):
            waiting += _outside(path, root)
        files.append(File.generated(config, shown_at(path), content=_page_of(root, path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns the links of a page to files outside of docs/ into links to their pages; the first page stands alone."""
    root = Path(config.config_file_path).parent
    uri = page.file.src_uri
    if uri == "README.md":
        page.meta["hide"] = ["navigation", "toc"]
    source = uri.removeprefix(f"{SHOWN}/") if uri.startswith(f"{SHOWN}/") else f"{DOCS}/{uri}"
    if not source.endswith(".md"):
        return markdown
    # Between Chinese letters the end of a line is no space.
    markdown = _CHINESE_LINE_END.sub("", markdown) if uri.startswith("zh/") else markdown
    return rewritten(markdown, source, uri, root)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Says which language a page is in, by which browsers choose their letters."""
    if page.file.src_uri.startswith("zh/"):
        return output.replace('<html lang="en"', '<html lang="zh-Hans"', 1)
    return output


def shown_at(path: str) -> str:
    """Where in the site a file outside of docs/ stands: `setup.py` at `repository/setup.py.md`."""
    return f"{SHOWN}/{path}" if path.endswith(".md") else f"{SHOWN}/{path}.md"


def links(markdown: str) -> Iterator[tuple[str, str]]:
    """Path and anchor of each relative link and picture of a page; code is left out."""
    for match in _LINK.finditer(_CODE.sub("", markdown)):
        if "://" not in match["path"] and not match["path"].startswith("mailto:"):
            yield match["path"], match["anchor"] or ""


def rewritten(markdown: str, source: str, uri: str, root: Path) -> str:
    """A page with its links to files outside of docs/ turned into links within the site, and without marks of numbers.

    Args:
        markdown: The page.
        source: Its path from the root of the repository, which its links go from.
        uri: Its path in the site.
        root: The repository.
    """

    def turn(match: re.Match[str]) -> str:
        if "://" in match["path"]:
            return match[0]
        target = _resolve(source, match["path"])
        if not (root / target).exists():
            return match[0]
        place = target.removeprefix(f"{DOCS}/") if _in_site(target) else shown_at(target)
        return f"]({posixpath.relpath(place, posixpath.dirname(uri) or '.')}{match['anchor'] or ''})"

    pieces = _CODE.split(markdown)
    # split() gives text, code, and the fence of the code, in turn.
    return "".join(
        _LINK.sub(turn, _NUMBER_MARKS.sub("", piece)) if index % 3 == 0 else piece if index % 3 == 1 else ""
        for index, piece in enumerate(pieces)
        if piece is not None
    )


def _outside(source: str, root: Path) -> set[str]:
    """The files outside of docs/ that a page links to."""
    text = (root / source).read_text(encoding="utf-8")
    targets = {_resolve(source, path) for path, _ in links(text)}
    return {path for path in targets if not _in_site(path) and path[:2] != ".." and (root / path).exists()}


def _in_site(path: str) -> bool:
    """Whether a file of the repository is part of the site as it is."""
    return path.startswith(f"{DOCS}/") and not path.startswith(f"{DOCS}/scripts/")


def _in_nav(nav: object) -> set[str]:
    """The files outside of docs/ that the navigation names."""
    if isinstance(nav, str):
        return {nav.removeprefix(f"{SHOWN}/")} if nav.startswith(f"{SHOWN}/") else set()
    entries = nav.values() if isinstance(nav, dict) else nav or ()
    return {path for entry in entries for path in _in_nav(entry)}


def _resolve(source: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), path))


def _page_of(root: Path, path: str) -> str:
    """A file or folder as a page."""
    target = root / path
    if path.endswith(".md"):
        return target.read_text(encoding="utf-8")
    meta = f"title: {posixpath.basename(path)}\nsearch:\n  exclude: true\nhide: [toc, navigation]"
    head = f"---\n{meta}\n---\n\n# `{path}`\n\n"
    if target.is_dir():
        shown = (entry for entry in target.iterdir() if entry.name[0] != "." and entry.name != "__pycache__")
        names = sorted(f"{entry.name}{'/' * entry.is_dir()}" for entry in shown)
        return head + "\n".join(f"- `{name}`" for name in names) + "\n"
    text = target.read_text(encoding="utf-8").rstrip()
    return f"{head}~~~~~~{_LANGUAGES.get(target.suffix, 'text')}\n{text}\n~~~~~~\n"
