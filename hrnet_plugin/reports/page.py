"""A page in one file: text, tables and pictures, which opens without a network and runs no code."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..disk import write_whole
from ..errors import ConfigError
from ..findings import Finding, worst_first
from ..version import __version__

if TYPE_CHECKING:
    from jinja2 import Template
    from matplotlib.figure import Figure

_KINDS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"<?xml": "image/svg+xml"}

#: What a page's picture may be: PNG, JPEG or SVG bytes, a file of such, (H, W, 3) uint8 RGB, or a matplotlib figure.
Picture: TypeAlias = "bytes | np.ndarray | Path | Figure"


@dataclass(frozen=True)
class Share:
    """A cell of a table with a share, written as percent over a bar of that length.

    Args:
        value: 0 to 1; NaN where there is none.
        shaded: The whole cell is tinted as strongly as the share is large, in the place of a bar: for matrices.
        digits: Behind the percent's decimal point.
    """

    value: float
    shaded: bool = False
    digits: int = 1

    def __str__(self) -> str:
        return "-" if np.isnan(self.value) else f"{100 * self.value:.{self.digits}f} %"

    @property
    def filled(self) -> float:
        """How much of the cell is filled, 0 to 1."""
        return 0.0 if np.isnan(self.value) else min(max(float(self.value), 0.0), 1.0)


@dataclass
class _Block:
    """One piece of a page: a heading, a paragraph, a table, a picture, findings."""

    kind: str
    content: Mapping[str, object]


@dataclass
class Page:
    """A page that grows from top to bottom.

    Args:
        title: First line, and the name of the browser's tab.
        about: What the page is about, as names and values: config, checkpoint, input size.

    Example:
        >>> page = Page("Complexity", {"config": "hrnet_w32_coco"})
        >>> page.section("Stages").table(["stage", "MACs"], [["2", 1.5]])
        >>> b"<h2" in page.html()
        True
    """

    title: str
    about: Mapping[str, object] = field(default_factory=dict)
    _blocks: list[_Block] = field(default_factory=list)

    def section(self, title: str, text: str = "") -> Page:
        """Begins a section; returns the page, to go on with it."""
        self._blocks.append(_Block("section", {"title": title, "number": len(self._blocks)}))
        return self.text(text) if text else self

    def text(self, text: str) -> Page:
        """Adds a paragraph of plain text."""
        self._blocks.append(_Block("text", {"text": text}))
        return self

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "", folded: str = "") -> None:
        """Adds a table.

        Args:
            head: Names of the columns.
            rows: As many cells each; columns of numbers alone are aligned to the right, shares are drawn as bars.
            caption: A line below it.
            folded: A line in the place of the table, which opens it: for those that few readers want to see.
        """
        cells = [[cell if isinstance(cell, Share) else _as_text(cell) for cell in row] for row in rows]
        numeric = [bool(cells) and all(_is_number(str(row[column])) for row in cells) for column in range(len(head))]
        content = {"head": head, "rows": cells, "numeric": numeric, "caption": caption, "folded": folded}
        self._blocks.append(_Block("table", content))

    def headline(self, facts: Mapping[str, str]) -> None:
        """Adds a few numbers in large letters, each with its name: what a reader wants to know first."""
        self._blocks.append(_Block("headline", {"facts": dict(facts)}))

    def picture(self, picture: Picture, caption: str = "") -> None:
        """Adds a picture, which goes into the page itself.

        Args:
            picture: PNG, JPEG or SVG bytes, a file of such, (H, W, 3) uint8 RGB, or a matplotlib figure.
            caption: A line below it, which also stands for it where pictures are not shown.
        """
        self._blocks.append(_Block("picture", {"source": _source(picture), "caption": caption}))

    def gallery(self, pictures: Iterable[tuple[Picture, str]], width: int = 260) -> None:
        """Adds small pictures side by side, as many in a row as fit.

        Args:
            pictures: Each with its caption.
            width: The least width of one, in pixels.
        """
        shown = [{"source": _source(picture), "caption": caption} for picture, caption in pictures]
        self._blocks.append(_Block("gallery", {"pictures": shown, "width": width}))

    def legend(self, entries: Iterable[tuple[str, Sequence[int]]]) -> None:
        """Adds coloured squares with names in a line: what the colours in pictures mean.

        Args:
            entries: Names, each with its RGB colour (0 to 255).
        """
        shown = [(name, "#" + "".join(f"{int(part):02x}" for part in colour)) for name, colour in entries]
        self._blocks.append(_Block("legend", {"entries": shown}))

    def findings(self, findings: Sequence[Finding]) -> None:
        """Adds findings, worst first, or a line that says that there are none."""
        self._blocks.append(_Block("findings", {"findings": worst_first(findings)}))

    def html(self) -> bytes:
        """The whole page."""
        return _template().render(page=self, blocks=self._blocks, version=__version__).encode()

    def write(self, path: str | Path) -> Path:
        """Writes the page as a whole or not at all.

        Raises:
            ConfigError: the file cannot be written.
        """
        path = Path(path).expanduser()
        try:
            write_whole(self.html(), path)
        except OSError as error:
            raise ConfigError(
                f"page {path}",
                found=error.strerror or str(error),
                expected="a file that can be written",
                do="Name another one",
            ) from error
        return path


def figure_png(figure: Figure, dpi: int = 120) -> bytes:
    """A matplotlib figure as PNG; no screen is needed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=dpi, format="png", metadata={"Software": None})
    return buffer.getvalue()


def figure_svg(figure: Figure) -> bytes:
    """A matplotlib figure as SVG, sharp at any size: for lines and bars. Equal figures give equal bytes."""
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "hrnet_plugin"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return buffer.getvalue()


def _source(picture: Picture) -> str:
    data = _as_bytes(picture)
    kind = next((name for start, name in _KINDS.items() if data.startswith(start)), "image/png")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _as_bytes(picture: bytes | np.ndarray | Path | Figure) -> bytes:
    if isinstance(picture, bytes):
        return picture
    if isinstance(picture, Path):
        return picture.read_bytes()
    if not isinstance(picture, np.ndarray):
        return figure_png(picture)
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(buffer, "PNG")
    return buffer.getvalue()


def _as_text(cell: object) -> str:
    if isinstance(cell, (float, np.floating)):
        return f"{cell:.4g}"
    return "" if cell is None else str(cell)


def _is_number(text: str) -> bool:
    try:
        float(text.rstrip("%x ").replace(",", "") or "0")
    except ValueError:
        return text in ("-", "n/a")
    return True


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = FileSystemLoader(Path(__file__).parent / "templates")
    # Names of images, classes and files come from elsewhere: everything is escaped.
    return Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("page.html.j2")
