"""Annotations and boxes in YAML are data.

What broke: mmengine reads `.yaml` and `.yml` with PyYAML's loader that builds any Python object, so a list of boxes may
run a command: `!!python/object/apply:os.system`. Since mmengine 0.1.
Detected: the loader that mmengine's handler takes is none of PyYAML's safe ones.
Done: it takes a safe one that knows tuples, too, as `Config.dump` writes them; other tags of Python are refused.
"""

from __future__ import annotations

from types import ModuleType

from .fix import AfterImport, Finding

_TUPLE = "tag:yaml.org,2002:python/tuple"


def safe_loader() -> type:
    """PyYAML's safe loader, the fast one where it was built, with tuples."""
    import yaml

    class DataLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        """Reads data, and nothing that has to be built."""

    def read_tuple(loader: DataLoader, node: yaml.Node) -> tuple:
        return tuple(loader.construct_sequence(node, deep=True))

    DataLoader.add_constructor(_TUPLE, read_tuple)
    return DataLoader


def _detect(handler: ModuleType) -> Finding:
    import yaml

    if issubclass(handler.Loader, (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
        return Finding(False, "mmengine reads YAML as data")
    return Finding(True, f"mmengine reads YAML with {handler.Loader.__name__}, which builds any object")


def _act(handler: ModuleType) -> None:
    handler.Loader = safe_loader()


FIX = AfterImport(
    name="yaml-files",
    breakage="annotations and boxes in YAML may run code",
    since="mmengine 0.1",
    target="mmengine.fileio.handlers.yaml_handler",
    detect=_detect,
    act=_act,
)
