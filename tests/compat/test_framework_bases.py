"""framework_bases: the index of a framework is read once."""

from __future__ import annotations

from types import SimpleNamespace

from hrnet_plugin.compat import framework_bases


def test_a_metafile_is_read_once(unfixed, fixed):
    assert unfixed["framework_bases"] == {"result": True, "error": None, "warnings": []}
    assert fixed["framework_bases"] == {"result": False, "error": None, "warnings": []}


def test_a_reader_that_remembers_is_left_alone():
    utils = SimpleNamespace(load=dict)
    assert framework_bases.FIX.detect(utils).broken
    framework_bases.FIX.act(utils)
    assert not framework_bases.FIX.detect(utils).broken
