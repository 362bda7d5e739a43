"""Soft Dice plus cross-entropy, the sum that nnU-Net made customary."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.config import Section

if TYPE_CHECKING:
    from torch import nn


class Params(Section):
    """Weights of the two terms."""

    dice_weight: Annotated[float, Field(ge=0)]
    ce_weight: Annotated[float, Field(ge=0)]
    include_background: bool
    """Whether the background is one of the classes that the Dice term averages."""


def build(params: Params, *, overlapping: bool) -> "nn.Module":
    """MONAI's `DiceLoss` on probabilities, with sums over the whole batch, and cross-entropy."""
    from seglib.masked_losses import DiceCELoss

    return DiceCELoss(
        params.dice_weight,
        params.ce_weight,
        include_background=params.include_background,
        overlapping=overlapping,
    )
