"""Rows of the index for those who read them: as plain values, and by their leading metric."""

from __future__ import annotations

from .index import ZooModel

#: Metrics by weight: of a model's metrics the first of these says most; tables show the first few.
LEADING = (
    *("Whole AP", "Body AP", "Face AP", "Hand AP", "AP", "AP@0.5", "AP@0.75", "AR", "Total", "Mean", "Mean@0.1"),
    *("PCK", "PCK@0.2", "PCKh@0.7", "AUC", "EPE", "NME", "NME full", "NME test", "NME frontal", "NME common"),
    *("NME challenge", "box AP", "mask AP", "mIoU", "mIoU(ms+flip)", "Top 1 Accuracy", "Top 5 Accuracy"),
)


def lead_metric(model: ZooModel) -> str:
    """The name of the leading metric of a model's first result; '' where it has none."""
    metrics = model.results[0].metrics
    return next((name for name in LEADING if name in metrics), next(iter(metrics), ""))


def as_row(model: ZooModel) -> dict:
    """A model as its metafile has it, in the order of the metafile."""
    weights = model.weights
    row = {
        "Name": model.name,
        "In Collection": model.family,
        "Config": model.config_name,
        "Upstream": model.upstream,
        "Differs": list(model.differs),
        "Metadata": dict(model.metadata),
        "Results": [
            {
                "Task": result.task,
                "Dataset": result.dataset,
                **({"Boxes": result.boxes} if result.boxes else {}),
                "Metrics": dict(result.metrics),
            }
            for result in model.results
        ],
        "Source": model.source,
        "Weights": weights.url if weights else None,
        "SHA256": weights.sha256 if weights else None,
        "Remark": model.remark,
    }
    return {key: value for key, value in row.items() if value}
