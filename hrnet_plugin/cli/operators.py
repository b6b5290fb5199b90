"""Whether the mmcv at hand can run a network to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.compat.mmcv_ext import full_mmcv_needed, stands_in

if TYPE_CHECKING:
    from torch import nn


def check_operators(model: nn.Module, *, trains: bool, predicts: bool) -> None:
    """Check on mmcv-lite, before the first step, that the run will not come to a compiled operator.

    Args:
        model: The network, not wrapped.
        trains: Whether the run trains it.
        predicts: Whether the run tests it, or evaluates it while it trains.

    Raises:
        MissingDependency: it will; says which operators, who needs them and how to get them.
    """
    if not stands_in():
        return
    from hrnet_plugin.engine.compiled_operators import layers_with_operators, operators_of_prediction

    kind = type(model).__name__
    if layers := layers_with_operators(model):
        raise full_mmcv_needed(f"model {kind}: its layers {', '.join(layers)} are compiled operators of mmcv")
    if predicts and (operators := operators_of_prediction(model)):
        where = "its evaluation during training" if trains else "its prediction"
        raise full_mmcv_needed(
            f"model {kind}: {where} calls {', '.join(operators)}, a compiled operator of mmcv",
            "or train without evaluating: --no-validate" if trains else "",
        )
