"""Where the project's own files lie: in a checkout beside the package, in a wheel inside it.

A wheel carries `configs/`, `tools/`, `requirements/` and `model-index.yml` under `hrnet_plugin/.mim/`, the place where
OpenMMLab's package manager looks for them.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def project_dir(name: str) -> Path:
    """The folder `configs`, `tools` or `requirements` of this installation.

    Raises:
        FileNotFoundError: if the installation lacks it (a broken wheel).
    """
    for root in (PACKAGE / ".mim", PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f"{name}/ is part of neither {PACKAGE.parent} nor the installed package: reinstall hrnet_plugin"
    )
