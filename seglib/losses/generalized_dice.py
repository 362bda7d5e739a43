"""Generalised Dice loss (Sudre et al., DLMIA 2017): rare classes weigh more."""

from typing import TYPE_CHECKING

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """Which classes count."""

    include_background: bool
    """Whether the background is one of the classes that are averaged."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """One Dice of all classes, each weighing inversely to its squared volume in the batch, times its class weight."""
    from seglib.region_losses import GeneralizedDice

    return GeneralizedDice(head, weights, include_background=params.include_background)
