"""albumentations_update: importing mmpose asks nobody for a newer albumentations."""

from __future__ import annotations

import os

from hrnet_plugin.compat.albumentations_update import FIX


def test_the_network_is_not_asked(unfixed, fixed):
    assert unfixed["albumentations_update"] == {"result": ["asked"], "error": None, "warnings": []}
    assert fixed["albumentations_update"] == {"result": [], "error": None, "warnings": []}


def test_the_variable_is_set_for_the_import_alone(monkeypatch):
    monkeypatch.delenv("NO_ALBUMENTATIONS_UPDATE", raising=False)
    assert FIX.detect().broken
    with FIX.context():
        assert os.environ["NO_ALBUMENTATIONS_UPDATE"] == "1"
    assert "NO_ALBUMENTATIONS_UPDATE" not in os.environ


def test_a_choice_of_the_user_stays(monkeypatch):
    monkeypatch.setenv("NO_ALBUMENTATIONS_UPDATE", "0")
    assert not FIX.detect().broken
