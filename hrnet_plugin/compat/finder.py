"""Runs each fix at the import of the module that it mends.

One finder stands first in `sys.meta_path`. For a module that no fix names it costs one dictionary look-up; for the
others it asks the remaining finders for the module and acts on what they answer, so it never hides a real module.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from .fix import AfterImport, DuringImport, Finding, Fix, Report, StandIn


class FixFinder(MetaPathFinder):
    """The finder that carries the fixes.

    Args:
        fixes: The fixes, in the order in which those of one module act.
    """

    def __init__(self, fixes: Iterable[Fix]):
        self.reports: dict[str, Report] = {}
        self._fixes: dict[str, list[Fix]] = {}
        self._asking = threading.local()
        for fix in fixes:
            self._fixes.setdefault(fix.target, []).append(fix)
            self.reports[fix.name] = Report("waiting", f"{fix.target} has not been imported")

    def install(self) -> None:
        """Stands the finder first, and mends at once what is imported already."""
        sys.meta_path.insert(0, self)
        for target, fixes in self._fixes.items():
            module = sys.modules.get(target)
            if module is None:
                continue
            for fix in fixes:
                if isinstance(fix, AfterImport):
                    self.mend(fix, module)
                else:
                    self.reports[fix.name] = Report("not needed", f"{target} had been imported before hrnet_plugin")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        fixes = self._fixes.get(fullname)
        # A second finder of this kind would ask us back: then the answer is its own to find.
        outer = getattr(self._asking, "name", None)
        if not fixes or outer == fullname:
            return None
        self._asking.name = fullname
        try:
            spec = _ask_others(self, fullname, path, target)
        finally:
            self._asking.name = outer
        if spec is None:
            return self._stand_in(fixes, fullname, path)
        if hasattr(spec.loader, "exec_module"):
            spec.loader = _MendingLoader(spec.loader, self, fixes)
        return spec

    def mend(self, fix: AfterImport, module: ModuleType) -> None:
        """Acts on an executed module where the breakage is there, and notes what was done."""
        try:
            finding = fix.detect(module)
            if finding.broken:
                fix.act(module)
        except Exception as error:
            # A fix that meets an unknown version must not take the import down with it, nor keep silent.
            self.reports[fix.name] = Report("failed", f"{type(error).__name__}: {error}")
            warnings.warn(
                f"hrnet_plugin could not apply its fix {fix.name!r} to {fix.target} ({error!r}); "
                f"without it: {fix.breakage}",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            self.note(fix, finding)

    def note(self, fix: Fix, finding: Finding) -> None:
        """Writes down what a detection found."""
        self.reports[fix.name] = Report("applied" if finding.broken else "not needed", finding.why)

    def _stand_in(self, fixes: list[Fix], fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
        for fix in fixes:
            if isinstance(fix, StandIn):
                finding = fix.detect(None if path is None else list(path))
                self.note(fix, finding)
                if finding.broken:
                    return importlib.util.spec_from_file_location(fullname, fix.source)
        return None


class _MendingLoader(Loader):
    """Executes a module through its own loader, with the fixes around and after it."""

    def __init__(self, loader: Loader, finder: FixFinder, fixes: list[Fix]):
        self._loader, self._finder, self._fixes = loader, finder, fixes

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec) if hasattr(self._loader, "create_module") else None

    def exec_module(self, module: ModuleType) -> None:
        # The module keeps its real loader: inspect, pkgutil and importlib.resources ask it for more than to execute.
        module.__loader__ = self._loader
        module.__spec__.loader = self._loader
        with ExitStack() as contexts:
            for fix in self._fixes:
                if isinstance(fix, DuringImport):
                    finding = fix.detect()
                    self._finder.note(fix, finding)
                    if finding.broken:
                        contexts.enter_context(fix.context())
                elif isinstance(fix, StandIn):
                    self._finder.note(fix, Finding(False, f"{fix.target} is installed"))
            self._loader.exec_module(module)
        for fix in self._fixes:
            if isinstance(fix, AfterImport):
                self._finder.mend(fix, module)


def _ask_others(
    asker: MetaPathFinder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in list(sys.meta_path):
        find_spec = getattr(finder, "find_spec", None)
        if finder is asker or find_spec is None:
            continue
        spec = find_spec(fullname, path, target)
        if spec is not None:
            return spec
    return None
