"""Checkpoint files: damaged ones, lying ones, and such as hold other things than weights."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from collections import OrderedDict

import pytest
import torch
from bounds import outcome
from effort import tries
from hypothesis import given
from hypothesis import strategies as st
from junk import JUNK, spoilt
from torch import nn

from hrnet_plugin.archs import HRNetSpec
from hrnet_plugin.checkpoints.contents import Contents, contents_of, read_contents
from hrnet_plugin.checkpoints.conversion.convert import Conversion, convert
from hrnet_plugin.checkpoints.loading.config_text import fusion_in_meta
from hrnet_plugin.checkpoints.loading.plan import plan_loading
from hrnet_plugin.checkpoints.network_meta import describe_network
from hrnet_plugin.checkpoints.publishing import kept_meta
from hrnet_plugin.checkpoints.sums import fault_of, sum_file
from hrnet_plugin.compat.checkpoint_reading import read_checkpoint
from hrnet_plugin.compat.safetensors_files import safetensors_bytes
from hrnet_plugin.errors import CheckpointError, UserError
from hrnet_plugin.models import HRNet

SPEC = HRNetSpec.of_width(2, num_modules=(1, 1), num_blocks=1, stage1_width=2, stem_width=2)


class Told(dict):
    """A dict that reports of failures do not show."""

    def __repr__(self) -> str:
        return f"{len(self)} entries"


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """The smallest HRNet."""
    return HRNet(SPEC)


@pytest.fixture(scope="module")
def weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """Its weights, as a network's backbone has them."""
    return Told((f"backbone.{key}", value.clone()) for key, value in network.state_dict().items())


@pytest.fixture(scope="module")
def files(weights: dict[str, torch.Tensor]) -> dict[str, bytes]:
    """The same checkpoint in each form."""
    checkpoint = {"state_dict": OrderedDict(weights), "meta": {"epoch": 3, **describe_network(SPEC)}}
    found = Told()
    for form, is_new in (("zip", True), ("legacy", False)):
        file = io.BytesIO()
        torch.save(checkpoint, file, _use_new_zipfile_serialization=is_new)
        found[form] = file.getvalue()
    found["safetensors"] = safetensors_bytes(weights, checkpoint["meta"])
    return found


def _look(contents: Contents | UserError, network: nn.Module) -> None:
    """What the commands do with a checkpoint, one after the other."""
    if isinstance(contents, UserError):
        return
    planned = outcome(lambda: plan_loading(network, contents))
    if not isinstance(planned, UserError):
        outcome(lambda: planned.report.text())
    outcome(lambda: kept_meta(contents.meta))
    for target in ("ours", "mmpose"):
        converted = outcome(lambda target=target: convert(contents, target))
        assert isinstance(converted, (Conversion, UserError))
        if isinstance(converted, Conversion):
            outcome(lambda converted=converted: converted.report.as_dict())


@tries(80, 10000)
@given(
    form=st.sampled_from(("zip", "legacy", "safetensors")),
    how=st.sampled_from(("cut", "flip", "zero", "swap", "grow")),
    places=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    byte=st.integers(1, 255),
)
def test_a_damaged_file_is_read_or_refused(folder, files, network, form, how, places, byte):
    data = bytearray(files[form])
    # Pickle and directories lie at the ends of files: half of the places are there.
    for place in places:
        at = int(place * (len(data) - 1)) if byte % 2 else int(place * min(2000, len(data) - 1)) - (byte % 4 > 1) * 2000
        if how == "cut":
            del data[at:]
            break
        if how == "flip":
            data[at] ^= byte
        elif how == "zero":
            data[at : at + 4 * byte] = bytes(len(data[at : at + 4 * byte]))
        elif how == "swap":
            data[at : at + byte], data[:byte] = data[:byte], data[at : at + byte]
        else:
            data[at:at] = bytes([byte]) * byte
        if not data:
            break
    path = folder / ("file.safetensors" if form == "safetensors" else "file.pth")
    path.write_bytes(data)
    found = outcome(lambda: read_contents(path))
    assert isinstance(found, (Contents, CheckpointError))
    _look(found, network)
    assert isinstance(outcome(lambda: fault_of(path)), str)


@tries(60, 10000)
@given(
    header=spoilt(
        st.fixed_dictionaries(
            {
                "w": st.fixed_dictionaries(
                    {"dtype": st.sampled_from(("F32", "I64", "BOOL", "F8_E4M3", "X")), "shape": st.just([2, 2]),
                     "data_offsets": st.just([0, 16])}
                ),
            },
            optional={"__metadata__": st.dictionaries(st.sampled_from(("meta", "format")), JUNK.map(json.dumps))},
        )
    ),
    length=st.sampled_from((None, None, None, 0, 1, 2**20, 10**8, 2**32, 2**63, 2**64 - 1)),
    size=st.sampled_from((16, 16, 16, 0, 15, 17)),
)  # fmt: skip
def test_a_safetensors_file_with_any_header_is_read_or_refused(folder, network, header, length, size):
    text = json.dumps(header).encode()
    path = folder / "file.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + bytes(size))
    found = outcome(lambda: read_contents(path))
    assert isinstance(found, (Contents, CheckpointError))
    _look(found, network)


TENSORS = st.sampled_from(
    (torch.ones(()), torch.ones(0), torch.ones(2, 2), torch.ones(4, 3, 3, 3), torch.ones(1, dtype=torch.int64),
     torch.ones(2, dtype=torch.complex64), torch.ones(2, dtype=torch.bfloat16), torch.ones(1).expand(1000),
     torch.tensor(float("nan")), torch.zeros(1, 1, 1, 1, 1, 1, 1), torch.ones(3, dtype=torch.bool)[::2])
)  # fmt: skip
KEYS = st.sampled_from(
    ("backbone.conv1.weight", "backbone.stage2.0.branches.0.0.conv1.weight", "conv1.weight", "module.x", "", "a.b..c",
     "backbone.stage99.0.weight", "head.final_layer.weight", "backbone.\x1b[2J", "\ud800", 7, None, ("a", 1),
     "x" * 5000, "backbone.stage2.9999999999.branches.0.0.conv1.weight", "backbone.stage2/0.weight", "backbone.stage2",
     "backbone.stage\u00b2.0.x", "neck.fpn_convs.999999999.conv.weight", "neck.reduction_conv.conv.weight",
     "head.fc.weight", "head.final_layers.99999999999.weight", "head.final_layers.0.weight", "backbone.stem.x",
     "head.conv_layers.999999999.weight", "decode_head.convs.0.conv.weight", "neck.0.increase_layers.0.x",
     "decode_head.1.object_context_block.x", "." * 3000)
)  # fmt: skip
CHECKPOINTS = st.one_of(
    JUNK,
    spoilt(
        st.fixed_dictionaries({"state_dict": st.dictionaries(KEYS, st.one_of(TENSORS, JUNK), max_size=4), "meta": JUNK})
    ),
    st.dictionaries(KEYS, st.one_of(TENSORS, JUNK), max_size=4),
)


@tries(60, 10000)
@given(checkpoint=CHECKPOINTS)
def test_a_checkpoint_of_any_content_is_read_or_refused(folder, network, checkpoint):
    path = folder / "any.pth"
    torch.save(checkpoint, path)
    found = outcome(lambda: read_contents(path))
    assert isinstance(found, (Contents, CheckpointError))
    _look(found, network)


@tries(40, 5000)
@given(
    changed=st.lists(st.tuples(st.integers(0, 10**6), st.one_of(TENSORS, st.none())), max_size=3),
    added=st.dictionaries(KEYS.filter(lambda key: isinstance(key, str)), TENSORS, max_size=2),
    meta=spoilt(st.just({"epoch": 3, **describe_network(SPEC)})),
)
def test_weights_of_any_shape_are_converted_and_planned_or_refused(network, weights, changed, added, meta):
    given_weights = {**weights, **added}
    for place, value in changed:
        key = list(given_weights)[place % len(given_weights)]
        if value is None:
            del given_weights[key]
        else:
            given_weights[key] = value
    _look(outcome(lambda: contents_of({"state_dict": given_weights, "meta": meta}, "memory")), network)


_BACKBONE = "dict(type='HRNet', extra=dict(stage1=dict(num_modules=1), upsample=dict(mode='bilinear')))"
_PIECES = (
    "model=dict(backbone=", _BACKBONE, ")", "\n", "default_scope='mmseg'", "model", "=", "dict(", "[", "{1:",
    "lambda:", "-", "__import__('os').mkdir('made')", "f'{open(1)}'", "10**10**10", "'a'*10**10", "\0", "\ud800",
    "é", "#", "'", '"""',
)  # fmt: skip


@tries(40, 10000)
@given(
    text=st.lists(st.builds(str.__mul__, st.sampled_from(_PIECES), st.sampled_from((1, 1, 2, 5000))), max_size=8),
    entry=st.sampled_from(("cfg", "config_text", "config")),
)
def test_a_config_in_a_checkpoint_is_read_as_text(folder, text, entry, monkeypatch):
    monkeypatch.chdir(folder)
    meta = {entry: "".join(text), "mmpose_version": "1.0"}
    assert isinstance(outcome(lambda: fusion_in_meta(meta)), (tuple, type(None)))
    assert not list(folder.iterdir())


def test_what_is_no_file_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.pth")
    (folder / "circle.pth").symlink_to("circle.pth")
    (folder / "dangling.pth").symlink_to("nowhere.pth")
    (folder / "folder.safetensors").mkdir()
    names = ("pipe.pth", "circle.pth", "dangling.pth", "folder.safetensors", "x" * 5000, "a\0b.pth", "/dev/zero", "")
    for name in names:
        assert isinstance(outcome(lambda name=name: read_checkpoint(folder / name)), CheckpointError)


@pytest.mark.parametrize("text", [b"", b"\xff" * 100, b"0" * 10**7, b"0" * 64])
def test_a_sum_of_any_content_is_no_crash(folder, files, text):
    path = folder / "file.pth"
    path.write_bytes(files["zip"])
    sum_file(path).write_bytes(text)
    assert isinstance(outcome(lambda: fault_of(path)), str)


def test_a_zip_of_parts_that_lie_over_each_other_is_refused(folder):
    """As in 42.zip's heirs: a thousand parts of the list are one and the same 1 MB of zeros."""
    path = folder / "file.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(2**20))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    parts = data[start:end] * 1000
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1000, 1000, len(parts), start, 0)
    path.write_bytes(data[:start] + parts + tail)
    assert "parts that unpack to 1.0 GB" in str(outcome(lambda: read_checkpoint(path)))
