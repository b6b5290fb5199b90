"""The registries of scope ``hrnet_plugin``, children of mmengine's root registries.

`type='hrnet_plugin.HRNet'` in any config makes mmengine import this file by its name and look here; the
modules named in `locations` are imported at the first look-up. One registration serves mmpose, mmseg, mmdet
and mmpretrain, and cannot clash with their own `HRNet`, which stand under other scopes.
"""

from __future__ import annotations

from mmengine import registry as root

SCOPE = "hrnet_plugin"


def _child(name: str, parent: root.Registry, location: str) -> root.Registry:
    return root.Registry(name, parent=parent, scope=SCOPE, locations=[location])


MODELS = _child("model", root.MODELS, "hrnet_plugin.models")
HOOKS = _child("hook", root.HOOKS, "hrnet_plugin.engine")
