"""Binary cross-entropy of each class for itself."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """What pixels of a class weigh against all others."""

    HEADS: ClassVar = ("sigmoid",)
    positive_weight: Annotated[float, Field(gt=0, le=1e6)]
    """Factor of the pixels that show the class."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """Averaged over the planes and the pixels that count."""
    from seglib.masked_losses import CrossEntropy

    return CrossEntropy(head, weights, positive=params.positive_weight)
