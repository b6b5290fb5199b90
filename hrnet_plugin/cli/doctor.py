"""`hrnet doctor`: what is installed, which fixes acted and why, what is missing and the command that mends it.

Runs with Python alone, since it is what one calls when nothing else works; rich only makes its tables prettier.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence

from hrnet_plugin.compat import FIXES, reports
from hrnet_plugin.compat.inventory import FRAMEWORKS, Package, inspect_packages, installed
from hrnet_plugin.locations import project_dir

HELP = "show versions, applied fixes, and what is missing"

# What each package must be able to import; doing so is also what makes the fixes act.
_MODULES = {
    "torch": ("torch",),
    "torchvision": ("torchvision",),
    "mmengine": ("mmengine.runner",),
    "mmcv-lite": ("mmcv.ops",),
    "opencv-python": ("cv2",),
    "xtcocotools": ("xtcocotools.coco",),
    "pycocotools": ("pycocotools.coco",),
    "mmpose": ("mmpose.models", "mmpose.datasets", "mmpose.visualization", "mmpose.apis"),
    "mmsegmentation": ("mmseg.models", "mmseg.datasets", "mmseg.apis"),
    "mmdet": ("mmdet.models",),
    "mmpretrain": ("mmpretrain.models",),
}
_STRICTLY_NEEDED = ("torch", "mmengine", "mmcv-lite")
_COLOURS = {
    "ok": "green",
    "applied": "green",
    "differs": "yellow",
    "optional": "dim",
    "missing": "bold red",
    "failed": "bold red",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `hrnet doctor`."""
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Prints the findings.

    Returns:
        0, or 1 where something needed is missing or broken.
    """
    findings = examine()
    if args.json:
        print(json.dumps(findings, indent=2))
    else:
        _print(findings)
    return 0 if findings["ok"] else 1


def examine() -> dict:
    """Looks at the packages, imports what is there and asks the fixes what they did.

    Returns:
        `ok`, `python`, `hardware` (words by name), `packages`, `imports` and `fixes` (a dict a row), and `commands`:
        the shell commands for what is needed, and for what is optional.
    """
    packages = inspect_packages(project_dir("requirements"))
    # --json promises JSON alone on stdout, whatever the packages print.
    with contextlib.redirect_stdout(sys.stderr):
        imports = [_try_import(package.name, module) for package in packages for module in _modules(package)]
        hardware = _hardware()
    broken = {row["package"] for row in imports if row["error"]}
    needed = _needed(packages, broken)
    fixes = [{"name": fix.name, "breakage": fix.breakage, "since": fix.since, **_state(fix.name)} for fix in FIXES]
    commands = _commands(packages, needed, broken)
    failed = any(fix["state"] == "failed" for fix in fixes)
    return {
        "ok": not (commands["needed"] or broken & needed or failed),
        "python": platform.python_version(),
        "hardware": hardware,
        "packages": [_row(package, needed, broken) for package in packages],
        "imports": imports,
        "fixes": fixes,
        "commands": commands,
    }


def _modules(package: Package) -> Sequence[str]:
    return _MODULES.get(package.name, ()) if package.found else ()


def _try_import(package: str, module: str) -> dict:
    try:
        importlib.import_module(module)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        return {"package": package, "module": module, "error": f"{type(error).__name__}: {reason}"}
    return {"package": package, "module": module, "error": None}


def _needed(packages: Sequence[Package], broken: set[str]) -> set[str]:
    """Names without which nothing trains: the frameworks' needs only where a framework lacks something."""
    frameworks = {package.name for package in packages if package.name in FRAMEWORKS and package.found}
    incomplete = not frameworks or bool(frameworks & broken)
    needed = {*_STRICTLY_NEEDED, *(frameworks or FRAMEWORKS)}
    if "mmpose" in needed:
        needed.add("mmdet")  # a head of mmpose imports it unguarded
    for package in packages:
        if package.source == "runtime" or (incomplete and package.source not in ("openmmlab", "deploy")):
            needed.add(package.name)
    return needed


def _state(name: str) -> dict:
    report = reports().get(name)
    return {"state": report.state, "why": report.why} if report else {"state": "waiting", "why": "not installed"}


def _row(package: Package, needed: set[str], broken: set[str]) -> dict:
    state = {"fits": "ok", "differs": "differs", "missing": "optional"}[package.version]
    if package.version == "missing" and package.name in needed:
        state = "missing"
    if package.name in broken:
        state = "failed"
    found = f"{package.found_name} {package.found}" if package.found_name != package.name else package.found
    if len(installed(package.name)) > 1:
        found = " and ".join(" ".join(twin) for twin in installed(package.name))
    return {
        "name": package.name,
        "found": found if package.found else None,
        "expected": package.spec or "any",
        "state": state,
    }


def _commands(packages: Sequence[Package], needed: set[str], broken: set[str]) -> dict[str, list[str]]:
    """Pip commands: `needed` for what is missing, `optional` for the rest and for other versions."""
    wanted: dict[str, list[Package]] = {"needed": [], "optional": []}
    for package in packages:
        # A torch that is there is kept.
        if package.version == "fits" or (package.version == "differs" and package.source == "torch"):
            continue
        blocking = package.name in needed and (package.version == "missing" or bool(broken & needed))
        wanted["needed" if blocking else "optional"].append(package)
    return {kind: _pip(rows) for kind, rows in wanted.items()}


def _pip(packages: Sequence[Package]) -> list[str]:
    commands = []
    for without_dependencies in (False, True):
        chosen = [row.name + row.spec for row in packages if row.without_dependencies is without_dependencies]
        if chosen:
            option = ["--no-deps"] if without_dependencies else []
            commands.append(shlex.join([sys.executable, "-m", "pip", "install", *option, *chosen]))
    return commands


def _hardware() -> dict[str, str]:
    words = {"machine": f"{platform.system()} {platform.machine()}", "CPU threads": str(os.cpu_count())}
    try:
        import torch
    except Exception:
        return words
    words["CPU threads"] += f", torch uses {torch.get_num_threads()}"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    words["CUDA devices"] = ", ".join(torch.cuda.get_device_name(index) for index in range(count)) or "none"
    words["bfloat16"] = _bfloat16(torch, count)
    vnni = getattr(torch.cpu, "_is_vnni_supported", bool)()
    words["int8 on the CPU"] = "has VNNI" if vnni else "no VNNI that torch knows of"
    return words


def _bfloat16(torch, cuda_devices: int) -> str:
    if cuda_devices:
        return "on the CUDA device" if torch.cuda.is_bf16_supported(including_emulation=False) else "emulated"
    probes = {"AMX": "_is_amx_tile_supported", "AVX-512 BF16": "_is_avx512_bf16_supported"}
    units = [unit for unit, probe in probes.items() if getattr(torch.cpu, probe, bool)()]
    return f"CPU has {' and '.join(units)}" if units else "emulated on this CPU: --amp saves memory, not time"


def _print(findings: dict) -> None:
    hardware = [("Python", findings["python"]), *findings["hardware"].items()]
    _print_table("Machine", ("what", "found"), hardware)
    rows = [(row["name"], row["found"] or "-", row["expected"], row["state"]) for row in findings["packages"]]
    _print_table("Packages", ("package", "found", "expected", "state"), rows)
    rows = [(fix["name"], fix["since"], fix["state"], fix["why"]) for fix in findings["fixes"]]
    _print_table("Fixes for what upstream broke", ("fix", "broken since", "state", "why"), rows)
    errors = [(row["module"], row["error"]) for row in findings["imports"] if row["error"]]
    if errors:
        _print_table("Imports that fail", ("module", "error"), errors)
    for kind, heading in (
        ("needed", "To mend it, run"),
        ("optional", "Not needed so far, or of another version than tested"),
    ):
        if findings["commands"][kind]:
            print(f"\n{heading}:", *findings["commands"][kind], sep="\n  ")
    print(f"\n{'Everything needed is there.' if findings['ok'] else 'Something needed is missing or broken.'}")


def _print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    try:
        from rich.console import Console
        from rich.markup import escape
        from rich.table import Table
    except ModuleNotFoundError:
        _print_plain_table(title, header, rows)
        return
    # A pipe has no width: there a line must not be broken.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    table = Table(*header, title=title, title_justify="left", header_style="bold")
    for row in rows:
        styles = [_COLOURS.get(cell) for cell in row]
        table.add_row(
            *(f"[{style}]{cell}[/]" if style else escape(cell) for cell, style in zip(row, styles, strict=True))
        )
    console.print(table)


def _print_plain_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    print(f"\n{title}")
    for row in (header, *rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
