"""A torchvision whose compiled library does not fit the torch that is there.

What broke: torchvision's binary goes with exactly one build of torch; a CUDA build of torchvision beside a CPU build
of torch (what `pip install torchvision` gives after a CPU torch) fails with
`operator torchvision::nms does not exist` while it is imported, since it describes two operators to torch's tracer
whether they exist or not. timm, mmpretrain and `mmpose.visualization` need nothing of it but Python code.
Since torchvision 0.17.
Detected: torchvision's own answer, after it tried to load its library.
Done: the two operators are declared with their real schema, so that the description succeeds; whoever calls them is
told which torchvision to install. With a library that fits, nothing is done.
"""

from __future__ import annotations

from types import ModuleType

from ..errors import MissingDependency
from .fix import AfterImport, Finding

_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
# Not the composite keys: a kernel there would also catch the fake tensors of torch's tracer.
_DEVICES = ("CPU", "CUDA", "QuantizedCPU", "QuantizedCUDA", "MPS", "XPU")
# torch withdraws a declaration when its library object dies.
_libraries: list[object] = []


def _detect(extension: ModuleType) -> Finding:
    if extension._has_ops():
        return Finding(False, "torchvision's compiled operators fit this torch")
    return Finding(True, "torchvision's compiled operators do not load beside this torch")


def _missing(name: str):
    def operator(dets: object, scores: object, iou_threshold: float) -> None:
        import torch

        raise MissingDependency(
            f"torchvision operator {name!r}",
            found=f"a torchvision built for another torch than {torch.__version__}",
            do="Install the torchvision that was built for this torch: its version pairs and indexes are listed in "
            "torchvision's README",
        )

    return operator


def _act(extension: ModuleType) -> None:
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in _OPERATORS:
        library.define(name + _SCHEMA)
        for device in _DEVICES:
            library.impl(name, _missing(name), device)
    _libraries.append(library)


FIX = AfterImport(
    name="torchvision-ops",
    breakage="operator torchvision::nms does not exist on import torchvision",
    since="torchvision 0.17",
    target="torchvision.extension",
    detect=_detect,
    act=_act,
)
