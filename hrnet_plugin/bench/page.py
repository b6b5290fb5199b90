"""A report as a page of Markdown: ratios first, then milliseconds, the machine, how it was measured."""

from __future__ import annotations

from collections.abc import Mapping

from .results import Report, Run
from .tables import memory_table, parts_table, ratios_table, refusals, targets_table, times_table, values_table
from .wording import describe_machine_in_words, describe_protocol

_HEAD = """# Performance

<!-- Written by `hrnet bench --from {source} --page {page}`: change the generator, not this file. -->

How many times faster than MMPose's and MMSegmentation's own HRNet, on one machine in one run. Ratios carry over to
other machines better than times do; precisions carry over only where the processor has the same instructions.
"""
_CONVENTIONS = """
- Each turn calls every subject, and who begins moves on. A process gives one ratio, that of the medians of its turns.
- The baseline is the framework's own network, built by the framework, run eagerly in fp32 under `inference_mode`. Every
  subject has its weights, and its outputs are compared with the baseline's before the clock starts: the largest
  difference is given in units of the largest number.
- The limit is every convolution of the network alone: oneDNN, fp32, channels-last, weights packed, input in the cache.
  Winograd's algorithm multiplies less, so that a runtime that has it may be above 100 %.
- A GMAC is 10^9 multiply-accumulates of one image, norms left out; GFLOP/s count two operations for each, also where an
  algorithm does fewer.
- Memory is the highest resident memory of a fresh process while it calls the one subject, Python and its packages
  included; on a graphics card, the most that torch allocates there. Tensors alone are weights, gradients, what the
  optimizer remembers and activations, as torch allocates them.
"""


def render_page(
    report: Report, source: str = "results.json", page: str = "performance.md", plots: Mapping[str, str] | None = None
) -> str:
    """The page.

    Args:
        report: What was measured.
        source, page: Names of the two files, for the note that the page is generated.
        plots: Paths of pictures by their titles, relative to the page.
    """
    parts = [_HEAD.format(source=source, page=page)]
    parts += [f"\n{remark}\n" for remark in report.remarks]
    if report.targets:
        parts += ["\n## Targets\n\n", targets_table(report)]
    for run in report.runs:
        parts.append(_section(run))
    if plots:
        parts.append("\n## Pictures\n")
        parts += [f"\n![{title}]({path})\n" for title, path in plots.items()]
    parts.append("\n## The machine\n\n")
    parts += [f"- {line}\n" for line in describe_machine_in_words(report.machine)]
    parts.append(f"- hrnet_plugin {report.version}, {report.date}\n")
    parts += ["\n## How it was measured\n", _CONVENTIONS]
    return "".join(parts)


def _baseline(run: Run) -> str:
    names = {run.baseline_of(one).subject.name for one in run.timed}
    return names.pop() if len(names) == 1 else "the eager network on the same images"


def _section(run: Run) -> str:
    """One run: ratios, then times, then what else was seen."""
    protocol = describe_protocol(run)
    when = f", {run.date}" if run.date else ""
    parts = [f"\n## {run.title}\n\n{protocol[0].upper()}{protocol[1:]}{when}.\n"]
    if run.timed:
        if len(run.timed) > 1:
            parts.append(f"\nTimes faster than {_baseline(run)}:\n\n{ratios_table(run)}")
        parts.append(f"\n{times_table(run)}")
    for table in (memory_table(run), values_table(run), parts_table(run)):
        if table:
            parts.append(f"\n{table}")
    left_out = refusals(run)
    if left_out:
        parts.append("\n" + "".join(f"- {line}\n" for line in left_out))
    return "".join(parts)
