"""`docs/model_zoo.md`, written from the index: a table a data set, remarks as footnotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..published.index import ZooModel
from ..published.rows import LEADING

#: The sections of the page, by the folder of the configs.
SECTIONS = {
    "body_2d_keypoint": "Body keypoints",
    "wholebody_2d_keypoint": "Whole-body keypoints",
    "face_2d_keypoint": "Face keypoints",
    "hand_2d_keypoint": "Hand keypoints",
    "fashion_2d_keypoint": "Clothes keypoints",
    "animal_2d_keypoint": "Animal keypoints",
    "semantic_segmentation": "Semantic segmentation",
    "object_detection": "Object detection",
    "instance_segmentation": "Instance segmentation",
    "image_classification": "Image classification",
}
#: How many metrics a table shows.
_MOST_METRICS = 4
_OPENING = """\
# Model zoo

{models} published models, each with a config, and what was published of them. Where a framework has the config, ours is
the same when resolved, but for what a remark names (`hrnet zoo verify`). `hrnet zoo list` and `hrnet zoo show NAME`
tell the same on the command line, with every metric. This page is written by `hrnet zoo page --write`; a test fails
where it is out of date.

- **Computed here**: parameters, in 10^6, and multiply-accumulates (MACs) of one picture, in 10^9, of the whole model at
  the input named (width x height). Norms, activations, additions and interpolation are not counted. Segmentation is
  counted at the size of the training crops, detection at 1280x800.
- **Published by others**: metrics, weights, and the figures in the column *published*, which stand in their own unit.
  "GFLOPs" of this family are MACs too, mostly divided by 2^30. Parameters and MACs of ours are the same as published
  within rounding, unless a remark says otherwise.
- **Not measured again here**: the metrics. They are those of the page behind *source*; where an index and a README of
  its framework disagree, the remark gives both and says which was taken.
- **Weights**: the link is the address at which they were published, its text the first digits of their SHA-256.
  `hrnet zoo fetch NAME` puts them into the local store and checks them.
"""


@dataclass
class _Footnotes:
    """Remarks in the order of their first mention; the same remark has one number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, *remarks: str) -> str:
        """The marks of remarks, empty ones left out."""
        return "".join(f"[^{self.numbers.setdefault(text, len(self.numbers) + 1)}]" for text in remarks if text)

    def lines(self) -> list[str]:
        return [f"[^{number}]: {text}" for text, number in self.numbers.items()]


@dataclass(frozen=True)
class _Line:
    """A line of a table: a model with what was measured on one data set with one kind of boxes."""

    model: ZooModel
    metrics: Mapping[str, float]
    first: bool
    label: str


def write_page(models: Sequence[ZooModel], short_names: Mapping[str, Mapping[str, str]]) -> str:
    """The page, in Markdown.

    Args:
        models: The index.
        short_names: The configs beside it, as `read_short_names` gives them.
    """
    notes = _Footnotes()
    parts = [_OPENING.format(models=len(models)), _short_names(short_names, models)]
    for folder, title in SECTIONS.items():
        parts.append(f"## {title}\n")
        own = [model for model in models if model.config.parents[1].name == folder]
        for dataset in dict.fromkeys(model.dataset for model in own):
            lines = [line for model in own if model.dataset == dataset for line in _lines(model)]
            parts.append(f"### {dataset}\n\n{_table(lines, notes)}")
    return "\n".join([*parts, "## Remarks\n", *notes.lines(), ""])


def _short_names(short_names: Mapping[str, Mapping[str, str]], models: Sequence[ZooModel]) -> str:
    known = {model.name: model for model in models}
    rows = []
    for name, entry in short_names.items():
        model = known.get(entry.get("Model", ""))
        about = f"[{model.name}](../{model.config_name})" if model else entry["About"]
        rows.append([f"[{name}](../configs/{name}.py)", about])
    return f"## Short names\n\n{_markdown(['config', 'is'], rows)}"


def _lines(model: ZooModel) -> list[_Line]:
    """One line for each data set and kind of boxes; tasks that were measured together share theirs."""
    measured: dict[tuple[str, str], dict[str, float]] = {}
    for result in model.results:
        measured.setdefault((result.dataset, result.boxes), {}).update(result.metrics)
    labels = [_label(model, dataset, boxes) for dataset, boxes in measured]
    return [
        _Line(model, metrics, number == 0, label)
        for number, (metrics, label) in enumerate(zip(measured.values(), labels, strict=True))
    ]


def _label(model: ZooModel, dataset: str, boxes: str) -> str:
    where = f"on {dataset}" if dataset != model.dataset else ""
    return ", ".join(part for part in (where, f"{boxes} boxes" if boxes else "") if part)


def _table(lines: Sequence[_Line], notes: _Footnotes) -> str:
    names = [name for name in LEADING if any(name in line.metrics for line in lines)][:_MOST_METRICS]
    digits = {name: max(_decimals(line.metrics[name]) for line in lines if name in line.metrics) for name in names}
    published = any("Published Complexity" in line.model.metadata for line in lines)
    head = ["model", "input", "parameters", "MACs", *(["published"] if published else []), *names, "source", "weights"]
    rows = []
    for line in lines:
        metrics = [f"{line.metrics[name]:.{digits[name]}f}" if name in line.metrics else "" for name in names]
        if line.first:
            start = _start(line.model, line.label, notes)
            rows.append([*start[:4], *(start[4:] if published else []), *metrics, *_end(line.model)])
        else:
            rows.append([f"same, {line.label}", "", "", "", *([""] if published else []), *metrics, "", ""])
    return _markdown(head, rows, left={"model", "published", "source", "weights"})


def _start(model: ZooModel, label: str, notes: _Footnotes) -> list[str]:
    data = model.metadata
    counted = f"MACs of {data['Counted']}; the rest works on what they find." if "Counted" in data else ""
    published = "<br>".join(_published(entry) for entry in data.get("Published Complexity", ()))
    name = f"[{model.name}](../{model.config_name}){notes.mark(model.remark)}" + (f"<br>{label}" if label else "")
    macs = data["MACs (10^9)"]
    return [
        name,
        data["Input Size"],
        f"{data['Parameters'] / 10**6:.2f}",
        f"{macs:#.4g}{notes.mark(counted)}",
        published,
    ]


def _published(entry: Mapping[str, str]) -> str:
    size = f" at {entry['Input Size']}" if "Input Size" in entry else ""
    return f"[{entry['Parameters']}, {entry['Figure']}]({entry['Source']}) ({entry['Unit']}{size})"


def _end(model: ZooModel) -> list[str]:
    weights = model.weights
    link = f"[{weights.sha256[:8] or 'no hash'}]({weights.url})" if weights else "none"
    return [f"[{source_name(model.source)}]({model.source})", link]


def source_name(source: str) -> str:
    """Whose page a source is: the framework, or `authors`."""
    owner, _, rest = source.removeprefix("https://github.com/").partition("/")
    return rest.split("/")[0] if owner == "open-mmlab" else "authors"


def _decimals(value: float) -> int:
    return max(0, -Decimal(str(value)).as_tuple().exponent)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]], left: Iterable[str] | None = None) -> str:
    left = set(head if left is None else left)
    rule = [":--" if name in left else "--:" for name in head]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *rows))
