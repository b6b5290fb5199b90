"""A network for inference: batch norms folded into the convolutions before them."""

from __future__ import annotations

import copy

from torch import nn

from ..errors import ConfigError
from .folding import fold_norm
from .norm_feeds import find_feeds, is_row

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)


def reparameterize(model: nn.Module) -> nn.Module:
    """A copy of `model` that computes the same with every batch norm folded that a convolution can take up.

    The copy is for inference alone: its parameters need no gradients, activations are not recomputed (`with_cp`), and
    what does nothing in evaluation mode is taken out of every row of layers. A norm that is not provably fed by exactly
    one convolution of its own stays as it is; `unfolded_norms` names them. Group and layer norms have no fixed
    statistics and stay too.

    Args:
        model: Any module in evaluation mode: a bare network or a whole model of mmpose, mmseg, mmdet or mmpretrain,
            with BN or SyncBN. It is left as it is.

    Raises:
        ConfigError: a network in training mode.
    """
    if any(module.training for module in model.modules()):
        raise ConfigError(
            f"network {type(model).__name__}",
            found="training mode",
            expected="evaluation mode, in which batch norms are fixed",
            do="Call model.eval() first",
        )
    folded = copy.deepcopy(model).requires_grad_(False)
    for module in folded.modules():
        if getattr(module, "with_cp", False):
            module.with_cp = False
    for feed in find_feeds(folded):
        if feed.conv_key is not None:
            fold_norm(feed.owner._modules[feed.conv_key], feed.owner._modules[feed.norm_key])
            _take_out(feed.owner, feed.norm_key)
    for module in list(folded.modules()):
        _drop_idle(module)
    return folded


def unfolded_norms(model: nn.Module) -> dict[str, str]:
    """The batch norms that `reparameterize` leaves (or, called on its result, left) in `model`, each with the reason.

    Returns:
        Name from the root on, to a few words. Empty where all are folded.
    """
    return {feed.name: feed.reason for feed in find_feeds(model) if feed.reason}


def _take_out(owner: nn.Module, key: str) -> None:
    """Removes a norm; where the owner's forward calls it by name, an identity stands in."""
    if is_row(owner):
        del owner._modules[key]
    elif getattr(owner, "norm_name", None) == key and getattr(owner, "with_norm", False) is True:
        # mmcv's ConvModule asks `with_norm` before it calls its norm.
        del owner._modules[key]
        owner.with_norm, owner.norm_name = False, None
    else:
        owner._modules[key] = nn.Identity()


def _drop_idle(module: nn.Module) -> None:
    if not is_row(module):
        return
    for key, child in list(module._modules.items()):
        if type(child) is nn.Identity or type(child) in _DROPOUTS:
            del module._modules[key]
