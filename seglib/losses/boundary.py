"""Soft Dice plus a loss of the distance to the boundary, which alone does not train."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """Which distance, and the weights of the two terms."""

    kind: Literal["signed_distance", "hausdorff"]
    """Kervadec et al., MIDL 2019; or Karimi & Salcudean, IEEE TMI 39, 2019."""
    dice_weight: Annotated[float, Field(ge=0)]
    boundary_weight: Annotated[float, Field(ge=0)]
    """It meets values that grow with the distances in pixels, in hausdorff with their power."""
    exponent: Annotated[float, Field(ge=1, le=4)]
    """Power of the distances in hausdorff."""
    include_background: bool
    """Whether the background is one of the classes that the Dice term averages."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """MONAI's `DiceLoss` on probabilities, with sums over the whole batch, and the boundary term."""
    from seglib.boundary_losses import Hausdorff, SignedDistance
    from seglib.masked_losses import WeightedSum
    from seglib.region_losses import SoftDice

    dice = SoftDice(head, weights, include_background=params.include_background)
    signed = params.kind == "signed_distance"
    boundary = SignedDistance(head, weights) if signed else Hausdorff(head, weights, exponent=params.exponent)
    return WeightedSum([(params.dice_weight, dice), (params.boundary_weight, boundary)])
