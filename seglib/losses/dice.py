"""Soft Dice loss (Milletari et al., V-Net, 2016)."""

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
    """MONAI's `DiceLoss` on probabilities, with sums over the whole batch."""
    from seglib.region_losses import SoftDice

    return SoftDice(head, weights, include_background=params.include_background)
