"""Pages are whole, escaped, and ask nothing of a network."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hrnet_plugin.errors import ConfigError
from hrnet_plugin.findings import ERROR, NOTE, Finding
from hrnet_plugin.reports.page import Page, Share, figure_png, figure_svg


@pytest.fixture
def page() -> Page:
    page = Page("A <page>", {"config": "a&b.py"})
    page.section("Numbers", "Some <script>alert(1)</script> text")
    page.table(["name", "MACs"], [["stem", 1.25], ["<img src=x>", 1234567.0]], "in 10^9")
    page.section("Pictures").picture(np.zeros((4, 6, 3), np.uint8), "black")
    page.section("Findings").findings(
        [Finding(NOTE, "b", "y", "2"), Finding(ERROR, "a", "x", "1", "3", "Mend it", examples=("one",))]
    )
    return page


def test_everything_is_in_the_one_file(page):
    html = page.html().decode()
    assert re.findall(r'src="([^"]{10})', html) == ["data:image"]
    assert "http://" not in html
    assert "https://" not in html
    assert "<script" not in html


def test_text_of_others_is_escaped(page):
    html = page.html().decode()
    assert "<title>A &lt;page&gt;</title>" in html
    assert "a&amp;b.py" in html
    assert "&lt;img src=x&gt;" in html


def test_numbers_are_aligned_to_the_right_and_names_are_not(page):
    html = page.html().decode()
    assert '<td class="number">1.25</td>' in html
    assert "<td>stem</td>" in html


def test_errors_stand_before_notes(page):
    html = page.html().decode()
    assert html.index('class="finding error"') < html.index('class="finding note"')
    assert "expected 3" in html
    assert "<li>one</li>" in html


def test_a_sentence_of_a_finding_ends_once():
    page = Page("Stops")
    page.findings(
        [Finding(NOTE, "a", "x", "1", "2", "Did you mean 'y'?"), Finding(NOTE, "a", "x", "1", "2", "Mend it")]
    )
    html = page.html().decode()
    assert "?." not in html
    assert "Mend it." in html


def test_no_findings_are_told():
    page = Page("Clean")
    page.findings([])
    assert "No findings." in page.html().decode()


def test_a_figure_becomes_a_png():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([0, 1])
    assert figure_png(figure).startswith(b"\x89PNG")


def test_a_figure_becomes_the_same_svg_each_time():
    from matplotlib.figure import Figure

    def plot() -> Figure:
        figure = Figure(figsize=(1, 1))
        figure.add_subplot().plot([0, 1])
        return figure

    page = Page("Plot")
    page.picture(figure_svg(plot()), "a line")
    assert 'src="data:image/svg+xml;base64,' in page.html().decode()
    assert figure_svg(plot()) == figure_svg(plot())


def test_shares_are_percent_over_bars_and_shades():
    page = Page("Shares")
    page.table(["class", "IoU"], [["sky", Share(0.256)], ["road", Share(float("nan"))], ["car", Share(1.7)]])
    page.table(["true", "sky"], [["sky", Share(0.9, shaded=True, digits=0)]])
    html = page.html().decode()
    assert '<td class="bar" style="--share: 25.6%">25.6 %</td>' in html
    assert '<td class="bar" style="--share: 0.0%">-</td>' in html
    assert '<td class="bar" style="--share: 100.0%">170.0 %</td>' in html
    assert '<td class="shade deep" style="--share: 90.0%">90 %</td>' in html


def test_tables_may_be_folded():
    page = Page("Folded")
    page.table(["a"], [["1"]], folded="All <rows>")
    html = page.html().decode()
    assert html.index("<summary>All &lt;rows&gt;</summary>") < html.index("<table>") < html.index("</details>")
    assert "<details>" not in Page("Plain").html().decode()


def test_galleries_and_headlines():
    page = Page("More")
    page.headline({"AP <all>": "0.627"})
    page.legend([("a & b", (255, 0, 16))])
    page.gallery([(np.zeros((4, 6, 3), np.uint8), "first & last")] * 2, width=200)
    html = page.html().decode()
    assert "<div><b>0.627</b><span>AP &lt;all&gt;</span></div>" in html
    assert html.count('alt="first &amp; last"') == 2
    assert 'style="--width: 200px"' in html
    assert '<i style="background: #ff0010"></i>a &amp; b</span>' in html


def test_a_page_that_cannot_be_written_is_one_line(page, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"page .*file/page\.html: found .*, expected a file that can be written"):
        page.write(tmp_path / "file" / "page.html")
    assert page.write(tmp_path / "new" / "page.html").read_bytes() == page.html()


def test_a_browser_opens_it_as_it_is_meant(page, browser, tmp_path):
    path = page.write(tmp_path / "page.html")
    dom = browser.dump_dom(path)
    assert "<h1>A &lt;page&gt;</h1>" in dom
    assert dom.count("<h2") == 3
    shown = browser.screenshot(path, (600, 400))
    assert shown.size == (600, 400)
    assert len(shown.getcolors(600 * 400)) > 20  # text and picture, not a blank page
