"""Losses of single pixels that leave ignored ones out, and sums of losses."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seglib.errors import SegError
from seglib.head import Head

LEAST = 1e-6
"""Probability of being wrong below which the focal factor no longer falls, so that its gradient is finite."""


class CrossEntropy(nn.Module):
    """Cross-entropy over the pixels that count; the binary one, averaged over the planes, for a sigmoid head.

    With `gamma` > 0 each pixel's is times (1 - p)^gamma, p the probability of the truth, which is the focal loss
    (Lin et al., ICCV 2017). Pixels weigh as their class, or plane, does.
    """

    weights: Tensor

    def __init__(self, head: Head, weights: Tensor, *, gamma: float = 0.0, positive: float = 1.0) -> None:
        """`weights`: one float32 a plane; `positive`: factor of a sigmoid head's pixels that show the class."""
        super().__init__()
        self.head, self.gamma, self.positive = head, gamma, positive
        self.register_buffer("weights", weights)

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar."""
        logits = logits.float()
        truth, counts = self.head.truth(mask)
        weights = self.weights.view(1, -1, *[1] * (logits.ndim - 2))
        if self.head.sigmoid:
            each = self._focused(F.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")) * weights
            each = each * (1 + (self.positive - 1) * truth)
            return (each * counts).sum() / (counts.sum() * logits.shape[1]).clamp(min=1)
        # written out because torch's own is not deterministic on CUDA
        each = self._focused(-(truth * F.log_softmax(logits, 1)))
        total = (truth.flatten(2).sum((0, 2)) * self.weights.double()).sum().float()
        return (each * weights).sum() / torch.where(total > 0, total, 1)

    def _focused(self, each: Tensor) -> Tensor:
        if not self.gamma:
            return each
        wrong = -torch.expm1(-each)
        return wrong.clamp(min=LEAST) ** self.gamma * each


class WeightedSum(nn.Module):
    """The sum of losses, each times its weight."""

    def __init__(self, terms: Sequence[tuple[float, nn.Module]]) -> None:
        """Take (weight, loss) pairs.

        Raises SegError where every weight is 0.
        """
        super().__init__()
        self.factors = [factor for factor, _ in terms]
        self.losses = nn.ModuleList(loss for _, loss in terms)
        if not any(self.factors):
            raise SegError("the weights of the loss's terms are all 0, so it teaches nothing; raise one of them")

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar, adding the terms' gradients in float32 too."""
        logits = logits.float()
        values = [factor * loss(logits, mask) for factor, loss in zip(self.factors, self.losses, strict=True)]
        return torch.stack(values).sum()
