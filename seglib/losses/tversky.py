"""Tversky loss (Salehi et al., MLMI 2017): Dice that weighs misses and false alarms apart."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """What errors cost; 0.5 and 0.5 give Dice."""

    alpha: Annotated[float, Field(gt=0, le=1)]
    """Weight of false positives."""
    beta: Annotated[float, Field(gt=0, le=1)]
    """Weight of false negatives."""
    include_background: bool
    """Whether the background is one of the classes that are averaged."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """MONAI's `TverskyLoss` on probabilities, with sums over the whole batch."""
    from seglib.region_losses import Tversky

    return Tversky(head, weights, alpha=params.alpha, beta=params.beta, include_background=params.include_background)
