"""The generated parts of the index: computed figures in the metafiles, and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from mmengine.config import Config

from ..published.index import metafiles, read_index, read_short_names
from ..published.metafile import dump_metafile, load_metafile, write_text
from .figures import FigureCounter
from .page import write_page

COMPUTED = ("Input Size", "Parameters", "MACs (10^9)", "Counted")


def page_path(configs: Path) -> Path:
    """Where the page stands in a checkout whose configs are in `configs`."""
    return configs.parent / "docs" / "model_zoo.md"


def with_figures(metadata: Mapping, figures: Mapping) -> dict:
    """A row's metadata with the computed fields after the training data, and all else as it was."""
    rest = {key: value for key, value in metadata.items() if key not in COMPUTED}
    return {"Training Data": rest.pop("Training Data"), **figures, **rest}


def stale_page(configs: Path) -> list[Path]:
    """The page, where it is not what the index gives; nothing where it is."""
    path = page_path(configs)
    there = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [] if there == write_page(read_index(configs), read_short_names(configs)) else [path]


def refresh(configs: Path, write: bool, tell: Callable[[str], None] = lambda name: None) -> list[Path]:
    """Computes the figures of every row and the page anew.

    Args:
        configs: The folder of the configs.
        write: Whether to write what has changed.
        tell: Called with the name of each row.

    Returns:
        The files that were out of date.

    Raises:
        ConfigError: a metafile is broken, or a file cannot be written.
    """
    counter, changed = FigureCounter(), []
    for metafile in metafiles(configs):
        content = load_metafile(metafile)
        models = []
        for row in content["Models"]:
            tell(row["Name"])
            figures = counter.count(Config.fromfile(str(configs.parent / row["Config"]))).as_metadata()
            models.append({**row, "Metadata": with_figures(row["Metadata"], figures)})
        if models != content["Models"]:
            changed.append(metafile)
            if write:
                dump_metafile({**content, "Models": models}, metafile)
    page = stale_page(configs)
    if write and page:
        page[0].parent.mkdir(exist_ok=True)
        write_text(write_page(read_index(configs), read_short_names(configs)), page[0])
    return changed + page
