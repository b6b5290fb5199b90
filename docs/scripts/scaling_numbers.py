"""The numbers of `docs/scaling.md`: computed from `scaling.json`, `performance.json` and the networks themselves.

    python docs/scripts/scaling_numbers.py            # print them
    python docs/scripts/scaling_numbers.py --write    # put them into the page
    python docs/scripts/scaling_numbers.py --config hrnet_w48_coco --seconds 0.21 --gigabits 100   # of your own

`measure_scaling.py` writes `scaling.json`. `tests/docs/test_scaling_numbers.py` computes all numbers again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from counted_networks import Table, config_breakdown
from explained_numbers import fill
from measured_gradients import ALONE, PLAIN, WAYS
from scaling_model import Link, Training, all_reduce_seconds, efficiency, exposed_seconds

from hrnet_plugin.errors import UserError

DOCS = Path(__file__).resolve().parent.parent
PAGE = "scaling.md"
POSE, SEGMENTATION = "hrnet_w32_coco", "hrnet_w18_cityscapes"
NETWORKS = (SEGMENTATION, POSE, "hrnet_w48_coco")
#: Norms of the segmentation network that are synchronised; those of pose are not.
SYNCHRONISED = {SEGMENTATION: 306}
#: Assumptions: seconds of a message within a machine, and between two.
WITHIN, BETWEEN = 5e-6, 15e-6
NVLINK, PCIE = Link("NVLink", 2400, WITHIN), Link("PCIe 4.0 x16", 256, WITHIN)
ETHERNET, INFINIBAND = Link("25 Gbit/s", 25, BETWEEN), Link("100 Gbit/s", 100, BETWEEN)
#: Columns of the GPU tables: processes, link, bytes a parameter.
CLUSTERS = ((8, NVLINK, 4), (8, PCIE, 4), (64, INFINIBAND, 4), (64, ETHERNET, 4), (64, ETHERNET, 2))
#: Assumptions: pictures a second of one GPU, and a step's batch on it.
RATES = {POSE: (64, (200, 800, 2000)), SEGMENTATION: (2, (5, 20, 60))}
#: Links between machines without a GPU.
NETWORK = (Link("1 Gbit/s", 1, 50e-6), Link("10 Gbit/s", 10, 50e-6))


def compute() -> tuple[dict[str, str], dict[str, Table]]:
    """All values by name, and all tables by name: a list of cells a row, without the first column."""
    measured = json.loads((DOCS / "scaling.json").read_text(encoding="utf-8"))
    parameters = {name: config_breakdown(name).total.parameters for name in NETWORKS}
    values = {**_measurement(measured), **_flops()}
    tables = {
        "gradients": [_gradient_row(parameters[name]) for name in NETWORKS],
        "savings": [_savings_row(measured["gradients"], name) for name in WAYS],
        "checked": _checked(measured["gradients"], parameters[POSE]),
        "cpu": _cpu_rows(parameters[POSE]),
        "pose": _gpu_rows(POSE, parameters[POSE]),
        "segmentation": _gpu_rows(SEGMENTATION, parameters[SEGMENTATION]),
        "loading": [_loading_row(measured["loading"][name], name) for name in (POSE, SEGMENTATION)],
    }
    return values, tables


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{100 * share:.0f} %"


def megabytes(size: float) -> str:
    """Bytes in MB, 10^6."""
    return f"{size / 1e6:.1f}"


def _measurement(measured: dict) -> dict[str, str]:
    found = measured["gradients"]
    return {"batch": str(found["batch"]), "turns": str(found["turns"]), "date": measured["date"]}


def _flops() -> dict[str, str]:
    """What the assumed rates ask of a GPU: forward and backward are three times the forward pass."""
    values = {}
    for name, (_, rates) in RATES.items():
        operations = 3 * 2 * config_breakdown(name).total.macs
        kind = name.split("_")[-1]
        values |= {f"tera.{kind}": ", ".join(f"{rate * operations / 1e12:.1f}" for rate in rates)}
    return values


def _gradient_row(parameters: int) -> list[str]:
    sent = 2 * 7 / 8 * 4 * parameters
    return [f"{parameters:,}", megabytes(4 * parameters), megabytes(2 * parameters), megabytes(sent)]


def ratios(link: dict, name: str) -> list[float]:
    """Seconds of a way over those of the plain wrapper, turn by turn."""
    return [one / plain for one, plain in zip(link["seconds"][name], link["seconds"][PLAIN], strict=True)]


def _savings_row(found: dict, name: str) -> list[str]:
    row = [megabytes(found["held"][name]), megabytes(found["links"][0]["sent"][name])]
    for link in found["links"]:
        one = sorted(ratios(link, name))
        quarter = len(one) // 4
        row.append(f"{median(one):.2f} ({one[quarter]:.2f} to {one[-1 - quarter]:.2f})" if name != PLAIN else "1")
    return row


def _checked(found: dict, parameters: int) -> Table:
    """The formula against what was measured on the slow link."""
    slow = found["links"][0]
    link = Link("measured", slow["gigabits"], 50e-6)
    alone = median(slow["seconds"][ALONE])
    rows = []
    for name, size in ((PLAIN, 4), ("bf16-gradients", 2)):
        expected = alone + exposed_seconds(Training(parameters, size), alone, 2, link)
        rows.append([f"{alone:.2f}", f"{expected:.2f}", f"{median(slow['seconds'][name]):.2f}"])
    return rows


def _cpu_rows(parameters: int) -> Table:
    report = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))
    run = next(run for run in report["runs"] if run["name"] == "training")
    rows = []
    for name in ("ours fp32", "ours bf16"):
        (one,) = (one for one in run["measured"] if one["subject"]["name"] == name)
        seconds = median(median(process) for process in one["times"])
        shares = [
            percent(efficiency(Training(parameters), seconds, processes, link))
            for link in NETWORK
            for processes in (8, 64)
        ]
        rows.append([f"{seconds:.2f}", *shares])
    return rows


def _gpu_rows(name: str, parameters: int) -> Table:
    batch, rates = RATES[name]
    norms = SYNCHRONISED.get(name, 0)
    return [
        [
            percent(efficiency(Training(parameters, size, norms), batch / rate, processes, link))
            for processes, link, size in CLUSTERS
        ]
        for rate in rates
    ]


def _loading_row(rate: float, name: str) -> list[str]:
    wanted = [f"{-(-one // rate):.0f}" for one in RATES[name][1]]
    return [f"{rate:.1f}", f"{2 * rate:.0f}", *wanted]


def of_ones_own(args: argparse.Namespace) -> str:
    """A line for a step time that the reader measured."""
    parameters = config_breakdown(args.config).total.parameters
    link = Link("given", args.gigabits, args.microseconds * 1e-6)
    lines = []
    for size, name in ((4, "fp32"), (2, "bf16")):
        training = Training(parameters, size, args.norms)
        sent = all_reduce_seconds(size * parameters, args.processes, link)
        share = percent(efficiency(training, args.seconds, args.processes, link))
        lines.append(f"{name} gradients: {megabytes(size * parameters)} MB, joined in {sent:.3f} s, efficiency {share}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the numbers, writes them into the page, or reckons with the reader's own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put them into the page")
    parser.add_argument("--config", help="of your own training, by name or path; then --seconds and --gigabits too")
    parser.add_argument("--seconds", type=float, help="of a step in one process")
    parser.add_argument("--gigabits", type=float, help="of the slowest link, Gbit/s each way")
    parser.add_argument("--microseconds", type=float, default=BETWEEN * 1e6, help="that a message takes")
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--norms", type=int, default=0, help="layers of SyncBN")
    args = parser.parse_args(argv)
    if args.config:
        if not args.seconds or not args.gigabits or args.processes < 2:
            parser.error("--config: expected --seconds, --gigabits and at least 2 --processes beside it")
        try:
            print(of_ones_own(args))
        except UserError as error:
            parser.exit(2, f"error: {error}\n")
        return
    values, tables = compute()
    if args.write:
        page = DOCS / PAGE
        page.write_text(fill(page.read_text(encoding="utf-8"), values, tables), encoding="utf-8")
        return
    for name, value in values.items():
        print(f"{name:<28} {value}")
    for name, rows in tables.items():
        print(f"\n{name}", *(" | ".join(row) for row in rows), sep="\n  ")


if __name__ == "__main__":
    main()
