"""Lovász-softmax and Lovász hinge (Berman et al., CVPR 2018): the Jaccard index, made differentiable."""

from typing import TYPE_CHECKING

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """What the Jaccard index is of."""

    per_image: bool
    """Whether it is of each image, then averaged, or of the whole batch."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":
    """Lovász-softmax for a softmax head, Lovász hinge for a sigmoid head."""
    from seglib.lovasz_loss import Lovasz

    return Lovasz(head, weights, per_image=params.per_image)
