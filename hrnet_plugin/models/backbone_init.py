"""How the backbones are initialised: as their config says, from local weights, or by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule

from ..errors import ConfigError
from .pretrained import localise


class LocalInit(BaseModule):
    """Initialisation by `init_cfg`, in which pretrained weights are taken from local files and never downloaded."""

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
        """Initialises as `init_cfg` says; where it asks only for weights that are not at hand, as by default."""
        self.init_cfg = localise(self.init_cfg) or self._default_init
        super().init_weights()


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
