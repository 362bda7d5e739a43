"""Soft Dice plus focal loss, as in AnatomyNet (Zhu et al., Medical Physics 46, 2019)."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """Weights of the two terms, and the focus."""

    dice_weight: Annotated[float, Field(ge=0)]
    focal_weight: Annotated[float, Field(ge=0)]
    gamma: Annotated[float, Field(ge=0, le=10)]
    """How far pixels that are nearly right step back; 0: plain cross-entropy."""
    include_background: bool
    """Whether the background is one of the classes that the Dice term averages."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """MONAI's `DiceLoss` on probabilities, with sums over the whole batch, and focal cross-entropy."""
    from seglib.masked_losses import CrossEntropy, WeightedSum
    from seglib.region_losses import SoftDice

    dice = SoftDice(head, weights, include_background=params.include_background)
    focal = CrossEntropy(head, weights, gamma=params.gamma)
    return WeightedSum([(params.dice_weight, dice), (params.focal_weight, focal)])
