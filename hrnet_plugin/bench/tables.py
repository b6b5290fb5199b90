"""Results as Markdown tables: ratios first, then milliseconds."""

from __future__ import annotations

from collections.abc import Sequence

from .results import Measured, Report, Run
from .subjects import LIMIT
from .wording import in_milliseconds, measured_text, verdict, with_interval


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell is written as one."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def targets_table(report: Report) -> str:
    """Target and measured side by side."""
    rows = [[line.what, line.target, measured_text(line), verdict(line)] for line in report.targets]
    return as_markdown(["what", "target", "measured", "met"], rows)


def ratios_table(run: Run) -> str:
    """How many times faster than the baseline each subject is."""
    rows = [_ratio_row(run, one) for one in run.timed]
    return as_markdown(["subject", "times faster", "share of the fp32 limit", "largest difference"], rows)


def _ratio_row(run: Run, one: Measured) -> list[str]:
    share = run.share_of_limit(one)
    limit = with_interval(share.scaled(100), " %", 0) if share else ""
    difference = "" if one.difference is None else f"{one.difference:.1g}"
    baseline = one is run.baseline_of(one)
    return [one.subject.name, "1" if baseline else with_interval(run.speed_up(one)), limit, difference]


def times_table(run: Run) -> str:
    """Latency, throughput, memory, size and speed of arithmetic of each subject, and the limit."""
    rows = []
    for one in (*run.timed, *run.limits):
        is_limit = one.subject.role == LIMIT
        width, height = one.subject.network.size
        macs = one.convolution_macs / one.subject.network.batch if is_limit else one.macs
        rows.append(
            [
                "limit: the convolutions alone" if is_limit else one.subject.name,
                f"{one.subject.network.batch} of {width}x{height}",
                in_milliseconds(one.latency),
                "" if is_limit else f"{one.throughput.median:.1f}",
                f"{one.memory / 2**20:.0f}" if one.memory else "",
                "" if is_limit or not one.parameters else f"{one.parameters / 1e6:.2f}",
                f"{macs / 1e9:.3f}" if macs else "",
                f"{one.achieved.median / 1e9:.0f}" if macs and one.subject.role != "training" else "",
            ]
        )
    header = ["subject", "images (width x height)", "ms", "images/s", "peak MiB", "parameters (M)", "GMACs", "GFLOP/s"]
    return as_markdown(header, rows)


def refusals(run: Run) -> list[str]:
    """What was left out, a line each."""
    return [f"{one.subject.name}: not measured: {one.refused}" for one in run.measured if one.refused]


def parts_table(run: Run) -> str:
    """Milliseconds of stages and branches; '' where they were not measured."""
    looked_into = [one for one in run.measured if one.parts]
    if not looked_into:
        return ""
    names = list(dict.fromkeys(name for one in looked_into for name in one.parts))
    rows = [[name, *(f"{one.parts.get(name, 0) * 1e3:.1f}" for one in looked_into)] for name in names]
    return as_markdown(["part", *(f"{one.subject.name}, ms" for one in looked_into)], rows)


def memory_table(run: Run) -> str:
    """Memory of training steps in three senses; '' where it was not measured."""
    rows = [
        [one.subject.name, *(f"{size / 2**20:.0f}" for size in (one.gradient_memory, one.memory, one.tensor_memory))]
        for one in run.measured
        if one.tensor_memory
    ]
    header = ["subject", "forward and backward, MiB", "with the optimizer's step, MiB", "tensors alone, MiB"]
    return as_markdown(header, rows) if rows else ""


def values_table(run: Run) -> str:
    """Other numbers, such as accuracy; '' where there are none."""
    with_values = [one for one in run.measured if one.values]
    names = list(dict.fromkeys(name for one in with_values for name in one.values))
    rows = [
        [one.subject.name, *(f"{one.values[name]:.4g}" if name in one.values else "" for name in names)]
        for one in with_values
    ]
    return as_markdown(["subject", *names], rows) if with_values else ""
