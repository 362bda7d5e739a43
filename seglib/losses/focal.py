"""Focal loss (Lin et al., ICCV 2017): cross-entropy that looks at the pixels which are still wrong."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """The focus."""

    gamma: Annotated[float, Field(ge=0, le=10)]
    """How far pixels that are nearly right step back; 0: plain cross-entropy."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """Cross-entropy times (1 - p)^gamma; class weights stand for the paper's alpha."""
    from seglib.masked_losses import CrossEntropy

    return CrossEntropy(head, weights, gamma=params.gamma)
