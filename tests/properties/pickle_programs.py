"""Pickles as nobody's training writes them: programs of the steps that a reader of pickles knows."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from hypothesis import strategies as st

#: Names that torch's restricted reader knows, and such as an attacker would like.
ALLOWED = (
    "builtins.bytearray", "builtins.set", "builtins.complex", "builtins.bytes", "builtins.getattr",
    "argparse.Namespace", "collections.Counter", "collections.OrderedDict", "_codecs.encode",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar", "numpy.dtype", "numpy.ndarray", "mmengine.logging.history_buffer.HistoryBuffer",
    "torch.Size", "torch.Tensor", "torch.FloatTensor", "torch.sparse.FloatTensor", "torch.device", "torch.float32",
    "torch.FloatStorage", "torch.storage.UntypedStorage", "torch.nn.parameter.Parameter",
    "torch._tensor._rebuild_from_type_v2", "torch._utils._rebuild_parameter", "torch._utils._rebuild_tensor_v3",
    "torch._utils._rebuild_parameter_with_state", "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2",
    "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_qtensor", "torch._utils._rebuild_nested_tensor",
    "torch._utils._rebuild_meta_tensor_no_storage", "torch._utils._rebuild_wrapper_subclass",
    "torch._utils._rebuild_device_tensor_from_numpy", "torch._utils._rebuild_device_tensor_from_cpu_tensor",
)  # fmt: skip
FORBIDDEN = (
    "os.system", "posix.system", "os.mkdir", "subprocess.Popen", "subprocess.check_output", "builtins.eval",
    "builtins.exec", "builtins.compile", "builtins.open", "builtins.__import__", "builtins.setattr", "builtins.vars",
    "importlib.import_module", "runpy.run_path", "pickle.loads", "_pickle.loads", "marshal.loads", "types.CodeType",
    "types.FunctionType", "functools.partial", "operator.attrgetter", "operator.methodcaller", "ctypes.CDLL",
    "shutil.rmtree", "socket.create_connection", "webbrowser.open", "code.InteractiveInterpreter", "timeit.timeit",
    "torch.load", "torch.hub.load", "torch.storage._load_from_bytes", "torch.jit.load", "torch.ops.load_library",
    "torch.fx.graph_module.reduce_graph_module", "torch.utils.collect_env.run", "torch._inductor.codecache.PyCodeCache",
    "numpy.load", "numpy.f2py.crackfortran.getlincoef", "numpy.testing._private.utils.runstring", "cv2.imread",
    "mmengine.config.Config.fromfile", "mmengine.fileio.load", "hrnet_plugin.cli.main.main", "__main__.x",
    "hrnet_plugin.compat.saved_values.SavedArray", "pip.main", "numpy.core.multiarray.fromfile",
)  # fmt: skip
ARGUMENTS = (
    "mkdir made",
    "import os; os.mkdir('made')",
    "__import__('os').mkdir('made')",
    "made",
    "latin1",
    "hex",
    "0",
)
_MARK, _TUPLE, _EMPTY_LIST, _EMPTY_DICT, _STOP = b"(", b"t", b"]", b"}", b"."
_REDUCE, _NEW, _BUILD, _STORAGE = b"R", b"\x81", b"b", b"Q"


def number(value: int) -> bytes:
    """A whole number of any size."""
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def text(value: str) -> bytes:
    """A text."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def tuple_of(*items: bytes) -> bytes:
    """A tuple."""
    return _MARK + b"".join(items) + _TUPLE


def name(full: str) -> bytes:
    """Whatever has this name in Python."""
    module, _, last = full.rpartition(".")
    return f"c{module}\n{last}\n".encode()


def call(full: str, *arguments: bytes) -> bytes:
    """A call of what has this name."""
    return name(full) + tuple_of(*arguments) + _REDUCE


def storage(count: int, key: str = "0", kind: str = "torch.FloatStorage") -> bytes:
    """A storage of the file, which is said to hold `count` numbers."""
    return tuple_of(text("storage"), name(kind), text(key), text("cpu"), number(count)) + _STORAGE


def tensor(count: int, shape: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    """A tensor of a shape on a storage of `count` numbers."""
    sizes = (tuple_of(*map(number, one)) for one in (shape, stride))
    hooks = call("collections.OrderedDict")
    return call("torch._utils._rebuild_tensor_v2", storage(count), number(offset), *sizes, b"\x89", hooks)


def dict_of(items: Mapping[str, bytes]) -> bytes:
    """A dict with texts as keys."""
    return _EMPTY_DICT + _MARK + b"".join(text(key) + value for key, value in items.items()) + b"u"


def program(value: bytes) -> bytes:
    """A checkpoint with one weight, and this value beside it."""
    weight = tensor(4, (2, 2), (2, 1))
    return b"\x80\x02" + dict_of({"state_dict": dict_of({"weight": weight, "value": value}), "meta": value}) + _STOP


def write_zip(path: Path, pickled: bytes, numbers: bytes = bytes(16), packed: bool = False) -> Path:
    """A checkpoint file of torch 1.6 and later."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", numbers)
        archive.writestr("archive/version", "3\n")
    return path


def doubled(times: int, empty: bytes = b")", join: Callable[[bytes], bytes] = lambda one: one + one + b"\x86") -> bytes:
    """A tuple that holds one twice, which holds one twice, and so on: 2 ** times in all."""
    value = empty + b"q\x00"
    for index in range(1, times):
        value += join(b"h" + bytes([index - 1])) + b"q" + bytes([index])
    return value


_LEAVES = st.one_of(
    st.integers(-2, 6).map(number),
    st.sampled_from((0, 1, -1, 2**31, 2**40, 2**63, 10**12)).map(number),
    st.sampled_from(ARGUMENTS).map(text),
    st.text(max_size=4).map(text),
    st.floats().map(lambda value: b"G" + struct.pack(">d", value)),
    st.sampled_from((b"N", b"\x88", b"\x89", b")", b"]", b"}", b"\x8f")),
    st.sampled_from((*ALLOWED, *FORBIDDEN)).map(name),
    st.builds(storage, st.sampled_from((0, 1, 4, 5, -1, 2**40)), st.sampled_from(("0", "1", "../data.pkl"))),
    st.builds(
        tensor,
        st.sampled_from((0, 1, 4, 2**40)),
        st.lists(st.sampled_from((0, 1, 2, 4, -1, 2**20, 2**40)), max_size=3).map(tuple),
        st.lists(st.sampled_from((0, 1, 2, -1, 2**40)), max_size=3).map(tuple),
        st.sampled_from((0, 1, -1, 2**40)),
    ),
    st.integers(0, 3).map(lambda index: b"h" + bytes([index])),
    st.integers(2, 60).map(doubled),
    st.sampled_from((10, 200, 20000)).map(lambda depth: b")" + b"\x85" * depth),
    st.sampled_from((10, 200, 20000)).map(lambda depth: b"]" * depth + b"a" * (depth - 1)),
)


def _joined(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    items = st.lists(inner, max_size=3)
    names = st.sampled_from((*ALLOWED, *ALLOWED, *FORBIDDEN)).map(name)
    return st.one_of(
        items.map(lambda values: tuple_of(*values)),
        items.map(lambda values: _EMPTY_LIST + _MARK + b"".join(values) + b"e"),
        st.tuples(inner, inner).map(lambda pair: _EMPTY_DICT + pair[0] + pair[1] + b"s"),
        st.tuples(names, items).map(lambda pair: pair[0] + tuple_of(*pair[1]) + _REDUCE),
        st.tuples(inner, items).map(lambda pair: pair[0] + tuple_of(*pair[1]) + _REDUCE),
        st.tuples(names, items).map(lambda pair: pair[0] + tuple_of(*pair[1]) + _NEW),
        st.tuples(inner, inner).map(lambda pair: pair[0] + pair[1] + _BUILD),
        st.tuples(inner, st.integers(0, 3)).map(lambda pair: pair[0] + b"q" + bytes([pair[1]])),
        st.tuples(inner, st.binary(max_size=2), st.integers(0, 20)).map(
            lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
        ),
    )


#: Steps that leave one value, most of them.
VALUES = st.recursive(_LEAVES, _joined, max_leaves=12)
