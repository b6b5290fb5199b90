"""How the backbones are initialised: as their config says, from local weights, or by default."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from mmengine.model import BaseModule, update_init_info

from ..checkpoints.contents import read_contents
from ..checkpoints.loading.plan import plan_loading, select_part
from ..checkpoints.loading.report import SHARE_TO_START_FROM
from ..errors import ConfigError, nearest
from .pretrained import has_pretrained, localise

_PRETRAINED_KEYS = ("type", "checkpoint", "prefix", "map_location", "_scope_")


class LocalInit(BaseModule):
    """Initialisation by `init_cfg`, in which pretrained weights are taken from local files and never downloaded.

    What of them fits is told in a few lines of the log.
    """

    def choose_init(
        self,
        pretrained: str | None,
        init_cfg: Mapping | Sequence[Mapping] | None,
        default: Sequence[Mapping],
    ) -> None:
        """Settles `init_cfg`.

        Args:
            pretrained: A checkpoint, as older configs name it.
            init_cfg: mmengine's initialisation.
            default: Taken where both are None, and where only weights are asked for that are not at hand.

        Raises:
            ConfigError: where both are given, or either is of the wrong form.
        """
        self._default_init = default
        self.init_cfg = _read_init_cfg(pretrained, init_cfg) or default

    def init_weights(self) -> None:
        """Initialises as `init_cfg` says; where it asks only for weights that are not at hand, as by default.

        As in mmengine, pretrained weights come last, whatever their place in `init_cfg`.

        Raises:
            CheckpointError: pretrained weights cannot be read, or are of another network.
            ConfigError: a Pretrained entry has a key that it does not know.
        """
        if self.is_init:
            super().init_weights()  # says that it has been done
            return
        entries = localise(self.init_cfg) or list(self._default_init)
        pretrained = [entry for entry in entries if has_pretrained([entry])]
        self.init_cfg = [entry for entry in entries if entry not in pretrained]
        super().init_weights()
        self.init_cfg = entries
        for entry in pretrained:
            self._load_pretrained(entry)

    def _load_pretrained(self, entry: Mapping) -> None:
        for key in entry:
            if key not in _PRETRAINED_KEYS:
                raise ConfigError(
                    f"backbone.init_cfg: Pretrained.{key}", found="an unknown key", do=nearest(key, _PRETRAINED_KEYS)
                )
        source = str(entry["checkpoint"])
        contents = read_contents(source)
        if entry.get("prefix"):
            contents = select_part(contents, entry["prefix"])
        plan = plan_loading(self, contents)
        plan.require(
            SHARE_TO_START_FROM,
            what=f"pretrained weights {source}",
            advice="Name weights of this network in the backbone's init_cfg, or none",
        )
        plan.apply(self)
        level = logging.INFO if plan.report.is_plain else logging.WARNING
        print_log(plan.report.text(), logger="current", level=level)
        if hasattr(self, "_params_init_info"):
            update_init_info(self, init_info=f"Pretrained: loaded from {source}")


def _read_init_cfg(
    pretrained: str | None, init_cfg: Mapping | Sequence[Mapping] | None
) -> Mapping | Sequence[Mapping] | None:
    if pretrained is None:
        for entry in [init_cfg] if isinstance(init_cfg, Mapping) else init_cfg or []:
            if not isinstance(entry, Mapping) or "type" not in entry:
                expected = "dicts with a type, such as dict(type='Kaiming', layer='Conv2d')"
                raise ConfigError("backbone.init_cfg", found=repr(entry), expected=expected)
        return init_cfg
    if init_cfg is not None:
        raise ConfigError("backbone", found="both pretrained and init_cfg", expected="one of them", do="Drop one")
    if not isinstance(pretrained, str):
        raise ConfigError("backbone.pretrained", found=repr(pretrained), expected="a path or a URL")
    return {"type": "Pretrained", "checkpoint": pretrained}
