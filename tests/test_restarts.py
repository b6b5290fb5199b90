"""Whether a launcher has started a training anew."""

from __future__ import annotations

import pytest

from hrnet_plugin.restarts import was_restarted

NAMES = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT", "HRNET_ELASTIC")


@pytest.mark.parametrize("name", NAMES)
def test_signs_of_launchers(monkeypatch, name):
    for one in NAMES:
        monkeypatch.delenv(one, raising=False)
    for value, expected in (("", False), ("0", False), ("1", True), ("2", True)):
        monkeypatch.setenv(name, value)
        assert was_restarted() == expected
