"""Focal Tversky loss (Abraham & Khan, ISBI 2019): Tversky that looks at the classes which are still bad."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """What errors cost, and the focus."""

    alpha: Annotated[float, Field(gt=0, le=1)]
    """Weight of false positives."""
    beta: Annotated[float, Field(gt=0, le=1)]
    """Weight of false negatives."""
    gamma: Annotated[float, Field(ge=1, le=3)]
    """Each class's Tversky loss is raised to 1 / gamma; 1: plain Tversky."""
    include_background: bool
    """Whether the background is one of the classes that are averaged."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """MONAI's `TverskyLoss` of each class, raised to 1 / gamma."""
    from seglib.region_losses import Tversky

    return Tversky(
        head,
        weights,
        alpha=params.alpha,
        beta=params.beta,
        power=1 / params.gamma,
        include_background=params.include_background,
    )
