from __future__ import annotations

import pytest

from hrnet_plugin.compat.mmcv_ext import FIX


def test_operators_import_without_the_compiled_module(unfixed, fixed):
    assert unfixed["mmcv_import"]["error"] == "ModuleNotFoundError: No module named 'mmcv._ext'"
    assert fixed["mmcv_import"] == {"result": "mmcv.ops", "error": None, "warnings": []}


def test_a_called_operator_names_itself_and_the_way_to_full_mmcv(fixed):
    error = fixed["mmcv_call"]["error"]
    assert error.startswith("MissingDependency: mmcv operator 'nms': found mmcv-lite")
    assert "`make full`" in error
    assert "MMCV_WITH_OPS=1 pip install --no-build-isolation" in error
    assert "\n" not in error


def test_the_environment_report_gets_words(fixed):
    assert fixed["mmcv_environment"]["result"] == "n/a"


def test_a_compiled_module_for_another_python_is_not_replaced(tmp_path):
    assert FIX.detect([str(tmp_path)]).broken
    (tmp_path / "_ext.cpython-37m-x86_64-linux-gnu.so").touch()
    finding = FIX.detect([str(tmp_path)])
    assert not finding.broken
    assert "_ext.cpython-37m-x86_64-linux-gnu.so is there" in finding.why


def test_a_compiled_module_that_does_not_load_keeps_its_own_error(run_python, make_site):
    from importlib.machinery import EXTENSION_SUFFIXES

    site = make_site(hide=("mmcv/_ext*",))
    (site / "mmcv" / f"_ext{EXTENSION_SUFFIXES[0]}").write_bytes(b"\x7fELF and then nothing")
    done = run_python(["-c", "import hrnet_plugin, mmcv.ops"], site=site)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert "_ext" in last
    assert "hrnet_plugin" not in last


def test_a_compiled_module_that_loads_is_used(run_python, full_site):
    code = (
        "import hrnet_plugin\nfrom mmcv.ops import get_compiler_version\nprint(get_compiler_version())\n"
        "print(hrnet_plugin.compat.reports()['mmcv-ext'].state)\n"
    )
    done = run_python(["-c", code], site=full_site)
    assert done.stdout.splitlines() == ["the real get_compiler_version", "not needed"], done.stderr


@pytest.mark.full_mmcv
def test_the_real_operators_of_full_mmcv_are_used(run_python):
    code = (
        "import hrnet_plugin, torch\nfrom mmcv.ops import nms\n"
        "boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.1], [5.0, 5.0, 6.0, 6.0]])\n"
        "print(nms(boxes, torch.tensor([0.5, 0.4, 0.3]), 0.5)[1].tolist())\n"
        "print(hrnet_plugin.compat.reports()['mmcv-ext'].state)\n"
    )
    done = run_python(["-c", code])
    assert done.stdout.splitlines() == ["[0, 2]", "not needed"], done.stderr
