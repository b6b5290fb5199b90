"""The flow of features as one sheet: branches below each other by resolution, steps from left to right."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np

from ..analysis.drawing import FAINT, Sheet, enlarge
from .feature_flow import OUTPUT, FlowCell

_MARGIN, _GAP, _TITLE, _HEAD, _LEFT, _CAPTION = 24, 14, 58, 40, 86, 46
#: Single channels side by side that can still be told apart.
MOST_CHANNELS = 8
_SHARE = 0.68  # of the colours against the picture


def mean_activation(cell: FlowCell) -> np.ndarray:
    """(H, W): the mean over the channels; of the network's own output the maximum, where each channel is a thing."""
    return cell.values.max(axis=0) if cell.column == OUTPUT else cell.values.mean(axis=0)


def choose_channels(cell: FlowCell, count: int, wanted: Sequence[int] = ()) -> list[int]:
    """Channels worth a look: those asked for, as far as there are so many, or those that vary most over the picture."""
    if wanted:
        return [channel for channel in wanted if channel < len(cell.values)]
    spread = cell.values.reshape(len(cell.values), -1).std(axis=1)
    return [int(channel) for channel in np.argsort(-spread, kind="stable")[: min(count, len(spread))]]


def draw_flow_sheet(
    picture: np.ndarray,
    cells: Sequence[FlowCell],
    *,
    title: str,
    channels: int = 3,
    wanted: Sequence[int] = (),
    tile_width: int = 168,
) -> Sheet:
    """Draws the flow over the picture that went into the network.

    In each cell: the mean activation over the picture, below it single channels, then shape and statistics. Colours go
    from the lowest to the highest value of each map, dark to bright.

    Args:
        picture: (H, W, 3) uint8 RGB, as the network got it.
        cells: Of :func:`feature_flow.capture_flow`.
        title: First line of the sheet.
        channels: How many channels to show in each cell.
        wanted: Which; by default those that vary most.
        tile_width: Width of a cell in pixels.
    """
    columns = list(dict.fromkeys(cell.column for cell in cells))
    rows = max(cell.branch for cell in cells) + 1
    base = enlarge(picture, tile_width)
    small = 0
    if channels:
        # Always three or more side by side, so that a network with few channels does not get taller rows.
        across = max(channels if not wanted else len(wanted), 3)
        small = (tile_width - (across - 1) * 2) // across
    strip = 0 if not small else round(small * picture.shape[0] / picture.shape[1]) + 4
    high = base.shape[0] + strip + _CAPTION + _GAP
    width = 2 * _MARGIN + _LEFT + (len(columns) + 1) * (tile_width + _GAP)
    sheet = Sheet(width, 2 * _MARGIN + _TITLE + _HEAD + rows * high)
    _write_heads(sheet, title, columns, tile_width, cells, picture, rows, high)
    sheet.put(base, _MARGIN + _LEFT, _MARGIN + _TITLE + _HEAD)
    for cell in cells:
        left = _MARGIN + _LEFT + (columns.index(cell.column) + 1) * (tile_width + _GAP)
        top = _MARGIN + _TITLE + _HEAD + cell.branch * high
        sheet.put(_over(base, mean_activation(cell)), left, top)
        chosen = choose_channels(cell, channels, wanted) if channels else []
        if small:
            backing = enlarge(picture, small)
            for place, channel in enumerate(chosen):
                sheet.put(_over(backing, cell.values[channel]), left + place * (small + 2), top + base.shape[0] + 2)
        _write_caption(sheet, cell, chosen, left, top + base.shape[0] + strip + 2)
    return sheet


def as_npz(cells: Sequence[FlowCell]) -> bytes:
    """All features as a file of arrays (.npz), (C, H, W) each, under the names of their modules."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{cell.key: cell.values for cell in cells})
    return buffer.getvalue()


def _write_heads(
    sheet: Sheet, title: str, columns: Sequence[str], tile: int, cells: Sequence[FlowCell], picture: np.ndarray,
    rows: int, high: int,
) -> None:  # fmt: skip
    sheet.write(title, _MARGIN, _MARGIN, size=20, bold=True)
    line = "mean activation over the picture, single channels below it; each map from its lowest (dark) to its highest "
    sheet.write(line + "value (bright)", _MARGIN, _MARGIN + 30, size=13, colour=FAINT)
    top = _MARGIN + _TITLE
    for index, column in enumerate(["input", *columns]):
        left = _MARGIN + _LEFT + index * (tile + _GAP)
        first, _, second = column.rpartition(", ")
        for line, text in enumerate([first, second] if first else [second]):
            sheet.write(text, left, top + 17 * line, size=13, bold=not line)
    for row in range(rows):
        place = top + _HEAD + row * high
        sheet.write(f"branch {row + 1}", _MARGIN, place, size=13, bold=True)
        inside = next(
            (cell for cell in cells if cell.branch == row and cell.column.startswith(("stem", "stage"))), None
        )
        if inside is not None:
            stride = round(picture.shape[1] / inside.values.shape[2])
            sheet.write(f"1/{stride}", _MARGIN, place + 18, size=13, colour=FAINT)


def _write_caption(sheet: Sheet, cell: FlowCell, chosen: Sequence[int], left: int, top: int) -> None:
    found = cell.statistics()
    shape = "x".join(map(str, cell.values.shape))
    listed = f"  ch {','.join(map(str, chosen))}" if chosen else ""
    lines = (
        f"{shape}{listed}",
        f"mean {found['mean']:.3g}  std {found['std']:.3g}",
        f"max {found['max']:.3g}  zero {100 * found['zeros']:.0f} %",
    )
    for index, line in enumerate(lines):
        sheet.write(line, left, top + 14 * index, size=11, colour=FAINT)


def _over(picture: np.ndarray, values: np.ndarray) -> np.ndarray:
    """A map (h, w) in colours over a picture (H, W, 3)."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    finite = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = np.zeros_like(finite) if high <= low else (finite - low) / (high - low)
    size = (picture.shape[1], picture.shape[0])
    level = cv2.resize(
        (255 * scaled).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST
    )  # each pixel as large as it is
    colours = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB)
    return cv2.addWeighted(picture, 1 - _SHARE, colours, _SHARE, 0)
