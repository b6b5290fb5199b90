"""The site builds without a warning, and asks for nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install -r requirements/docs.txt")
pytest.importorskip("material", reason="mkdocs-material is not installed: pip install -r requirements/docs.txt")

#: What a browser fetches without being asked: attribute by tag.
FETCHED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}


class Fetched(HTMLParser):
    """Collects what a page fetches, what it links to, and the places that can be linked to."""

    def __init__(self):
        super().__init__()
        self.fetched, self.linked, self.places = [], [], set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if (tag, values.get("rel")) != ("link", "canonical") and values.get(FETCHED.get(tag, "")):
            self.fetched.append(values[FETCHED[tag]])
        if tag == "a" and values.get("href"):
            self.linked.append(values["href"])
        self.places |= {values[key] for key in ("id", "name") if values.get(key)}


@pytest.fixture(scope="module")
def build() -> Callable[[Path, Path], Path]:
    """Builds the site of a folder's mkdocs.yml with warnings as errors."""
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config

    def run(root: Path, out: Path) -> Path:
        build_site(load_config(str(root / "mkdocs.yml"), strict=True, site_dir=str(out)))
        return out

    return run


@pytest.fixture(scope="module")
def site(build, tmp_path_factory, project_root) -> Path:
    """The built site."""
    return build(project_root, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Fetched]:
    """Every built page, read; 404.html is made for the root of a server."""
    found = {}
    for path in sorted(site.rglob("*.html")):
        if path.name != "404.html":
            found[path] = Fetched()
            found[path].feed(path.read_text(encoding="utf-8"))
    assert len(found) > 50
    return found


def test_every_page_is_there(site, docs):
    for page in docs.rglob("*.md"):
        name = page.relative_to(docs).with_suffix(".html")
        assert (site / ("index.html" if name.name == "README.html" else name)).is_file(), name


def test_nothing_is_fetched_from_elsewhere(site, pages):
    for path, page in pages.items():
        assert page.fetched, path
        assert not [url for url in page.fetched if urlsplit(url).netloc], path
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")), sheet


def test_every_link_within_the_site_leads_somewhere(pages):
    checked = 0
    for path, page in pages.items():
        for url in [*page.linked, *page.fetched]:
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path}: {url}"
            if parts.fragment and target in pages and not parts.fragment.startswith("__"):
                assert unquote(parts.fragment) in pages[target].places, f"{path}: {url}"
            checked += 1
    assert checked > 1000


def test_code_is_shown_in_the_site(site):
    shown = (site / "repository/hrnet_plugin/nets/blocks.py.html").read_text(encoding="utf-8")
    assert "Bottleneck" in shown
    assert 'lang="zh-Hans"' in (site / "zh/getting_started.html").read_text(encoding="utf-8")


def test_marks_of_numbers_are_not_in_the_site(site):
    page = (site / "hrnet_explained.html").read_text(encoding="utf-8")
    assert "49.6 %" in page
    assert "<!--branch" not in page


@pytest.fixture
def small(tmp_path: Path, project_root: Path) -> Path:
    """A site of one page, with our hook."""
    (tmp_path / "docs/scripts").mkdir(parents=True)
    hook = (project_root / "docs/scripts/site_links.py").read_text(encoding="utf-8")
    (tmp_path / "docs/scripts/site_links.py").write_text(hook, encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text(
        "site_name: small\ntheme: {name: material, font: false}\nhooks: [docs/scripts/site_links.py]\n"
        "exclude_docs: /scripts/\nnot_in_nav: repository/\nplugins: []\n"
        "validation: {anchors: warn, unrecognized_links: warn}\n"
    )
    (tmp_path / "there.py").write_text("value = 1\n")
    (tmp_path / "GUIDE.md").write_text("# Guide\n\n[code](there.py) and [page](docs/index.md)\n")
    return tmp_path


def test_links_to_files_outside_become_pages(build, small, tmp_path):
    (small / "docs/index.md").write_text("# One\n\n[code](../there.py), [guide](../GUIDE.md#guide), `[no](../x.py)`\n")
    out = build(small, tmp_path / "out")
    assert "value" in (out / "repository/there.py/index.html").read_text()
    assert 'href="repository/there.py/"' in (out / "index.html").read_text()
    assert 'href="../there.py/"' in (out / "repository/GUIDE/index.html").read_text()


@pytest.mark.parametrize("link", ["../gone.py", "gone.md", "../GUIDE.md#gone", "#gone"])
def test_a_link_to_nothing_stops_the_build(build, small, tmp_path, link):
    from mkdocs.exceptions import Abort

    (small / "docs/index.md").write_text(f"# One\n\n[code]({link})\n")
    with pytest.raises((Abort, SystemExit)):
        build(small, tmp_path / "out")
