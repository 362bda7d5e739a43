"""Cross-entropy; the binary one, averaged over the planes, where the head is sigmoid."""

from typing import TYPE_CHECKING

from seglib.sections.objective import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn

    from seglib.head import Head


class Params(Loss):
    """No options."""


def build(params: Params, head: "Head", weights: "Tensor") -> "nn.Module":  # noqa: ARG001  (plug-ins share it)
    """Averaged over the pixels that count, each weighing as its class does."""
    from seglib.masked_losses import CrossEntropy

    return CrossEntropy(head, weights)
