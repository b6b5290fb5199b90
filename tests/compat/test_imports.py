"""Everything side by side, with every warning an error, in several orders."""

from __future__ import annotations

import pytest

ORDERS = {
    "plugin first": (
        "hrnet_plugin torch mmengine mmengine.runner mmcv mmcv.ops mmpose.models mmpose.datasets mmpose.visualization "
        "mmpose.apis mmseg.models mmseg.apis mmdet.models mmdet.apis mmpretrain.models timm hrnet_plugin.models"
    ),
    "plugin in the middle": (
        "torch mmengine mmcv hrnet_plugin timm mmpretrain.models mmdet.models mmseg.models mmpose.apis mmpose.models "
        "mmengine.runner hrnet_plugin.models"
    ),
    "backwards": "hrnet_plugin.models timm mmseg.apis mmdet.apis mmpose.visualization mmpose.models mmcv torch",
}


@pytest.mark.parametrize("order", ORDERS)
def test_imports_give_no_warning_in_any_order(run_python, order):
    code = (
        "import importlib, sys\n"
        f"for name in {ORDERS[order].split()}: importlib.import_module(name)\n"
        "from hrnet_plugin import compat\n"
        "print([name for name, report in compat.reports().items() if report.state == 'failed'])\n"
    )
    done = run_python(["-W", "error", "-c", code])
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Warning" not in done.stderr


def test_the_frameworks_import_without_any_compiled_operator(run_python, broken_site):
    names = [
        "hrnet_plugin",
        "mmpose.models",
        "mmpose.apis",
        "mmseg.models",
        "mmdet.models",
        "mmpretrain.models",
        "timm",
    ]
    code = f"import importlib\nfor name in {names}: importlib.import_module(name)\nprint('all imported')\n"
    done = run_python(["-W", "error", "-c", code], site=broken_site)
    assert done.stdout.strip() == "all imported", done.stderr[-3000:]
