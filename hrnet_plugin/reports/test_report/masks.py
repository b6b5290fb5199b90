"""The sections about segmentation: classes, confusion, confidence, worst and best images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..page import Page, Share, figure_svg
from .charts import ScoreBins, histogram_figure, score_figure
from .classes import ConfusionTable
from .report import Example

WORST, BEST = "worst", "best"
_IGNORED = ("ignored", (255, 255, 255))


@dataclass(frozen=True)
class ClassRow:
    """One class over all pixels.

    Args:
        name: Of the class.
        iou: Intersection over union, as mmseg's IoUMetric has it; NaN where the class neither is there nor predicted.
        accuracy: Share of its pixels that are predicted as such.
        precision: Share of the pixels predicted as such that are of the class.
        truth, predicted: Shares of all counted pixels.
    """

    name: str
    iou: float
    accuracy: float
    precision: float
    truth: float
    predicted: float


@dataclass(frozen=True)
class MaskCase:
    """An image that is shown."""

    image: str
    miou: float


@dataclass(frozen=True)
class MaskResult:
    """All numbers about masks.

    Args:
        images, pixels: How many were counted.
        miou: Mean IoU over the classes that are there or predicted.
        image_miou: Median over images of the mean IoU of each.
        miou_bins: Images by their mean IoU, in equal bins.
        classes, confusion: The tables.
        confidence: Of pixels, or None where samples hold no logits.
        palette: The colours of the classes in the pictures, RGB (0 to 255).
        worst, best: The images shown.
    """

    images: int
    pixels: int
    miou: float
    image_miou: float
    miou_bins: Sequence[int]
    classes: Sequence[ClassRow]
    confusion: ConfusionTable
    confidence: ScoreBins | None
    palette: Sequence[Sequence[int]]
    worst: Sequence[MaskCase]
    best: Sequence[MaskCase]

    def headline(self) -> dict[str, str]:
        """How the images spread, and how many there are."""
        return {"median mIoU of an image": f"{100 * self.image_miou:.1f}", "images": f"{self.images}"}

    def add_to(self, page: Page, examples: Mapping[str, Sequence[Example]]) -> None:
        """Adds the sections."""
        page.section("Classes", "Over all pixels that are not ignored.")
        page.table(
            ["class", "IoU", "accuracy", "precision", "share of pixels", "share predicted"],
            [
                [row.name, *map(Share, (row.iou, row.accuracy, row.precision)), Share(row.truth), Share(row.predicted)]
                for row in self.classes
            ],
        )
        self.confusion.add_to(page, "pixels")
        page.section("Images", "Mean IoU of each image by itself, over the classes that are in it or predicted in it.")
        page.picture(
            figure_svg(histogram_figure(self.miou_bins, "mean IoU of an image", "images")), "Images by mean IoU"
        )
        if self.confidence:
            page.section(
                "Confidence",
                "The largest probability of each pixel, by softmax of the logits; of large images some of the pixels. "
                "Points on the dashed line would be confidences that are chances.",
            )
            page.picture(figure_svg(score_figure(self.confidence)), self.confidence.note())
        for name, words in ((WORST, "lowest"), (BEST, "highest")):
            page.section(f"{name.capitalize()} images", f"The {words} mean IoU. Picture, truth, prediction.")
            shown = examples.get(name, ())
            if shown:
                page.legend([*zip((row.name for row in self.classes), self.palette, strict=False), _IGNORED])
                page.gallery([(example.picture, example.caption) for example in shown], width=560)
            else:
                page.text("None could be drawn.")
