"""The registries of scope ``hrnet_plugin``, children of mmengine's root registries.

`type='hrnet_plugin.HRNet'` in any config makes mmengine import this file by its name and look here; the
modules named in `locations` are imported at the first look-up. One registration serves mmpose, mmseg, mmdet
and mmpretrain, and cannot clash with their own `HRNet`, which stand under other scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from mmengine import registry as root

from .errors import MissingDependency

SCOPE = "hrnet_plugin"
#: Classes for mmpose alone, by name, with their module: it is imported when the class is asked for, so that mmseg,
#: mmdet and mmpretrain do without mmpose.
_MODELS_FOR_MMPOSE = {
    "AssociativeEmbeddingHead": "hrnet_plugin.models.ae_head",
    "AssociativeEmbeddingLoss": "hrnet_plugin.models.ae_loss",
    "HigherHRNetHead": "hrnet_plugin.models.higher_hrnet",
}
_CODECS = {"AssociativeEmbedding": "hrnet_plugin.models.ae_codec"}


class _LateRegistry(root.Registry):
    """A child registry that imports some modules only when a name of theirs is looked up.

    Args:
        late: Names, and the module that registers each.
    """

    def __init__(self, name: str, parent: root.Registry, late: Mapping[str, str], locations: list[str]):
        super().__init__(name, parent=parent, scope=SCOPE, locations=locations)
        self._late = dict(late)

    def get(self, key: str) -> type | None:
        """As mmengine's; raises MissingDependency where the class needs a framework that is not there."""
        scope, name = self.split_scope_key(key)
        if scope in (None, SCOPE) and name in self._late:
            try:
                import_module(self._late[name])
            except ModuleNotFoundError as error:
                if (error.name or "").partition(".")[0] == SCOPE:
                    raise
                raise MissingDependency(
                    f"{SCOPE}.{name}",
                    found=f"no module named {error.name!r}",
                    expected="mmpose installed",
                    do="`hrnet doctor` prints the commands that install what is missing",
                ) from error
        return super().get(key)


def _child(name: str, parent: root.Registry, location: str) -> root.Registry:
    return root.Registry(name, parent=parent, scope=SCOPE, locations=[location])


def _codecs() -> root.Registry | None:
    """A child of mmpose's registry of codecs, which has no parent in mmengine; None without a working mmpose."""
    try:
        from mmpose.registry import KEYPOINT_CODECS as PARENT
    except (ImportError, AssertionError):  # not there, or it asserts another version of mmcv
        return None
    return _LateRegistry("keypoint codec", PARENT, _CODECS, [])


MODELS = _LateRegistry("model", root.MODELS, _MODELS_FOR_MMPOSE, ["hrnet_plugin.models"])
HOOKS = _child("hook", root.HOOKS, "hrnet_plugin.engine")
LOOPS = _child("loop", root.LOOPS, "hrnet_plugin.engine")
KEYPOINT_CODECS = _codecs()
