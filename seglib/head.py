"""What a network's outputs mean: classes that exclude each other, or each class for itself."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from seglib.io.sample import IGNORE


@dataclass(frozen=True)
class Head:
    """The link between mask values, logits and probabilities.

    softmax: one plane a class, the background first. sigmoid: one plane a foreground class.
    """

    classes: int
    """With the background."""
    sigmoid: bool
    overlapping: bool
    """Whether mask values are sums of bits, one a foreground class; needs `sigmoid`."""

    @property
    def planes(self) -> int:
        """Logits a pixel."""
        return self.classes - 1 if self.sigmoid else self.classes

    @property
    def foreground(self) -> slice:
        """The planes of the foreground classes."""
        return slice(0 if self.sigmoid else 1, None)

    def truth(self, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Turn mask values [batch, *space] into {0, 1} int64 [batch, planes, *space], and which pixels count.

        The second is bool [batch, 1, *space]; planes are 0 where a pixel does not count.
        """
        counts = (mask != IGNORE)[:, None]
        known = torch.where(counts[:, 0], mask, 0).long()
        if not self.overlapping:
            return (F.one_hot(known, self.classes).movedim(-1, 1) * counts)[:, self.classes - self.planes :], counts
        bits = torch.arange(self.planes, device=mask.device).view(1, -1, *[1] * (mask.ndim - 1))
        return (known[:, None] >> bits) & 1, counts

    def probabilities(self, logits: Tensor) -> Tensor:
        """Logits [batch, planes, *space] as float32 probabilities of the same shape."""
        return logits.float().sigmoid() if self.sigmoid else logits.float().softmax(1)

    def guess(self, logits: Tensor) -> Tensor:
        """The classes that logits [batch, planes, *space] choose, {0, 1} int64 of the same shape."""
        if self.overlapping:
            return (logits > 0).long()
        best = F.one_hot(logits.argmax(1), self.planes).movedim(-1, 1)
        return best * (logits > 0) if self.sigmoid else best
