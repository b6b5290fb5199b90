"""A loss or gradient that is not finite, told in words and as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.errors import UserError

from .culprit import Finding, guilty

LOSS, GRADIENT = "loss", "gradient"
#: How many images a line names.
_NAMED = 3


class TrainingFault(UserError, RuntimeError):
    """A training whose loss or gradient is no longer a number."""


@dataclass(frozen=True)
class Fault:
    """A batch that came out as something other than numbers.

    Args:
        kind: `LOSS` or `GRADIENT`.
        iteration: Counted from 1, as the log does.
        epoch: Counted from 1.
        findings: What each rank found when it ran its batch again.
        remark: What else there is to say of how it came to it.
    """

    kind: str
    iteration: int
    epoch: int
    findings: tuple[Finding, ...]
    remark: str = ""

    @property
    def guilty(self) -> list[Finding]:
        """The ranks at which it began; all of them where that is not known."""
        return guilty(self.findings) or list(self.findings)

    @property
    def images(self) -> list[str]:
        """Paths of the images at fault, or all that may be."""
        return list(dict.fromkeys(image for finding in self.guilty for image in finding.images))

    def found(self) -> str:
        """What was found, on one line."""
        what = f"a {self.kind} that is not finite"
        if self.remark:
            what += f" ({self.remark})"
        return f"{what}; first not finite: {self.first()}; {self._images_in_short()}"

    def first(self) -> str:
        """The first thing that was not finite, in words."""
        culprit = self.guilty[0].culprit
        if culprit is None:
            remark = next((finding.remark for finding in self.findings if finding.remark), "")
            return remark or "nothing when the same batch was run again, so look at the machine, too"
        place = f" [{self.guilty[0].place}]" if self.guilty[0].place else ""
        numbers = [str(finding.rank) for finding in self.guilty]
        ranks = f" on rank{'s' * (len(numbers) > 1)} {' and '.join(numbers)}" if len(self.findings) > 1 else ""
        return f"{culprit.words}{place}{ranks}"

    def _images_in_short(self) -> str:
        images = self.images
        more = f" and {len(images) - _NAMED} more" if len(images) > _NAMED else ""
        word = ("image" if all(map(_told_apart, self.guilty)) else "a batch of image") + "s" * (len(images) != 1)
        return f"{word} {', '.join(images[:_NAMED])}{more}"

    def error(self, folder: Path, unwritten: str, skips: bool) -> TrainingFault:
        """What stops the run.

        Args:
            folder: Where the report is.
            unwritten: Why something is not there.
            skips: Whether such batches have been skipped before.
        """
        do = f"See {folder / 'report.txt'}, with the batch and the weights of before it"
        if unwritten:
            do = unwritten
        elif skips:
            do += "; so many in a row are seldom the data: lower the learning rate, or clip gradients"
        else:
            do += "; --health skip (on_fault='skip') goes on without such batches"
        return TrainingFault(
            f"training, iteration {self.iteration}", found=self.found(), expected="finite losses and gradients", do=do
        )

    def to_plain(self) -> dict[str, object]:
        """As plain values, for JSON."""
        culprit = self.guilty[0].culprit
        return {
            "iteration": self.iteration,
            "epoch": self.epoch,
            "what": self.kind,
            "remark": self.remark,
            "first_not_finite": self.first(),
            "module": culprit.where if culprit else "",
            "place": self.guilty[0].place,
            "images": self.images,
            "guilty_ranks": [finding.rank for finding in self.guilty],
            "ranks": [_plain(finding) for finding in self.findings],
        }

    def text(self, action: str, files: Mapping[str, str]) -> str:
        """The whole report, in words.

        Args:
            action: What became of the batch.
            files: What is in those beside the report, by name.
        """
        lines = [
            f"Iteration {self.iteration}, epoch {self.epoch}: a {self.kind} that is not finite, found before the "
            "optimizer stepped.",
            *([f"Remark: {self.remark}."] if self.remark else []),
            f"First not finite: {self.first()}.",
            "",
            "Images that it came from, or may have come from:",
            *(f"  {image}" for image in self.images),
            "",
            *(line for finding in self.findings for line in _lines(finding, len(self.findings) > 1)),
            "Weights, what the optimizer remembers, running statistics and random streams are as before this batch.",
            action,
            "",
            *(f"{name}: {words}." for name, words in files.items()),
        ]
        return "\n".join(lines) + "\n"


def _told_apart(finding: Finding) -> bool:
    """Whether some images of the batch are at fault and others not, or all of them hold it themselves."""
    culprit = finding.culprit
    return culprit is not None and (not culprit.order or 0 < len(culprit.images) < len(finding.names))


def _lines(finding: Finding, several: bool) -> list[str]:
    of = f"Rank {finding.rank}: l" if several else "L"
    values = ", ".join(f"{name} {value:.6g}" for name, value in finding.losses) or "not known"
    lines = [f"{of}osses of the batch: {values}."]
    if several:
        lines.append("  " + (f"first not finite: {finding.culprit.words}" if finding.culprit else "all finite"))
    if finding.remark:
        lines.append(f"  {finding.remark}")
    return [*lines, "  all its images:", *(f"    {name}" for name in finding.names), ""]


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "rank": finding.rank,
        "first_not_finite": finding.culprit.words if finding.culprit else "",
        "module": finding.culprit.where if finding.culprit else "",
        "images": list(finding.names),
        # JSON has no NaN.
        "losses": {name: value if math.isfinite(value) else str(value) for name, value in finding.losses},
        "remark": finding.remark,
    }
