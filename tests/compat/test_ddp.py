"""ddp_on_cpu and ddp_buffers: the same wrapper is wrong twice."""

from __future__ import annotations

from types import SimpleNamespace

from hrnet_plugin.compat import ddp_buffers


def test_a_model_on_the_cpu_is_wrapped_without_devices(unfixed, fixed):
    assert unfixed["wrap"]["error"].startswith("ValueError: DistributedDataParallel device_ids and output_device")
    assert (fixed["wrap"]["result"], fixed["wrap"]["error"]) == ("None", None)


def test_the_renamed_argument_is_not_announced(unfixed, fixed):
    assert any("`broadcast_buffers` is deprecated" in warning for warning in unfixed["wrap_quietly"]["warnings"])
    assert fixed["wrap_quietly"] == {"result": "MMDistributedDataParallel", "error": None, "warnings": []}


def test_a_torch_without_the_new_argument_needs_no_silence():
    def __init__(self, module, broadcast_buffers=True):
        pass

    module = SimpleNamespace(DistributedDataParallel=type("DistributedDataParallel", (), {"__init__": __init__}))
    assert ddp_buffers.FIX.detect(module).broken is False
