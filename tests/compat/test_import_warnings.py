from __future__ import annotations

import pytest


@pytest.fixture
def noisy_resources(tmp_path):
    """A pkg_resources that warns as setuptools' own, and once more about something else."""
    (tmp_path / "pkg_resources.py").write_text(
        "import warnings\n"
        "warnings.warn('pkg_resources is deprecated as an API. See the docs', UserWarning, stacklevel=2)\n"
        "warnings.warn('a namespace package is declared twice', UserWarning, stacklevel=2)\n"
    )
    return tmp_path


def test_only_the_known_warning_of_pkg_resources_is_silent(run_python, noisy_resources):
    unfixed = run_python(["-c", "import pkg_resources"], folder=noisy_resources)
    fixed = run_python(["-c", "import hrnet_plugin, pkg_resources"], folder=noisy_resources)
    assert "pkg_resources is deprecated as an API" in unfixed.stderr
    assert "pkg_resources is deprecated" not in fixed.stderr
    assert "a namespace package is declared twice" in fixed.stderr


def test_the_known_warnings_of_torch_and_mmcv_are_silent(run_python, full_site):
    names = "torch.distributed.optim mmcv.cnn.bricks.transformer"
    code = f"import importlib\nfor name in {names.split()}: importlib.import_module(name)\n"
    unfixed = run_python(["-W", "always", "-c", code], site=full_site)
    fixed = run_python(["-W", "always", "-c", f"import hrnet_plugin\n{code}"], site=full_site)
    for message in ("`torch.jit.script` is deprecated", "``MultiScaleDeformableAttention`` has been moved"):
        assert message in unfixed.stderr
        assert message not in fixed.stderr
    assert fixed.returncode == 0, fixed.stderr[-2000:]
