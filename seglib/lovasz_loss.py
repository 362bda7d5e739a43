"""The Lovász extension of the Jaccard loss (Berman et al., CVPR 2018)."""

import torch
from torch import Tensor, nn

from seglib.head import Head


class Lovasz(nn.Module):
    """Lovász-softmax for a softmax head, Lovász hinge for a sigmoid head, averaged over the classes.

    A class that no pixel shows is left out of the softmax's average, as in the paper. Ignored pixels come last in
    the order of the errors, where they touch no other. Pixels of equal error are taken in their given order. The
    backward pass is a product, so nothing is scattered and the result is deterministic on CUDA.
    """

    weights: Tensor

    def __init__(self, head: Head, weights: Tensor, *, per_image: bool) -> None:
        """`weights`: one float32 a plane; `per_image`: average over images instead of taking the batch as one."""
        super().__init__()
        self.head, self.per_image = head, per_image
        self.register_buffer("weights", weights)

    def forward(self, logits: Tensor, mask: Tensor) -> Tensor:
        """Compute the loss as a float32 scalar."""
        truth, counts = self.head.truth(mask)
        errors, truth, counts = (self._rows(item) for item in (self._errors(logits.float(), truth), truth, counts))
        each = (torch.where(counts, errors, 0) * jaccard_slopes(errors, truth, counts)).sum(-1)
        shown = counts.any(-1) if self.head.sigmoid else (truth > 0).any(-1)
        weights = shown * self.weights
        total = weights.sum()
        return (each * weights).sum() / torch.where(total > 0, total, 1)

    def _errors(self, logits: Tensor, truth: Tensor) -> Tensor:
        if self.head.sigmoid:
            return (1 - logits * (2 * truth - 1)).relu()
        return (truth - logits.softmax(1)).abs()

    def _rows(self, planes: Tensor) -> Tensor:
        """[batch, planes, pixels] or, for the batch as one, [1, planes, batch × pixels]."""
        rows = planes.flatten(2)
        return rows if self.per_image else rows.transpose(0, 1).flatten(1)[None]


@torch.no_grad()
def jaccard_slopes(errors: Tensor, truth: Tensor, counts: Tensor) -> Tensor:
    """How much the Jaccard loss grows by each pixel, from the largest error down; 0 where a pixel does not count.

    Takes errors and {0, 1} int64 [..., pixels]; gives float32 of the same shape.
    """
    order = torch.where(counts, errors, -torch.inf).argsort(dim=-1, descending=True, stable=True)
    shown = truth.gather(-1, order)
    total = truth.sum(-1, keepdim=True)
    intersection, union = total - shown.cumsum(-1), total + (1 - shown).cumsum(-1)
    loss = 1 - intersection.double() / union
    slopes = loss.diff(prepend=torch.zeros_like(loss[..., :1]))
    return slopes.gather(-1, order.argsort(dim=-1)).float() * counts
