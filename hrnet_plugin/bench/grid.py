"""A config in every way that the user asks for: runtimes, precisions, sizes, batches, against another's network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..deploy.runtimes.base import PRECISIONS
from ..deploy.runtimes.start import RUNTIMES
from ..errors import ConfigError, nearest
from .plans import Plan
from .subjects import EAGER, LIMIT, Network, Subject

AGAINST = ("mmpose", "mmseg", "timm")
#: Those whose HRNet stops at widths and heights that do not halve down to its last branch.
_STRICT_SIZES = ("mmpose", "timm")
_STRIDE = 32
_ON_A_CARD = ("torch", "torch-compile")


@dataclass(frozen=True)
class Grid:
    """What is measured of each config.

    Args:
        runtimes, precisions: In every combination that there is.
        sizes: (width, height) in pixels; empty for the config's own.
        batches: Images a call.
        against: `mmpose`, `mmseg` or `timm`: the baseline is that one's own network; '' for ours, run eagerly.
        checkpoint: Weights; '' for generated ones.
        device: `cpu` or `cuda`.

    Raises:
        ConfigError: a runtime, precision or framework that is not known, none that fits together, a size that
            cannot be.
    """

    runtimes: tuple[str, ...] = ("torch",)
    precisions: tuple[str, ...] = ("fp32",)
    sizes: tuple[tuple[int, int], ...] = ()
    batches: tuple[int, ...] = (1,)
    against: str = ""
    checkpoint: str = ""
    device: str = "cpu"

    def __post_init__(self):
        _check_known("--runtimes", self.runtimes, tuple(RUNTIMES))
        _check_known("--precisions", self.precisions, PRECISIONS)
        _check_known("--against", [self.against] if self.against else [], AGAINST)
        for precision in self.precisions:
            if not any(precision in RUNTIMES[runtime].precisions for runtime in self.runtimes):
                having = ", ".join(runtime for runtime, known in RUNTIMES.items() if precision in known.precisions)
                found = f"not computed by {', '.join(self.runtimes)}"
                raise ConfigError(f"--precisions {precision}", found=found, expected=f"a runtime of {having}")
        for name in ("runtimes", "precisions", "batches"):
            if not getattr(self, name):
                raise ConfigError(f"--{name}", found="none", expected="at least one, separated by commas")
        for runtime in self.runtimes if self.device == "cuda" else ():
            if runtime not in _ON_A_CARD:
                what, expected = f"--runtimes {runtime} with --device cuda", " or ".join(_ON_A_CARD)
                raise ConfigError(what, found="a runtime of the CPU", expected=expected)
        for width, height in self.sizes:
            self._check_size(width, height)
        for batch in self.batches:
            if batch < 1:
                raise ConfigError("--batches", found=batch, expected="whole numbers of at least 1")

    def _check_size(self, width: int, height: int) -> None:
        fits = min(width, height) >= _STRIDE
        if self.against in _STRICT_SIZES:
            fits = fits and not (width % _STRIDE or height % _STRIDE)
        if not fits:
            whose = f", which {self.against}'s HRNet needs" if self.against in _STRICT_SIZES else ""
            expected = f"width and height that are multiples of {_STRIDE}{whose}"
            raise ConfigError(f"--sizes {width}x{height}", found="a size that does not fit", expected=expected)

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """Runtime and precision, in every combination that there is."""
        pairs = itertools.product(self.runtimes, self.precisions)
        return tuple((runtime, precision) for runtime, precision in pairs if precision in RUNTIMES[runtime].precisions)


def plan_grid(config: Path, grid: Grid) -> Plan:
    """What is measured of one config.

    Args:
        config: Its file.
        grid: In which ways.

    Raises:
        ConfigError: the config does not tell a size, and none is given.
    """
    subjects: list[Subject] = []
    sizes = grid.sizes or (_own_size(config),)
    for size, batch in itertools.product(sizes, grid.batches):
        where = f", {batch} of {size[0]}x{size[1]}" if len(sizes) * len(grid.batches) > 1 else ""
        subjects += _at(config, grid, size, batch, where)
    against = f" against {grid.against}" if grid.against else ""
    eager = tuple(one.name for one in subjects if one.runtime == EAGER and one.role != LIMIT)[:1]
    parts = eager if grid.against != "timm" else ()
    return Plan(config.stem, f"{config.stem}{against}", tuple(subjects), memory=True, parts=parts)


def _at(config: Path, grid: Grid, size: tuple[int, int], batch: int, where: str) -> list[Subject]:
    ours = Network(
        str(config), checkpoint=grid.checkpoint, backbone_only=grid.against == "timm", size=size, batch=batch
    )
    baseline = replace(ours, framework=grid.against) if grid.against else ours
    subjects = [Subject(f"{grid.against or 'ours'} eager{where}", baseline)]
    for runtime, precision in grid.ways:
        subjects.append(Subject(f"{runtime} {precision}{where}", ours, baseline, runtime=runtime, precision=precision))
    return [*subjects, Subject(f"limit{where}", baseline, role=LIMIT)]


def _own_size(config: Path) -> tuple[int, int]:
    from mmengine.config import Config

    from ..zoo.figures import read_input_size

    return tuple(read_input_size(Config.fromfile(str(config))))


def _check_known(flag: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{flag} {name}", found="not known", do=nearest(name, known))
