"""Soft Dice plus cross-entropy, the sum that nnU-Net made customary."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """Weights of the two terms."""

    dice_weight: Annotated[float, Field(ge=0)]
    ce_weight: Annotated[float, Field(ge=0)]
    include_background: bool
    """Whether the background is one of the classes that the Dice term averages."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """MONAI's `DiceLoss` on probabilities, with sums over the whole batch, and cross-entropy."""
    from seglib.masked_losses import CrossEntropy, WeightedSum
    from seglib.region_losses import SoftDice

    dice = SoftDice(head, weights, include_background=params.include_background)
    return WeightedSum([(params.dice_weight, dice), (params.ce_weight, CrossEntropy(head, weights))])
