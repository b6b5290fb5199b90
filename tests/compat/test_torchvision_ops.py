from __future__ import annotations

from types import SimpleNamespace

from hrnet_plugin.compat.torchvision_ops import FIX


def test_torchvision_imports_without_its_compiled_library(unfixed, fixed):
    assert unfixed["torchvision_import"]["error"] == "RuntimeError: operator torchvision::nms does not exist"
    assert fixed["torchvision_import"] == {"result": "ToPILImage", "error": None, "warnings": []}


def test_a_called_operator_says_what_is_wrong(fixed):
    error = fixed["torchvision_call"]["error"]
    assert error.startswith(
        "MissingDependency: torchvision operator 'nms': found a torchvision built for another torch"
    )
    assert "\n" not in error


def test_torch_can_trace_the_declared_operator(fixed):
    assert fixed["torchvision_trace"]["error"] is None
    assert fixed["torchvision_trace"]["result"] == ["1-d torch.int64", "1-d torch.int64"]


def test_a_library_that_fits_is_left_alone():
    finding = FIX.detect(SimpleNamespace(_has_ops=lambda: True))
    assert (finding.broken, finding.why) == (False, "torchvision's compiled operators fit this torch")


def test_operators_that_the_library_registered_stay_its_own(run_python, tmp_path):
    # torchvision's library registers its operators from C++; here a package does the same from Python.
    package = tmp_path / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text("from . import extension\n")
    (package / "extension.py").write_text(
        "import torch\n"
        "library = torch.library.Library('torchvision', 'DEF')\n"
        "library.define('nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')\n"
        "library.impl('nms', lambda dets, scores, iou_threshold: scores + 1, 'CPU')\n"
        "def _has_ops():\n    return True\n"
    )
    code = (
        "import hrnet_plugin, torch, torchvision\n"
        "print(torch.ops.torchvision.nms(torch.zeros(1, 4), torch.ones(1), 0.5).tolist())\n"
        "print(hasattr(torch.ops.torchvision, 'qnms'), hrnet_plugin.compat.reports()['torchvision-ops'].state)\n"
    )
    done = run_python(["-c", code], folder=tmp_path)
    assert done.stdout.splitlines() == ["[2.0]", "False not needed"], done.stderr
